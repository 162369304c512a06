"""The acceptor Lambda: hands a request on to a function that runs in the background, answers 202.

HTTP APIs wait for the functions that they invoke. So this one is their integration, and invokes
the version that the route names as an event, with what API Gateway gave it. Standard library only:
making boto3's client takes seven times as long as all of this takes to start.
Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import http.client
import json
import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from runner.acceptor.signing import Keys, signed

# Written by the API over whatever a visitor sends: the qualified ARN of the function.
FUNCTION = "x-jam-function"
# Asks whether the function could be invoked; nothing runs. How a new release is tried.
VERIFY = "x-jam-verify"
RUN = "x-jam-run"
_SECONDS = 5.0  # that Lambda has to take an event
_AGAIN = "2"  # seconds until a visitor may try again


def handler(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Lambda's way in: an HTTP API's event, payload format 2.0."""
    return accepted(_functions(), event)


@cache
def _functions() -> Functions:
    seen = os.environ  # noqa: TID251  # Lambda's front door
    region = seen["AWS_REGION"]
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    own = f"https://lambda.{region}.{domain}"
    return Functions(
        endpoint=seen.get("AWS_ENDPOINT_URL_LAMBDA") or seen.get("AWS_ENDPOINT_URL") or own,
        keys=Keys(
            access=seen["AWS_ACCESS_KEY_ID"],
            secret=seen["AWS_SECRET_ACCESS_KEY"],
            token=seen.get("AWS_SESSION_TOKEN", ""),
            region=region,
        ),
    )


@dataclass
class Functions:
    """Lambda's API, as much of it as is needed here, over one connection that is kept."""

    endpoint: str
    keys: Keys
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def invoke(self, arn: str, payload: bytes, *, kind: str) -> tuple[int, str, bytes]:
        """Status, request id and body of Lambda's answer. Raises OSError without one.

        Source: Lambda API reference, Invoke; a version is named by `Qualifier`.
        """
        name, version = arn.split(":")[6:8]
        host = urlsplit(self.endpoint).netloc
        headers = signed(
            self.keys,
            host=host,
            path=f"/2015-03-31/functions/{name}/invocations",
            query=f"Qualifier={version}",
            headers={"x-amz-invocation-type": kind},
            body=payload,
            at=time.time(),  # Lambda's clock: a signature has its time in it
        )
        target = f"/2015-03-31/functions/{name}/invocations?Qualifier={version}"
        answer = self._sent(target, headers, payload)
        body = answer.read()
        return answer.status, answer.headers.get("x-amzn-requestid", ""), body

    def _sent(
        self, target: str, headers: dict[str, str], payload: bytes
    ) -> http.client.HTTPResponse:
        """A kept connection may have ended while nobody called: then once more, on a new one.

        Lambda may so get an event twice, as it may in any case. Source: Lambda developer guide,
        "How Lambda handles errors and retries with asynchronous invocation".
        """
        kept = self._connection
        if kept is not None:
            try:
                kept.request("POST", target, payload, headers)
                return kept.getresponse()
            except (http.client.HTTPException, ConnectionError):
                kept.close()
        self._connection = connection = self._connected()
        connection.request("POST", target, payload, headers)
        return connection.getresponse()

    def _connected(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.endpoint)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.netloc, timeout=_SECONDS)
        return http.client.HTTPSConnection(parts.netloc, timeout=_SECONDS)


def accepted(functions: Functions, event: dict[str, Any]) -> dict[str, Any]:
    headers = event["headers"]
    arn = headers.pop(FUNCTION)
    kind = "DryRun" if VERIFY in headers else "Event"
    payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        status, run, body = functions.invoke(arn, payload, kind=kind)
    except (http.client.HTTPException, OSError) as error:
        print(f"Lambda cannot be reached: {error!r}")
        return _refused(503, "Service Unavailable", {"retry-after": _AGAIN})
    if status in (202, 204):
        return _answer(status, {"run": run}, {RUN: run})
    print(f"Lambda refused {arn}: {status} {body.decode('utf-8', 'replace')}")
    if status == 413:  # an event is smaller than a request may be
        return _refused(413, "Request Entity Too Large", {})
    if status == 429 or status >= 500:
        return _refused(503, "Service Unavailable", {"retry-after": _AGAIN})
    return _refused(500, "Internal Server Error", {})


def _refused(status: int, message: str, headers: dict[str, str]) -> dict[str, Any]:
    return _answer(status, {"message": message}, headers)


def _answer(status: int, body: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    told = {"content-type": "application/json", "cache-control": "no-store", **headers}
    text = "" if status == 204 else json.dumps(body, separators=(",", ":"))
    return {"statusCode": status, "headers": told, "body": text}
