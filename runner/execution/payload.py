"""Payload format 2.0: from a request to a function's event, from its result to a response. Pure.

Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"; Lambda
developer guide, "Invoking Lambda function URLs", "Request and response payloads".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from runner.execution.http_messages import Request, Response

# Anything else arrives in base64. The guide gives no list; docs/live-checks.md asks for this one.
_TEXT = re.compile(
    r"(?:text/.*|application/(?:json|javascript|xml|.*\+json|.*\+xml))(?:;.*)?", re.IGNORECASE
)
# Headers of one connection, and what the event has a place of its own for.
_DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "cookie"})
_NO_BODY = (204, 304)
Pairs = tuple[tuple[str, str], ...]


class BadResultError(ValueError):
    """The function's result is no response in the payload format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an event says beyond the request itself. `path` is the event's `rawPath`, `at` cloud
    seconds; `authorizer` becomes the context's member of that name."""

    api: str
    account: str
    stage: str
    route: str
    path: str
    context_path: str
    request_id: str
    at: float
    trace: str
    authorizer: dict[str, Any] | None = None
    host: str = ""  # that the API was asked by; the request's own if it is not said
    port: str = ""  # that the visitor asked; the scheme's own if it is not said
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None


def event(request: Request, asked: Asked) -> dict[str, Any]:
    """The event, with its members in the order of AWS's example."""
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": asked.route,
        "rawPath": asked.path,
        "rawQueryString": request.query,
    }
    if found := cookies(request):
        made["cookies"] = found
    made["headers"] = headers(request, asked)
    if parameters := query(request.query):
        made["queryStringParameters"] = parameters
    made["requestContext"] = _context(request, asked)
    if asked.path_parameters:
        made["pathParameters"] = asked.path_parameters
    if asked.stage_variables:
        made["stageVariables"] = asked.stage_variables
    encoded = bool(request.body) and not _TEXT.fullmatch(request.header("content-type"))
    if request.body:
        made["body"] = (
            base64.b64encode(request.body).decode()
            if encoded
            else request.body.decode("utf-8", "replace")
        )
    made["isBase64Encoded"] = encoded
    return made


def headers(request: Request, asked: Asked) -> dict[str, str]:
    """Lower-case names; the values of a repeated one joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        if name not in _DROPPED:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    before = f"{joined['x-forwarded-for']}, " if "x-forwarded-for" in joined else ""
    joined["host"] = asked.host or request.host
    joined["content-length"] = str(len(request.body))
    joined["x-amzn-trace-id"] = asked.trace
    joined["x-forwarded-for"] = before + request.client
    joined["x-forwarded-port"] = asked.port or ("443" if request.scheme == "https" else "80")
    joined["x-forwarded-proto"] = request.scheme
    return joined


def cookies(request: Request) -> list[str]:
    given = "; ".join([value for name, value in request.headers if name == "cookie"])
    return [each.strip() for each in given.split(";") if each.strip()]


def query(raw: str) -> dict[str, str]:
    """Decoded; the values of a repeated name joined with a comma."""
    joined: dict[str, str] = {}
    if not raw:
        return joined
    for name, value in parse_qsl(raw, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _context(request: Request, asked: Asked) -> dict[str, Any]:
    host = asked.host or request.host
    made: dict[str, Any] = {"accountId": asked.account, "apiId": asked.api}
    if asked.authorizer:
        made["authorizer"] = asked.authorizer
    made["domainName"] = host
    made["domainPrefix"] = host.partition(".")[0]
    made["http"] = {
        "method": request.method,
        "path": asked.context_path,
        "protocol": "HTTP/1.1",
        "sourceIp": request.client,
        "userAgent": request.header("user-agent"),
    }
    made["requestId"] = asked.request_id
    made["routeKey"] = asked.route
    made["stage"] = asked.stage
    made["time"] = _time(int(asked.at))
    made["timeEpoch"] = int(asked.at * 1000)
    return made


@lru_cache(maxsize=1)
def _time(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%d/%b/%Y:%H:%M:%S} +0000"


def response(payload: bytes, *, default_type: str) -> Response:
    """What the visitor gets for a result. Raises BadResultError for what is none.

    A result without `statusCode` is the body itself, as JSON. `default_type` is the content type of
    one that has a status and no such header.
    """
    result = _parsed(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        return _made(200, (("content-type", "application/json"),), body.encode())
    status = _status(result["statusCode"])
    given = _headers(result.get("headers"))
    return _made(status, _completed(given, default_type, result.get("cookies")), _body(result))


STREAMED = "application/vnd.awslambda.http-integration-response"
_PRELUDE_END = bytes(8)


def streamed(content_type: str, parts: Iterator[bytes]) -> Response:
    """What a streaming handler writes: a prelude with status and headers, where it gives one, then
    the body, which goes on while it is made.

    Waits for the whole prelude; raises BadResultError for one that is none.
    Source: Lambda developer guide, "Writing response streaming-enabled Lambda functions".
    """
    if content_type != STREAMED:
        return Response(status=200, headers=(("content-type", content_type),), parts=parts)
    prelude, rest = _prelude(parts)
    try:
        told = json.loads(prelude)
    except ValueError as error:
        raise BadResultError("the prelude is no JSON") from error
    given = _headers(told.get("headers"))
    given = _completed(given, "application/octet-stream", told.get("cookies"))
    status = _status(told.get("statusCode", 200))
    if status in _NO_BODY:
        return Response(status=status, headers=given)
    return Response(status=status, headers=given, parts=_continued(rest, parts))


def _prelude(parts: Iterator[bytes]) -> tuple[bytes, bytes]:
    """The text before the eight zero bytes, and what came with them."""
    seen = b""
    for part in parts:
        seen += part
        prelude, end, rest = seen.partition(_PRELUDE_END)
        if end:
            return prelude, rest
    raise BadResultError("the prelude has no end")


def _continued(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from parts


def _parsed(payload: bytes) -> Any:
    """By the library that is several times as fast; what it is too strict for, by Python's own."""
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        pass
    try:
        return json.loads(payload)
    except ValueError as error:
        raise BadResultError("not JSON") from error


def _completed(given: Pairs, default_type: str, to_set: Any) -> Pairs:
    if "content-type" not in dict(given):
        given = (("content-type", default_type), *given)
    return (*given, *(("set-cookie", str(cookie)) for cookie in to_set)) if to_set else given


def _made(status: int, given: Pairs, body: bytes) -> Response:
    if status in _NO_BODY:
        return Response(status=status, headers=given)
    return Response(status=status, headers=(*given, ("content-length", str(len(body)))), body=body)


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        raise BadResultError(f"no status: {value!r}") from None
    if not 100 <= status <= 599:
        raise BadResultError(f"no status: {status}")
    return status


def _headers(given: Any) -> Pairs:
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise BadResultError("headers are no object")
    if any(isinstance(value, dict | list) for value in given.values()):
        raise BadResultError("a header is no text")
    return tuple(
        (name.lower(), _text(value))
        for name, value in given.items()
        if value is not None and name.lower() not in ("content-length", "transfer-encoding")
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if isinstance(body, dict | list):
        raise BadResultError("the body is no text")
    if not result.get("isBase64Encoded"):
        return _text(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (ValueError, TypeError):
        raise BadResultError("the body is no base64") from None


def message(status: int, text: str, *, key: str = "message", error: str = "") -> Response:
    """A refusal of the gateway's own, in JSON."""
    body = json.dumps({key: text}, separators=(",", ":")).encode()
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    named = (("x-amzn-errortype", error),) if error else ()
    return Response(status=status, headers=(*headers, *named), body=body)
