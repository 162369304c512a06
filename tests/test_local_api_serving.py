"""HTTP APIs as visitors meet them: routes, events, roles, answers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.execution.matching import Table, match
from runner.execution.program import Event, Outcome, Program
from runner.local.compute.http_api.mapping import Source, evaluate, mapped
from runner.local.wire import Request
from tests.api_site import FUNCTION, ROLE, Served, operation
from tests.compute_site import ACCOUNT, REGION

ROUTES = [
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /pets/dog/{id}",
    "ANY /{proxy+}",
    "$default",
    "POST /a",
]


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/dog/a%2Fb", "GET /pets/dog/{id}", {"id": "a/b"}),
        ("PUT", "/pets/dog/2", "ANY /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST", "/pets/cat/1", "ANY /{proxy+}", {"proxy": "pets/cat/1"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("GET", "/a", "ANY /{proxy+}", {"proxy": "a"}),
        ("GET", "/", "$default", {}),
        ("GET", "/pets/dog/", "GET /pets/{proxy+}", {"proxy": "dog/"}),
    ],
)
def test_the_most_specific_route_answers(
    method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    """The table of "Create routes for HTTP APIs in API Gateway", and its edges."""
    found = match(ROUTES, method, path)
    assert found
    assert (found.key, found.parameters) == (key, parameters)
    assert Table(ROUTES).match(method, path) == found


def test_without_a_matching_route_nothing_answers() -> None:
    assert match(["GET /a", "POST /b"], "GET", "/b") is None
    assert match(["GET /a"], "GET", "/a/") is None
    assert Table(["GET /a", "POST /b"]).match("GET", "/b") is None
    assert Table(["GET /a"]).match("GET", "/a/") is None
    assert match([], "GET", "/") is None


SEGMENT = st.sampled_from(["a", "b", "{x}", "{y}"])


@given(st.lists(st.lists(SEGMENT, min_size=1, max_size=3), min_size=1, max_size=6), st.randoms())
def test_the_order_of_routes_changes_nothing(paths: list[list[str]], random: Any) -> None:
    keys = list({f"GET /{'/'.join('{v}' if s[0] == '{' else s for s in path)}" for path in paths})
    shuffled = keys[:]
    random.shuffle(shuffled)
    one, other = match(keys, "GET", "/a/b"), match(shuffled, "GET", "/a/b")
    assert (one and one.key) == (other and other.key)
    assert Table(keys).match("GET", "/a/b") == one


NOTES = {
    "/.functions/notes/{id}": {"x-amazon-apigateway-any-method": operation()},
    "/plain/{id}": {"get": operation(requestParameters=None)},
}


@pytest.fixture
def site(tmp_path: Path) -> Served:
    return Served(tmp_path, NOTES)


def test_the_event_is_payload_2_0(site: Served) -> None:
    """Member by member as in "Create AWS Lambda proxy integrations for HTTP APIs"."""
    event = site.heard(
        "/one/plain/7",
        query="parameter1=value1&parameter1=value2&parameter2=value",
        headers=(("header1", "value1"), ("header2", "value1"), ("header2", "value2"),
                 ("cookie", "cookie1; cookie2"), ("user-agent", "agent")),
        client="192.0.2.1",
    )  # fmt: skip
    context, headers = event.pop("requestContext"), event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "GET /plain/{id}",
        "rawPath": "/one/plain/7",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "pathParameters": {"id": "7"},
        "isBase64Encoded": False,
    }
    assert headers["header2"] == "value1,value2"
    assert "cookie" not in headers
    assert context.pop("requestId")
    assert context == {
        "accountId": ACCOUNT,
        "apiId": site.api,
        "domainName": site.host,
        "domainPrefix": site.api,
        "http": {"method": "GET", "path": "/one/plain/7", "protocol": "HTTP/1.1",
                 "sourceIp": "192.0.2.1", "userAgent": "agent"},
        "routeKey": "GET /plain/{id}",
        "stage": "one",
        "time": "15/Jan/2027:08:00:00 +0000",
        "timeEpoch": 1800000000000,
    }  # fmt: skip


def test_overwriting_the_path_takes_the_stage_away(site: Served) -> None:
    assert site.heard("/one/.functions/notes/7")["rawPath"] == "/.functions/notes/7"
    assert site.heard("/one/plain/7")["rawPath"] == "/one/plain/7"


def test_a_stage_serves_its_deployment_whatever_changed_since(site: Served) -> None:
    for route in site.apis("GetRoutes", ApiId=site.api)["Items"]:
        site.apis("DeleteRoute", ApiId=site.api, RouteId=route["RouteId"])
    assert site.get("/one/plain/7").status == 200


@pytest.mark.parametrize("path", ["/", "/two/plain/7", "/one", "/one/plain", "/one/plain/7/8"])
def test_no_stage_or_no_route_is_404(site: Served, path: str) -> None:
    answer = site.get(path)
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')


def test_a_stage_without_a_deployment_serves_nothing(site: Served) -> None:
    site.apis("CreateStage", ApiId=site.api, StageName="empty")
    assert site.get("/empty/plain/7").status == 404


def test_the_default_stage_needs_no_segment(tmp_path: Path) -> None:
    site = Served(tmp_path, NOTES, stage="$default")
    assert site.heard("/plain/7")["requestContext"]["stage"] == "$default"


def test_a_role_that_may_not_invoke_is_500(site: Served) -> None:
    site.plane.roles.refused.add(ROLE)
    answer = site.get("/one/plain/7")
    assert (answer.status, answer.body) == (500, b'{"message":"Internal Server Error"}')


def test_without_a_role_the_functions_own_policy_decides(tmp_path: Path) -> None:
    site = Served(tmp_path, {"/a": {"get": operation(credentials=None)}})
    assert site.get("/one/a").status == 500
    grant = {
        "FunctionName": "f",
        "Qualifier": "1",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    }
    other = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*/*/a"
    site.plane("AddPermission", StatementId="x", SourceArn=other, **grant)
    assert site.get("/one/a").status == 500
    ours = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{site.api}/*/*/a"
    site.plane("AddPermission", StatementId="y", SourceArn=ours, **grant)
    assert site.get("/one/a").status == 200


@pytest.mark.parametrize("uri", [FUNCTION.replace(":1", ":9"), FUNCTION.replace(":f:", ":g:")])
def test_a_function_or_version_that_is_not_there_is_500(tmp_path: Path, uri: str) -> None:
    site = Served(tmp_path, {"/a": {"get": operation(uri=uri)}})
    assert site.get("/one/a").status == 500


def test_a_stage_variable_can_name_the_version(tmp_path: Path) -> None:
    uri = FUNCTION.replace(":f:1", ":f:${stageVariables.version}")
    site = Served(tmp_path, {"/a": {"get": operation(uri=uri)}})
    assert site.get("/one/a").status == 500
    site.apis("UpdateStage", ApiId=site.api, StageName="one", StageVariables={"version": "1"})
    assert site.heard("/one/a")["stageVariables"] == {"version": "1"}


@pytest.mark.parametrize(
    ("result", "status", "body", "content_type"),
    [
        ({"message": "hi"}, 200, b'{"message":"hi"}', "application/json"),
        ({"statusCode": 201, "body": "made"}, 201, b"made", "text/plain; charset=utf-8"),
        ({"statusCode": 200, "body": {"a": 1}}, 500, b'{"message":"Internal Server Error"}',
         "application/json"),
    ],
)  # fmt: skip
def test_how_a_result_becomes_a_response(
    site: Served, result: Any, status: int, body: bytes, content_type: str
) -> None:
    site.plane.pool.answer = json.dumps(result).encode()
    answer = site.get("/one/plain/7")
    assert (answer.status, answer.body) == (status, body)
    assert answer.header("content-type") == content_type
    assert answer.header("apigw-requestid")


def test_a_functions_error_is_500_and_tells_nothing(site: Served) -> None:
    site.plane.pool.error = "TypeError"
    answer = site.get("/one/plain/7")
    assert (answer.status, answer.body) == (500, b'{"message":"Internal Server Error"}')


def test_a_function_slower_than_the_integration_is_503(tmp_path: Path) -> None:
    site = Served(tmp_path, {"/a": {"get": operation(timeoutInMillis=50)}})
    quick = site.plane.pool.invoke

    def slow(program: Program, event: Event, _listener: object = None) -> Outcome:
        time.sleep(0.3)
        return quick(program, event)

    site.plane.pool.invoke = slow  # type: ignore[method-assign]  # the double takes its time
    answer = site.get("/one/a")
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')


@pytest.mark.parametrize("megabytes", [7, 11])
def test_a_body_that_is_too_large_is_413(site: Served, megabytes: int) -> None:
    answer = site.get("/one/.functions/notes/7", method="POST", body=b"x" * megabytes * 2**20)
    assert answer.status == 413


def test_preflights_are_answered_without_the_function_where_cors_is_configured(
    site: Served,
) -> None:
    preflight = {
        "method": "OPTIONS",
        "headers": (("origin", "https://a.example"), ("access-control-request-method", "GET")),
    }
    assert site.get("/one/plain/7", **preflight).status == 404
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 5}
    site.apis("UpdateApi", ApiId=site.api, CorsConfiguration=cors)
    answer = site.get("/one/plain/7", **preflight)
    assert answer.status == 204
    assert answer.header("access-control-allow-methods") == "GET"
    site.plane.pool.answer = json.dumps(
        {"statusCode": 200, "headers": {"access-control-allow-origin": "*"}}
    ).encode()
    told = site.get("/one/plain/7", headers=(("origin", "https://a.example"),))
    assert told.header("access-control-allow-origin") == "https://a.example"


def test_a_disabled_endpoint_and_a_foreign_host_serve_nothing(site: Served) -> None:
    assert site.hosts.owns(site.host)
    assert not site.hosts.owns(site.host.replace(REGION, "us-east-1"))
    assert not site.hosts.owns("example.com")
    site.apis("UpdateApi", ApiId=site.api, DisableExecuteApiEndpoint=True)
    assert site.get("/one/plain/7").status == 404


SOURCE = Source(
    path="/notes/7",
    request=Request(method="GET", host="h", path="/one/notes/7", query="q=1&q=2",
                    headers=(("x-a", "1"),)),
    path_parameters={"id": "7"},
    stage_variables={"v": "9"},
    context={"stage": "one"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("constant", "constant"),
        ("$request.path", "/notes/7"),
        ("$request.path.id", "7"),
        ("$request.header.X-A", "1"),
        ("$request.querystring.q", "1,2"),
        ("$stageVariables.v", "9"),
        ("$context.stage", "one"),
        ("/${request.path.id}/${stageVariables.v}", "/7/9"),
    ],
)
def test_what_mapping_expressions_name(expression: str, value: str) -> None:
    assert evaluate(expression, SOURCE) == value


def test_mappings_change_headers_query_and_path() -> None:
    changes = {
        "overwrite:path": "/x/$request.path.id",
        "append:header.x-a": "2",
        "overwrite:header.x-b": "$context.stage",
        "remove:querystring.q": "",
        "append:querystring.r": "3",
    }
    request, path = mapped(changes, SOURCE, "/one/notes/7")
    assert path == "/x/7"
    assert request.headers == (("x-a", "1"), ("x-a", "2"), ("x-b", "one"))
    assert request.query == "r=3"
