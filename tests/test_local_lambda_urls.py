"""Function URLs: who may call, what the function hears, what the caller gets."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from runner.local.compute.function_url import FunctionUrls
from runner.local.wire import Principal, Request, Response
from tests.compute_site import ACCOUNT, REGION, Plane

DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"
EDGE = Principal(service="cloudfront.amazonaws.com", source_arn=DISTRIBUTION)
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA1/20261121/eu-west-1/lambda/aws4_request, Signature=x"


class Site:
    """A function `f` whose alias `live` has a URL."""

    def __init__(self, plane: Plane, **url: Any) -> None:
        self.plane = plane
        plane.create(Publish=True)
        plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
        given = {"FunctionName": "f", "Qualifier": "live", "AuthType": "AWS_IAM"} | url
        made = plane("CreateFunctionUrlConfig", **given)
        self.host = made["FunctionUrl"].split("/")[2]
        self.urls = FunctionUrls(plane.desk, plane.invoker, lambda key: f"arn:of:{key}")

    def permit(self, *actions: str, qualifier: str = "live", **more: Any) -> None:
        for action in actions:
            extra: dict[str, Any] = (
                {"FunctionUrlAuthType": "AWS_IAM"}
                if action == "lambda:InvokeFunctionUrl"
                else {"InvokedViaFunctionUrl": True}
            )
            given = {
                "FunctionName": "f",
                "Qualifier": qualifier,
                "StatementId": f"s{len(action)}",
                "Action": action,
                "Principal": "cloudfront.amazonaws.com",
                "SourceArn": DISTRIBUTION,
            }
            self.plane("AddPermission", **(given | extra | more))

    def get(self, path: str = "/", **more: Any) -> Response:
        given: dict[str, Any] = {"method": "GET", "host": self.host, "path": path}
        return self.urls.handle(Request(**(given | {"principal": EDGE} | more)))


BOTH = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(Plane(tmp_path))


@pytest.fixture
def open_site(site: Site) -> Site:
    site.permit(*BOTH)
    return site


@pytest.mark.parametrize("actions", [(), BOTH[:1], BOTH[1:]])
def test_one_permission_alone_is_not_enough(site: Site, actions: tuple[str, ...]) -> None:
    site.permit(*actions)
    refused = site.get()
    assert refused.status == 403
    assert json.loads(refused.body)["Message"].startswith("Forbidden. For troubleshooting")
    assert site.plane.pool.ran == []


def test_both_permissions_let_the_distribution_in(open_site: Site) -> None:
    assert open_site.get().status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2"},
        {"Principal": "apigateway.amazonaws.com"},
        {"qualifier": ""},
    ],
)
def test_permissions_for_somebody_else_do_not_count(site: Site, wrong: dict[str, str]) -> None:
    site.permit(*BOTH, **wrong)
    assert site.get().status == 403


def test_permission_to_invoke_without_the_url_condition_counts_as_well(site: Site) -> None:
    site.permit("lambda:InvokeFunctionUrl")
    site.permit("lambda:InvokeFunction", InvokedViaFunctionUrl=None)
    assert site.get().status == 200


def test_an_unsigned_request_is_refused_and_a_key_of_the_account_is_let_in(site: Site) -> None:
    assert site.get(principal=None).status == 403
    signed = site.get(principal=None, headers=(("authorization", SIGNED),))
    caller = json.loads(signed.body)["requestContext"]["authorizer"]["iam"]
    assert (caller["accessKey"], caller["userArn"]) == ("AKIA1", "arn:of:AKIA1")


def test_a_public_url_needs_public_permissions(tmp_path: Path) -> None:
    site = Site(Plane(tmp_path), AuthType="NONE")
    assert site.get(principal=None).status == 403
    public = {"Principal": "*", "SourceArn": None}
    site.permit("lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **public)
    site.permit("lambda:InvokeFunction", **public)
    assert site.get(principal=None).status == 200


@pytest.mark.parametrize("path", ["/a%20b", "/caf%C3%A9", "/a+b", "/a@b", "/(x)"])
def test_a_path_that_needs_encoding_breaks_the_edges_signature(open_site: Site, path: str) -> None:
    refused = open_site.get(path)
    assert refused.status == 403
    assert b"signature we calculated does not match" in refused.body


def test_the_alphabet_of_storage_keys_holds_the_signature(open_site: Site) -> None:
    assert open_site.get("/releases/0f/caf~C3~A9/index.html").status == 200


def test_a_body_needs_its_digest_in_a_header(open_site: Site) -> None:
    body = {"method": "POST", "body": b"hello"}
    assert open_site.get(**body).status == 403
    digest = hashlib.sha256(b"hello").hexdigest()
    assert open_site.get(**body, headers=(("x-amz-content-sha256", digest),)).status == 200
    wrong = (("x-amz-content-sha256", "0" * 64),)
    assert open_site.get(**body, headers=wrong).status == 403


def test_the_event_is_payload_2_0(open_site: Site) -> None:
    """Member by member as in Lambda developer guide, "Invoking Lambda function URLs"."""
    answer = open_site.get(
        "/my/path",
        query="parameter1=value1&parameter1=value2&parameter2=value",
        headers=(("header1", "value1"), ("header1", "value2"), ("cookie", "cookie1; cookie2"),
                 ("user-agent", "agent"), ("host", "ignored")),
        client="192.0.2.7",
    )  # fmt: skip
    event = json.loads(answer.body)
    context = event.pop("requestContext")
    headers = event.pop("headers")
    identity = open_site.host.partition(".")[0]
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "isBase64Encoded": False,
    }
    assert headers["header1"] == "value1,value2"
    assert headers["host"] == open_site.host
    assert headers["x-forwarded-for"] == "192.0.2.7"
    assert context.pop("requestId")
    assert context == {
        "accountId": "anonymous",
        "apiId": identity,
        "domainName": open_site.host,
        "domainPrefix": identity,
        "http": {"method": "GET", "path": "/my/path", "protocol": "HTTP/1.1",
                 "sourceIp": "192.0.2.7", "userAgent": "agent"},
        "routeKey": "$default",
        "stage": "$default",
        "time": "15/Jan/2027:08:00:10 +0000",
        "timeEpoch": 1800000010000,
    }  # fmt: skip


def test_a_binary_body_arrives_in_base64_and_text_as_it_is(open_site: Site) -> None:
    def heard(content_type: str, body: bytes) -> tuple[str, bool]:
        digest = hashlib.sha256(body).hexdigest()
        headers = (("content-type", content_type), ("x-amz-content-sha256", digest))
        event = json.loads(open_site.get(method="POST", body=body, headers=headers).body)
        return event["body"], event["isBase64Encoded"]

    assert heard("application/json; charset=utf-8", b'{"a":1}') == ('{"a":1}', False)
    assert heard("image/png", b"\x89P") == (base64.b64encode(b"\x89P").decode(), True)


@pytest.mark.parametrize(
    ("result", "status", "body", "content_type"),
    [
        ({"message": "hi"}, 200, b'{"message":"hi"}', "application/json"),
        ("Hello, world!", 200, b"Hello, world!", "application/json"),
        (None, 200, b"null", "application/json"),
        ({"statusCode": 201, "body": "made"}, 201, b"made", "application/json"),
        ({"statusCode": "404", "headers": {"Content-Type": "text/html"}}, 404, b"", "text/html"),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"hi",
         "application/json"),
        ({"statusCode": 200, "body": 12, "headers": {"content-type": "a/b"}}, 200, b"12", "a/b"),
    ],
)  # fmt: skip
def test_how_a_result_becomes_a_response(
    open_site: Site, result: Any, status: int, body: bytes, content_type: str
) -> None:
    open_site.plane.pool.answer = json.dumps(result).encode()
    answer = open_site.get()
    assert (answer.status, answer.body) == (status, body)
    assert answer.header("content-type") == content_type


def test_cookies_stand_apart(open_site: Site) -> None:
    result = {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"], "headers": {"X-N": 1}}
    open_site.plane.pool.answer = json.dumps(result).encode()
    headers = open_site.get().headers
    assert [value for name, value in headers if name == "set-cookie"] == ["a=1; Secure", "b=2"]
    assert ("x-n", "1") in headers


@pytest.mark.parametrize(
    "result",
    [
        b"no json",
        b'{"statusCode": "many"}',
        b'{"statusCode": 42}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "headers": []}',
        b'{"statusCode": 200, "headers": {"a": ["b"]}}',
        b'{"statusCode": 200, "body": "!", "isBase64Encoded": true}',
    ],
)
def test_a_result_that_is_no_response_is_502(open_site: Site, result: bytes) -> None:
    open_site.plane.pool.answer = result
    assert open_site.get().status == 502


def test_errors_are_502_and_throttling_is_429(open_site: Site) -> None:
    open_site.plane.pool.error = "Error"
    assert open_site.get().status == 502
    open_site.plane("PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    assert open_site.get().status == 429


def test_more_than_six_megabytes_are_refused(open_site: Site) -> None:
    body = b"x" * 6 * 2**20
    digest = (("x-amz-content-sha256", hashlib.sha256(body).hexdigest()),)
    assert open_site.get(method="POST", body=body, headers=digest).status == 413


def test_a_host_that_is_no_url_is_not_owned(site: Site) -> None:
    assert site.urls.owns(site.host)
    assert list(site.urls.names()) == [site.host]
    assert not site.urls.owns(f"nobody.lambda-url.{REGION}.on.aws")
    assert not site.urls.owns(site.host.replace(REGION, "us-east-1"))


def test_cors_is_lambdas_own_where_it_is_configured(tmp_path: Path) -> None:
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60}
    site = Site(Plane(tmp_path), Cors=cors)
    site.permit(*BOTH)
    allowed = site.get(method="OPTIONS", headers=(("origin", "https://a.example"),))
    assert allowed.header("access-control-allow-origin") == "https://a.example"
    assert allowed.header("access-control-max-age") == "60"
    other = site.get(headers=(("origin", "https://b.example"),))
    assert other.header("access-control-allow-origin") == ""
    assert len(site.plane.pool.ran) == 1


def test_a_streamed_answer_has_the_status_of_its_prelude(tmp_path: Path) -> None:
    site = Site(Plane(tmp_path), InvokeMode="RESPONSE_STREAM")
    site.permit(*BOTH)
    site.plane.pool.content_type = "application/vnd.awslambda.http-integration-response"
    prelude = {"statusCode": 201, "headers": {"Content-Type": "text/plain"}, "cookies": ["a=1"]}
    site.plane.pool.answer = json.dumps(prelude).encode() + bytes(8) + b"body"
    answer = site.get()
    assert answer.parts is not None
    assert (answer.status, b"".join(answer.parts)) == (201, b"body")
    assert answer.header("content-type") == "text/plain"
    assert answer.header("set-cookie") == "a=1"
