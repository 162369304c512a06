"""The acceptor: a request goes to Lambda as an event, and the visitor hears 202."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runner.acceptor.acceptor import Functions, accepted
from runner.acceptor.signing import Keys, signed
from runner.package.acceptor import digest, modules, package

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:jam-s--mail-0a1b2c:7"
KEYS = Keys(access="AKIA", secret="secret", token="token", region="eu-central-1")


@dataclass
class Lambda:
    """Lambda's place, which answers as it is told."""

    status: int = 202
    closes: bool = False
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    endpoint: str = ""


@pytest.fixture
def there() -> Iterator[Lambda]:
    told = Lambda()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.asked.append((self.path, headers, body))
            self.send_response(told.status)
            self.send_header("x-amzn-requestid", f"run-{len(told.asked)}")
            self.send_header("content-length", "0")
            self.end_headers()
            self.close_connection = told.closes

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


def event(**headers: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/.functions/mail",
        "headers": {"x-jam-function": ARN, "host": "api", **headers},
        "body": "Grüße",
        "isBase64Encoded": False,
    }


def test_the_version_is_invoked_with_the_very_same_event_without_our_header(there: Lambda) -> None:
    answer = accepted(Functions(there.endpoint, KEYS), event(accept="*/*"))
    assert answer["statusCode"] == 202
    assert answer["headers"]["x-jam-run"] == "run-1"
    assert json.loads(answer["body"]) == {"run": "run-1"}
    ((path, headers, body),) = there.asked
    assert path == "/2015-03-31/functions/jam-s--mail-0a1b2c/invocations?Qualifier=7"
    assert headers["x-amz-invocation-type"] == "Event"
    sent = event(accept="*/*")
    del sent["headers"]["x-jam-function"]
    assert json.loads(body) == sent


def test_a_release_is_tried_without_running_anything(there: Lambda) -> None:
    there.status = 204
    answer = accepted(Functions(there.endpoint, KEYS), event(**{"x-jam-verify": "1"}))
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert there.asked[0][1]["x-amz-invocation-type"] == "DryRun"


@pytest.mark.parametrize(
    ("status", "answered", "again"),
    [(413, 413, None), (429, 503, "2"), (500, 503, "2"), (403, 500, None), (404, 500, None)],
)
def test_what_lambda_refuses_is_told_to_the_visitor(
    there: Lambda, status: int, answered: int, again: str | None
) -> None:
    there.status = status
    answer = accepted(Functions(there.endpoint, KEYS), event())
    assert (answer["statusCode"], answer["headers"].get("retry-after")) == (answered, again)


def test_without_lambda_a_visitor_is_told_to_try_again() -> None:
    answer = accepted(Functions("http://127.0.0.1:9", KEYS), event())
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "2")


@pytest.mark.parametrize("closes", [False, True])
def test_a_connection_is_kept_and_made_anew_where_it_has_ended(
    there: Lambda, *, closes: bool
) -> None:
    there.closes = closes
    functions = Functions(there.endpoint, KEYS)
    answers = [accepted(functions, event())["statusCode"] for _ in range(3)]
    assert answers == [202, 202, 202]
    assert len(there.asked) == 3


def test_requests_are_signed_as_botocore_signs_them() -> None:
    """A second implementation of a signature is only right where it is the same as the first."""
    body = b'{"a": 1}'
    asked = AWSRequest(
        "POST",
        "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/f-1/invocations?Qualifier=7",
        headers={"x-amz-invocation-type": "Event"},
        data=body,
    )
    SigV4Auth(Credentials("AKIA", "secret", "token"), "lambda", "eu-central-1").add_auth(asked)
    moment = datetime.strptime(asked.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    ours = signed(
        KEYS,
        host="lambda.eu-central-1.amazonaws.com",
        path="/2015-03-31/functions/f-1/invocations",
        query="Qualifier=7",
        headers={"x-amz-invocation-type": "Event"},
        body=body,
        at=moment.replace(tzinfo=UTC).timestamp(),
    )
    assert ours["authorization"] == asked.headers["Authorization"]


def test_its_archive_stands_alone_and_is_the_same_every_time() -> None:
    assert package() == package()
    assert len(digest()) == 64
    assert not [name for name, code in modules().items() if b"from runner" in code]
