"""The overlay: whose an operation is, what nobody has, atomic writes, the journal, the port."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from runner.local.cloud import Cloud
from runner.local.journal import writes
from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import Request, Response
from tests.local_cloud import TRUST, client, make_bucket, refusal


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


def test_what_nobody_has_answers_501_with_the_operations_name(cloud: Cloud) -> None:
    for service, operation, arguments in (
        ("codedeploy", "update_application", {"applicationName": "a"}),  # known URL, no method
        ("cloudfront", "list_streaming_distributions", {}),  # unknown URL
        ("s3", "get_bucket_request_payment", {"Bucket": "site-bucket"}),  # unknown sub-resource
    ):
        calls = client(cloud, service)
        with pytest.raises(ClientError) as caught:
            getattr(calls, operation)(**arguments)
        answered = caught.value.response
        assert answered["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert "".join(operation.split("_")) in answered["Error"]["Message"].lower()
        assert answered["ResponseMetadata"]["RetryAttempts"] == 0


def test_an_unknown_sub_resource_is_not_stored_as_an_object(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    with pytest.raises(ClientError):
        s3.put_bucket_request_payment(
            Bucket="site-bucket", RequestPaymentConfiguration={"Payer": "Requester"}
        )
    assert s3.list_objects_v2(Bucket="site-bucket")["KeyCount"] == 0


def test_of_sixteen_conditional_writers_one_wins(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)

    def put(number: int) -> bool:
        try:
            s3.put_object(Bucket="site-bucket", Key="lease", Body=b"%d" % number, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            assert sum(pool.map(put, range(16))) == 1
            s3.delete_object(Bucket="site-bucket", Key="lease")


def test_strange_keys_and_metadata_come_back_as_they_went_in(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    keys = ["a b+c%25.txt", "ü/ñ.txt", "q?x=1#y", "a//b", "../up", "./dot", "plain/", "~5B/x"]
    for key in keys:
        s3.put_object(Bucket="site-bucket", Key=key, Body=key.encode(), Metadata={"a_b": "1"})
    listed = s3.list_objects_v2(Bucket="site-bucket")["Contents"]
    assert sorted(each["Key"] for each in listed) == sorted(keys)
    for key in keys:
        found = s3.get_object(Bucket="site-bucket", Key=key)
        assert found["Body"].read() == key.encode()
        assert found["Metadata"] == {"a_b": "1"}


def test_the_journal_tells_writes_from_reads_and_keeps_names_and_parameters(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    since = cloud.journal.last
    s3.put_object(Bucket="site-bucket", Key="a", Body=b"x")
    s3.head_object(Bucket="site-bucket", Key="a")
    client(cloud, "iam").create_role(RoleName="maker", AssumeRolePolicyDocument=TRUST)
    entries = cloud.journal.entries(since=since)
    assert [entry.name for entry in entries] == ["s3:PutObject", "s3:HeadObject", "iam:CreateRole"]
    assert [entry.write for entry in entries] == [True, False, True]
    assert dict(entries[0].parameters) == {"Bucket": "site-bucket", "Key": "a"}
    assert entries[2].parameters["RoleName"] == "maker"
    assert cloud.journal.count("s3", since=since) == 2


def test_a_refusal_is_journalled_with_its_status(cloud: Cloud) -> None:
    refusal(lambda: client(cloud, "dynamodb").describe_table(TableName="none"))
    refusal(lambda: client(cloud, "s3").list_objects_v2(Bucket="none-such"))
    last, listing = cloud.journal.entries()
    assert (listing.status, listing.error) == (404, "NoSuchBucket")
    assert (last.name, last.status) == ("dynamodb:DescribeTable", 400)
    assert last.error.endswith("ResourceNotFoundException")


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("CreateBucket", True), ("TransactWriteItems", True), ("AssumeRole", True),
        ("GetObject", False), ("TransactGetItems", False), ("HeadObject", False),
        ("Invoke", False), ("", False),
    ],
)  # fmt: skip
def test_operations_count_as_writes_by_their_names(operation: str, *, changes: bool) -> None:
    assert writes(operation) is changes


def test_reset_over_http_empties_motos_side_and_ours(cloud: Cloud) -> None:
    make_bucket(cloud)
    cloud.deny("s3:*")
    urllib.request.urlopen(
        urllib.request.Request(f"{cloud.endpoint}/moto-api/reset", method="POST")
    ).close()
    assert client(cloud, "s3").list_buckets()["Buckets"] == []
    assert [entry.name for entry in cloud.journal.entries()] == ["s3:ListBuckets"]


def test_a_connection_is_kept_for_many_requests(cloud: Cloud) -> None:
    port = int(cloud.endpoint.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(3):
        connection.request("GET", "/_jam/health")
        answered = connection.getresponse()
        assert json.loads(answered.read())["status"] == "ready"
        assert not answered.will_close
    connection.close()


def test_a_host_that_nobody_owns_is_told_so(cloud: Cloud) -> None:
    port = int(cloud.endpoint.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/", headers={"Host": f"d0nobody.localhost:{port}"})
    answered = connection.getresponse()
    assert answered.status == 404
    assert b"d0nobody.localhost" in answered.read()


def test_the_bucket_may_stand_before_the_host(cloud: Cloud) -> None:
    make_bucket(cloud).put_object(Bucket="site-bucket", Key="a b", Body=b"there")
    port = int(cloud.endpoint.rpartition(":")[2])
    scope = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request, Signature=0"
    for host in ("site-bucket.localhost", "site-bucket.s3.eu-west-1.amazonaws.com"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Host": f"{host}:{port}", "Authorization": scope}
        connection.request("GET", "/a%20b", headers=headers)
        assert connection.getresponse().read() == b"there", host


class Broken:
    """A service's rules that have a defect."""

    name = "sts"

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        raise RuntimeError(incoming.operation)

    def reset(self) -> None: ...


def test_an_operation_that_throws_answers_500_and_lets_others_through(cloud: Cloud) -> None:
    overlay = replace(cloud.overlay, layers=(Broken(),))
    asked = Request(
        method="POST",
        host="127.0.0.1",
        path="/",
        headers=(
            ("content-type", "application/x-www-form-urlencoded"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sts/aws4_request",
            ),
        ),
        body=b"Action=GetCallerIdentity&Version=2011-06-15",
    )
    for _ in range(2):  # the lock is free again
        assert overlay(asked).status == 500
    assert cloud.overlay(asked).status == 200


def test_the_clouds_clock_dates_what_moto_makes(cloud: Cloud) -> None:
    made = client(cloud, "iam").create_role(RoleName="dated", AssumeRolePolicyDocument=TRUST)
    assert made["Role"]["CreateDate"].timestamp() == pytest.approx(cloud.clock.now(), abs=2)


def test_nothing_tells_which_server_the_cloud_runs_on(cloud: Cloud) -> None:
    for path in ("/_jam/health", "/site-bucket"):
        connection = http.client.HTTPConnection("127.0.0.1", int(cloud.endpoint.rpartition(":")[2]))
        connection.request("GET", path)
        assert "Cheroot" not in str(connection.getresponse().headers)
