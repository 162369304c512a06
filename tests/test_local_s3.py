"""What S3 refuses, on the embedded cloud as on AWS."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from runner.local.s3.integrity import ALGORITHMS, encoded, whole
from runner.local.wire import AwsError, Principal, Request
from tests.local_cloud import client, make_bucket, refusal

DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E2ABCDEFGHIJKL"
HOST = "site-bucket.s3.eu-west-1.amazonaws.com"


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


@pytest.fixture
def s3(cloud: Cloud) -> Any:
    made = make_bucket(cloud)
    made.put_object(Bucket="site-bucket", Key="page", Body=b"hello", ContentType="text/html")
    return made


def document(**statement: Any) -> str:
    filled = {
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site-bucket/*",
    } | statement  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": [filled]})


FROM_DISTRIBUTION = {"Condition": {"ArnLike": {"AWS:SourceArn": DISTRIBUTION}}}
WRONG = base64.b64encode(b"\0" * 32).decode()

REFUSED: list[tuple[str, Callable[[Any], Any], tuple[str, int]]] = [
    ("a wrong SHA-256", lambda s3: put(s3, ChecksumSHA256=WRONG), ("BadDigest", 400)),
    ("a wrong CRC32", lambda s3: put(s3, ChecksumCRC32="AAAAAA=="), ("BadDigest", 400)),
    ("a checksum of the wrong length", lambda s3: put(s3, ChecksumSHA256="AAAA"),
     ("InvalidRequest", 400)),
    ("a wrong MD5", lambda s3: put(s3, ContentMD5=base64.b64encode(b"0" * 16).decode()),
     ("BadDigest", 400)),
    ("an MD5 that is none", lambda s3: put(s3, ContentMD5="xyz"), ("InvalidDigest", 400)),
    ("a key above 1024 bytes", lambda s3: put(s3, Key="k" * 1025), ("KeyTooLongError", 400)),
    ("another owner", lambda s3: put(s3, ExpectedBucketOwner="1" * 12), ("AccessDenied", 403)),
    ("a copy of something else", lambda s3: copy(s3, CopySourceIfMatch='"0"'),
     ("PreconditionFailed", 412)),
    ("a copy onto something", lambda s3: copy(s3, Key="page", IfNoneMatch="*"),
     ("PreconditionFailed", 412)),
    ("a policy that is no JSON", lambda s3: policy(s3, "{"), ("MalformedPolicy", 400)),
    ("a policy without an effect", lambda s3: policy(s3, document(Effect="Maybe")),
     ("MalformedPolicy", 400)),
    ("a policy about another bucket",
     lambda s3: policy(s3, document(Resource="arn:aws:s3:::other/*")), ("MalformedPolicy", 400)),
    ("a public policy where blocked", lambda s3: blocked(s3, document(Principal="*")),
     ("AccessDenied", 403)),
    ("a regional name of another account",
     lambda s3: create(s3, "x-999999999999-eu-west-1-an", BucketNamespace="account-regional"),
     ("InvalidBucketName", 400)),
    ("the suffix -an in the global namespace",
     lambda s3: create(s3, "x-123456789012-eu-west-1-an"), ("InvalidBucketName", 400)),
]  # fmt: skip


def put(s3: Any, **more: Any) -> Any:
    return s3.put_object(**{"Bucket": "site-bucket", "Key": "a", "Body": b"x"} | more)


def copy(s3: Any, **more: Any) -> Any:
    return s3.copy_object(
        **{"Bucket": "site-bucket", "Key": "b", "CopySource": "site-bucket/page"} | more
    )


def policy(s3: Any, text: str) -> Any:
    return s3.put_bucket_policy(Bucket="site-bucket", Policy=text)


def blocked(s3: Any, text: str) -> Any:
    s3.put_public_access_block(
        Bucket="site-bucket",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True, "IgnorePublicAcls": True,
            "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
        },
    )  # fmt: skip
    return policy(s3, text)


def create(s3: Any, name: str, **more: Any) -> Any:
    return s3.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}, **more
    )


@pytest.mark.parametrize(("what", "act", "expected"), REFUSED, ids=[row[0] for row in REFUSED])
def test_s3_refuses(
    s3: Any, what: str, act: Callable[[Any], Any], expected: tuple[str, int]
) -> None:
    assert refusal(lambda: act(s3)) == expected, what


def test_what_the_same_calls_rightly_do_is_accepted(s3: Any) -> None:
    put(s3, ChecksumSHA256=encoded("sha256", b"x"))
    put(s3, ContentMD5=base64.b64encode(__import__("hashlib").md5(b"x").digest()).decode())
    copy(s3, CopySourceIfMatch=s3.head_object(Bucket="site-bucket", Key="page")["ETag"])
    blocked(s3, document(**FROM_DISTRIBUTION))
    create(s3, "x-123456789012-eu-west-1-an", BucketNamespace="account-regional")
    assert s3.get_object(Bucket="site-bucket", Key="b")["Body"].read() == b"hello"


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_checksum_is_kept_and_given_back(s3: Any, algorithm: str) -> None:
    name = f"Checksum{algorithm.upper()}"
    put(s3, **{name: encoded(algorithm, b"x")})
    found = s3.head_object(Bucket="site-bucket", Key="a", ChecksumMode="ENABLED")
    assert found[name] == encoded(algorithm, b"x")


def test_a_chunked_body_arrives_whole_and_its_trailer_counts() -> None:
    def sent(checksum: str) -> Request:
        framed = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n"
        return Request(
            method="PUT", host="localhost", path="/b/k", body=framed,
            headers=(
                ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                ("content-encoding", "gzip,aws-chunked"),
                ("x-amz-decoded-content-length", "5"),
            ),
        )  # fmt: skip

    right = whole(sent(encoded("crc32", b"hello")))
    assert right.body == b"hello"
    assert right.header("content-encoding") == "gzip"
    assert right.header("x-amz-checksum-crc32") == encoded("crc32", b"hello")


@pytest.mark.parametrize("framed", [b"5\r\nhel", b"zz\r\nhello\r\n0\r\n\r\n", b""])
def test_a_chunked_body_cut_short_is_refused(framed: bytes) -> None:
    headers = (("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),)
    with pytest.raises(AwsError) as caught:
        whole(Request(method="PUT", host="h", path="/b/k", body=framed, headers=headers))
    assert caught.value.code == "IncompleteBody"


def ask(cloud: Cloud, path: str, **more: Any) -> tuple[int, bytes]:
    answered = cloud.send(Request(**{"method": "GET", "host": HOST, "path": path} | more))
    return answered.status, answered.body


def test_an_unsigned_visitor_gets_nothing_private(cloud: Cloud, s3: Any) -> None:
    assert ask(cloud, "/page")[0] == 403
    assert ask(cloud, "/absent")[0] == 403
    port = int(cloud.endpoint.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/site-bucket/page")
    assert connection.getresponse().status == 403


def test_the_distribution_of_the_policy_gets_it_and_no_other(cloud: Cloud, s3: Any) -> None:
    policy(s3, document(**FROM_DISTRIBUTION))
    ours = Principal(service="cloudfront.amazonaws.com", source_arn=DISTRIBUTION)
    other = Principal(service="cloudfront.amazonaws.com", source_arn=DISTRIBUTION[:-1] + "M")
    assert ask(cloud, "/page", principal=ours) == (200, b"hello")
    assert ask(cloud, "/page", principal=other)[0] == 403


def test_an_absent_key_is_403_without_the_right_to_list_and_404_with_it(
    cloud: Cloud, s3: Any
) -> None:
    ours = Principal(service="cloudfront.amazonaws.com", source_arn=DISTRIBUTION)
    policy(s3, document(**FROM_DISTRIBUTION))
    assert ask(cloud, "/absent", principal=ours)[0] == 403
    both = ["arn:aws:s3:::site-bucket", "arn:aws:s3:::site-bucket/*"]
    wide = document(Action=["s3:GetObject", "s3:ListBucket"], Resource=both, **FROM_DISTRIBUTION)
    policy(s3, wide)
    assert ask(cloud, "/absent", principal=ours)[0] == 404


def test_a_deny_binds_the_account_too_and_loopback_counts_as_secure(cloud: Cloud, s3: Any) -> None:
    tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy(s3, document(Effect="Deny", Principal="*", Action="s3:*", **tls))
    assert s3.get_object(Bucket="site-bucket", Key="page")["Body"].read() == b"hello"
    policy(s3, document(Effect="Deny", Principal="*", Action="s3:GetObject"))
    get = lambda: s3.get_object(Bucket="site-bucket", Key="page")  # noqa: E731 -- read in place
    assert refusal(get) == ("AccessDenied", 403)


def test_a_second_bucket_of_the_same_name_is_refused(cloud: Cloud, s3: Any) -> None:
    assert refusal(lambda: create(s3, "site-bucket")) == ("BucketAlreadyOwnedByYou", 409)
    assert len(client(cloud, "s3").list_buckets()["Buckets"]) == 1
