"""What a function hears, member by member, under `dev` and in the embedded cloud.

Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs in API
Gateway", payload format 2.0; Lambda developer guide, "Invoking a Lambda function using an Amazon
API Gateway endpoint", the example event of an HTTP API, "Using the Lambda context object to
retrieve Node.js function information" and the page of that name for Python.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.api_site import Decided, operation
from tests.compute_site import REGION
from tests.test_develop_functions import Running, site, start, stop

Event = dict[str, Any]
ROUTE = "/.functions/echo/{id}"
ECHO = "export const handler = async (event) => event;\n"
NODE = """export const handler = async (event, context) => ({
  ...context, left: context.getRemainingTimeInMillis(),
  functions: Object.keys(context).filter((name) => typeof context[name] === "function"),
});
"""
PYTHON = """def handler(event, context):
    names = [name for name in dir(context) if not name.startswith("_")]
    plain = {name: str(getattr(context, name)) for name in names}
    return {**plain, "left": context.get_remaining_time_in_millis()}
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as a visitor sends it; `path` lies below the route."""

    method: str = "GET"
    path: str = "7"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Hear = Callable[[Asked], Event]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = site(tmp_path_factory.mktemp("dev"))
    (folder / "functions/echo").mkdir()
    for name, code in {"echo/[id].js": ECHO, "node.js": NODE, "python.py": PYTHON}.items():
        (folder / "functions" / name).write_text(code)
    running = start(folder, AWS_REGION=REGION)
    yield running
    stop(running)


def under_dev(server: Running, asked: Asked) -> Event:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    query = f"?{asked.query}" if asked.query else ""
    line.putrequest(asked.method, f"/.functions/echo/{asked.path}{query}")
    for name, value in asked.headers:
        line.putheader(name, value)
    if asked.body:
        line.putheader("content-length", str(len(asked.body)))
    line.endheaders(asked.body or None)
    heard: Event = json.loads(line.getresponse().read())
    line.close()
    return heard


def in_the_cloud(folder: Path, asked: Asked) -> Event:
    hidden = {"overwrite:path": "$request.path", "remove:header.x-key": "''"}
    route = operation(requestParameters=hidden)
    served = Decided(folder, {ROUTE: {"x-amazon-apigateway-any-method": route}})
    return served.heard(
        f"/one/.functions/echo/{asked.path}",
        method=asked.method,
        query=asked.query,
        headers=(("x-key", "right"), *((name.lower(), value) for name, value in asked.headers)),
        body=asked.body,
    )


@pytest.fixture(params=["dev", "cloud"])
def hear(request: pytest.FixtureRequest, server: Running, tmp_path: Path) -> Hear:
    if request.param == "dev":
        return partial(under_dev, server)
    return partial(in_the_cloud, tmp_path)


BINARY = bytes(range(256))
ABSENT = "absent"
CASES = {
    "text": (
        Asked(method="POST", headers=(("Content-Type", "text/plain"),), body="ü".encode()),
        {"body": "ü", "isBase64Encoded": False},
    ),
    "JSON": (
        Asked(method="PUT", headers=(("content-type", "application/json; charset=utf-8"),),
              body=b"[1]"),
        {"body": "[1]", "isBase64Encoded": False},
    ),
    "a form": (
        Asked(method="POST", body=b"a=1",
              headers=(("content-type", "application/x-www-form-urlencoded"),)),
        {"body": base64.b64encode(b"a=1").decode(), "isBase64Encoded": True},
    ),
    "bytes": (
        Asked(method="POST", headers=(("content-type", "image/png"),), body=BINARY),
        {"body": base64.b64encode(BINARY).decode(), "isBase64Encoded": True},
    ),
    "no body": (Asked(), {"body": ABSENT, "isBase64Encoded": False}),
    "no query": (Asked(), {"rawQueryString": "", "queryStringParameters": ABSENT}),
    "a query": (
        Asked(query="a=1&b=&a=2&c=%26%20x&d"),
        {"rawQueryString": "a=1&b=&a=2&c=%26%20x&d",
         "queryStringParameters": {"a": "1,2", "b": "", "c": "& x", "d": ""}},
    ),
    "no cookie": (Asked(), {"cookies": ABSENT}),
    "cookies": (
        Asked(headers=(("Cookie", "a=1; b=2"),)),
        {"cookies": ["a=1", "b=2"], "headers.cookie": ABSENT},
    ),
    "headers": (
        Asked(headers=(("X-Two", "1"), ("x-two", "2, 3"), ("User-Agent", "me"))),
        {"headers.x-two": "1,2, 3", "headers.user-agent": "me",
         "requestContext.http.userAgent": "me"},
    ),
    "escapes": (
        Asked(path="a%2Fb%20%C3%BC"),
        {"rawPath": "/.functions/echo/a/b ü", "pathParameters": {"id": "a/b ü"}},
    ),
    "no authorizer": (
        Asked(),
        {"requestContext.authorizer": {"lambda": None}, "requestContext.authentication": ABSENT,
         "stageVariables": ABSENT},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_request_becomes_an_event_as_api_gateway_makes_it(hear: Hear, case: str) -> None:
    asked, expected = CASES[case]
    event = hear(asked)
    assert {name: member(event, name) for name in expected} == expected


RULES = {
    "version": r"2\.0",
    "routeKey": r"ANY /\.functions/echo/\{id\}",
    "rawPath": r"/\.functions/echo/7",
    "rawQueryString": "a=1",
    "cookies": r"\['a=1'\]",
    "queryStringParameters.a": "1",
    "pathParameters.id": "7",
    "isBase64Encoded": "False",
    "body": "text",
    "headers.content-length": "4",
    "headers.content-type": "text/plain",
    "headers.accept-encoding": "identity",
    "headers.host": r"[a-z0-9]+\.execute-api\.eu-west-1\.amazonaws\.com",
    "headers.x-amzn-trace-id": r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}",
    "headers.x-forwarded-for": r"127\.0\.0\.1",
    "headers.x-forwarded-host": r"127\.0\.0\.1:\d+|www\.example\.com",
    "headers.x-forwarded-port": r"\d+",
    "headers.x-forwarded-proto": "https?",
    "requestContext.accountId": r"\d{12}",
    "requestContext.apiId": "[a-z0-9]+",
    "requestContext.authorizer.lambda": "None",
    "requestContext.domainName": r"[a-z0-9]+\.execute-api\.eu-west-1\.amazonaws\.com",
    "requestContext.domainPrefix": "[a-z0-9]+",
    "requestContext.http.method": "POST",
    "requestContext.http.path": r"/(?:one|dev)/\.functions/echo/7",
    "requestContext.http.protocol": r"HTTP/1\.1",
    "requestContext.http.sourceIp": r"127\.0\.0\.1",
    "requestContext.http.userAgent": "",
    "requestContext.requestId": "[A-Za-z0-9_-]{15}=",
    "requestContext.routeKey": r"ANY /\.functions/echo/\{id\}",
    "requestContext.stage": "one|dev",
    "requestContext.time": r"\d\d/[A-Z][a-z]{2}/20\d\d:\d\d:\d\d:\d\d \+0000",
    "requestContext.timeEpoch": r"\d{13}",
}


def test_an_event_has_the_members_of_awss_example_and_no_other(hear: Hear) -> None:
    asked = Asked(
        method="POST", query="a=1", body=b"text",
        headers=(("content-type", "text/plain"), ("cookie", "a=1")),
    )  # fmt: skip
    event = hear(asked)
    event["headers"].setdefault("x-forwarded-host", "www.example.com")  # the router's to set
    event["headers"].setdefault("accept-encoding", "identity")  # Python's client says it itself
    found = dict(leaves(event))
    assert found.keys() == RULES.keys()
    assert {name for name, rule in RULES.items() if not re.fullmatch(rule, found[name])} == set()
    context = event["requestContext"]
    assert event["headers"]["host"] == context["domainName"]
    assert context["domainName"].startswith(context["domainPrefix"] + ".")
    assert context["apiId"] == context["domainPrefix"]


def test_dev_tells_the_truth_about_how_a_visitor_came(server: Running) -> None:
    headers = under_dev(server, Asked())["headers"]
    assert headers["x-forwarded-host"] == f"127.0.0.1:{server.port}"
    assert headers["x-forwarded-port"] == str(server.port)
    assert headers["x-forwarded-proto"] == "http"


NODE_CONTEXT = {
    "awsRequestId": r"[0-9a-f-]{36}",
    "callbackWaitsForEmptyEventLoop": "True",
    "functionName": "jam-dev--node-[0-9a-f]{6}",
    "functionVersion": r"\$LATEST",
    "invokedFunctionArn": r"arn:aws:lambda:eu-west-1:\d{12}:function:jam-dev--node-[0-9a-f]{6}",
    "left": r"9\d{3}|10000",
    "logGroupName": "/aws/lambda/jam-dev--node-[0-9a-f]{6}",
    "logStreamName": r"20\d\d/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}",
    "memoryLimitInMB": "256",
    "functions": r"\['getRemainingTimeInMillis', 'done', 'fail', 'succeed'\]",
}
PYTHON_CONTEXT = {
    "aws_request_id": r"[0-9a-f-]{36}",
    "client_context": "None",
    "function_name": "jam-dev--python-[0-9a-f]{6}",
    "function_version": r"\$LATEST",
    "identity": ".*CognitoIdentity.*",  # empty without Cognito
    "invoked_function_arn": r"arn:aws:lambda:eu-west-1:\d{12}:function:jam-dev--python-[0-9a-f]{6}",
    "left": r"9\d{3}|10000",
    "log_group_name": "/aws/lambda/jam-dev--python-[0-9a-f]{6}",
    "log_stream_name": r"20\d\d/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}",
    "memory_limit_in_mb": "256",
    "tenant_id": "None",
}


@pytest.mark.parametrize(
    ("function", "rules"), [("node", NODE_CONTEXT), ("python", PYTHON_CONTEXT)]
)
def test_the_context_has_what_lambda_documents(
    server: Running, function: str, rules: dict[str, str]
) -> None:
    context = server.get(f"/.functions/{function}").json()
    assert context.keys() >= rules.keys()
    wrong = {name for name, rule in rules.items() if not re.fullmatch(rule, str(context[name]))}
    assert wrong == set()


def member(event: Event, name: str) -> Any:
    if name in event:
        return event[name]
    first, _, rest = name.partition(".")
    inner = event.get(first)
    return member(inner, rest) if rest and isinstance(inner, dict) else ABSENT


def leaves(event: Event, above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in event.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value)
