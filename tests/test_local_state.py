"""--state: what was made is there after a restart, under the same ids."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from runner.local.clock import Clock
from runner.local.cloud import Cloud
from runner.local.state import FILE
from tests.local_cloud import TRUST, client, make_bucket, refusal

DAY = 86_400.0  # seconds


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("index.mjs", "export const handler = async () => ({ statusCode: 200 })")
    return packed.getvalue()


def distribution() -> dict[str, Any]:
    return {
        "CallerReference": "once", "Comment": "kept", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "files", "DomainName": "site-bucket.s3.eu-west-1.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "files", "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"},
    }  # fmt: skip


def furnish(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    for number in range(3):
        s3.put_object(Bucket="site-bucket", Key="page", Body=b"version %d" % number)
    dynamodb = client(cloud, "dynamodb")
    dynamodb.create_table(
        TableName="records", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName="records", Item={"pk": {"S": "live"}, "v": {"N": "1"}})
    role = client(cloud, "iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    cloud.clock.run(cloud.clock.now() + 60)
    functions = client(cloud, "lambda")
    functions.create_function(
        FunctionName="notes", Runtime="nodejs22.x", Role=role["Role"]["Arn"],
        Handler="index.handler", Code={"ZipFile": archive()},
    )  # fmt: skip
    functions.get_waiter("function_active_v2").wait(FunctionName="notes", WaiterConfig={"Delay": 1})
    functions.publish_version(FunctionName="notes")
    client(cloud, "cloudfront").create_distribution(DistributionConfig=distribution())
    client(cloud, "apigatewayv2").create_api(Name="api", ProtocolType="HTTP")


def seen(cloud: Cloud) -> dict[str, Any]:
    """What an outsider sees, ids and ETags included."""
    s3, functions = client(cloud, "s3"), client(cloud, "lambda")
    page = s3.get_object(Bucket="site-bucket", Key="page")
    dynamodb = client(cloud, "dynamodb")
    listed = client(cloud, "cloudfront").list_distributions()["DistributionList"]["Items"]
    # A version that was Pending goes on being so, for the cloud's clock stood still meanwhile.
    functions.get_waiter("published_version_active").wait(FunctionName="notes", Qualifier="1")
    function = functions.get_function(FunctionName="notes", Qualifier="1")["Configuration"]
    return {
        "page": (page["Body"].read(), page["ETag"]),
        "items": dynamodb.scan(TableName="records")["Items"],
        "role": client(cloud, "iam").get_role(RoleName="r")["Role"]["RoleId"],
        "function": (function["CodeSha256"], function["RevisionId"], function["State"]),
        "distributions": [(each["Id"], each["DomainName"], each["ARN"]) for each in listed],
        "apis": [each["ApiId"] for each in client(cloud, "apigatewayv2").get_apis()["Items"]],
    }


def date(cloud: Cloud) -> float:
    page = client(cloud, "s3").head_object(Bucket="site-bucket", Key="page")
    return float(page["LastModified"].timestamp())


def test_everything_is_there_after_a_restart_under_the_same_ids(tmp_path: Path) -> None:
    with Cloud(speed=20, state=tmp_path) as first:
        furnish(first)
        first.clock.run(first.clock.now() + DAY)  # far ahead of ours
        furnished = first.clock.now()
        client(first, "s3").put_object(Bucket="site-bucket", Key="last", Body=b"x")
        before, dated = seen(first), date(first)
    with Cloud(speed=20, state=tmp_path) as second:
        assert seen(second) == before
        # A call is dated when it is over: on a busy machine some seconds of the cloud after it.
        assert abs(date(second) - dated) < 300
        assert second.clock.now() >= furnished
        client(second, "s3").put_object(Bucket="site-bucket", Key="later", Body=b"x")
    with Cloud(speed=20, state=tmp_path) as third:
        assert client(third, "s3").head_object(Bucket="site-bucket", Key="later")
        assert seen(third) == before


def test_reads_and_refusals_are_not_kept(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as cloud:
        s3 = make_bucket(cloud)
        size = (tmp_path / FILE).stat().st_size
        s3.list_buckets()
        refusal(lambda: s3.put_object(Bucket="site-bucket", Key="a", Body=b"x", ContentMD5="x"))
        assert (tmp_path / FILE).stat().st_size == size


def test_a_record_cut_off_by_a_crash_is_dropped_and_the_rest_holds(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as cloud:
        make_bucket(cloud).put_object(Bucket="site-bucket", Key="a", Body=b"x" * 1000)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-7])
    with Cloud(state=tmp_path) as cloud:
        s3 = client(cloud, "s3")
        assert s3.list_objects_v2(Bucket="site-bucket")["KeyCount"] == 0
        s3.put_object(Bucket="site-bucket", Key="b", Body=b"y")
    with Cloud(state=tmp_path) as cloud:
        listed = client(cloud, "s3").list_objects_v2(Bucket="site-bucket")["Contents"]
        assert [each["Key"] for each in listed] == ["b"]


def test_a_reset_is_kept_too(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as cloud:
        make_bucket(cloud)
        cloud.reset()
    with Cloud(state=tmp_path) as cloud:
        assert client(cloud, "s3").list_buckets()["Buckets"] == []


def test_what_falls_due_during_a_replay_runs_at_its_time() -> None:
    clock = Clock()
    clock.jump(100)
    ran: list[tuple[str, float]] = []
    clock.later(5, lambda: ran.append(("five", clock.now())))
    clock.later(2, lambda: ran.append(("two", clock.now())))
    cancelled = clock.later(3, lambda: ran.append(("never", clock.now())))
    cancelled.cancel()
    clock.jump(104)
    assert ran == [("two", 102)]
    clock.jump(110)
    assert ran == [("two", 102), ("five", 105)]
