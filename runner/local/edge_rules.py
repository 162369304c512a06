"""What a CloudFront Function may return, and the errors that a visitor gets otherwise. Pure.

Source: CloudFront developer guide, "Restrictions on all edge functions" and "CloudFront Functions
event structure".
"""

from __future__ import annotations

import re
from typing import Any, Self

MAXIMUM_URI = 8192  # characters, query included; it must be less
_PREFIXES = ("x-amz-cf-", "x-edge-")
DISALLOWED = frozenset(
    {"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization"}
    | {"proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset"}
    | {"x-accel-limit-rate", "x-accel-redirect", "x-amzn-auth", "x-amzn-cf-billing"}
    | {"x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype", "x-amzn-fle-profile"}
    | {"x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag"}
    | {"x-amzn-requestid", "x-cache", "x-forwarded-proto", "x-real-ip"}
)
READ_ONLY = {
    "viewer-request": frozenset({"cdn-loop", "content-length", "host", "transfer-encoding", "via"}),
    "viewer-response": frozenset({"warning", "via"}),
}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNFIT = re.compile(r"[\x00-\x20\x7f#]")


class EdgeFunctionError(Exception):
    """A function failed; CloudFront answers `status` and counts it as `code`.

    Source: CloudFront developer guide, "HTTP 502 status code" and "HTTP 503 status code".
    """

    def __init__(self, code: str, message: str, *, status: int, logs: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.logs = code, message, status, logs

    @classmethod
    def execution(cls, message: str, logs: tuple[str, ...] = ()) -> Self:
        """The code threw, did not parse or took too long."""
        return cls("FunctionExecutionError", message, status=503, logs=logs)

    @classmethod
    def validation(cls, message: str, logs: tuple[str, ...] = ()) -> Self:
        """The code ran, but returned what CloudFront does not take."""
        return cls("FunctionValidationError", message, status=502, logs=logs)


def is_disallowed(name: str) -> bool:
    """Whether functions neither see nor may add the header (lower case)."""
    return name in DISALLOWED or name.startswith(_PREFIXES)


def check_result(event: dict[str, Any], value: Any, logs: tuple[str, ...] = ()) -> None:
    """Raises a FunctionValidationError for a value that CloudFront refuses."""
    kind = event.get("context", {}).get("eventType", "viewer-request")
    if problem := _problem(kind, event, value):
        raise EdgeFunctionError.validation(problem, logs)


def _problem(kind: str, event: dict[str, Any], value: Any) -> str:
    if not isinstance(value, dict):
        return "the function returned no request or response object"
    if kind == "viewer-request" and "statusCode" not in value:
        return _request_problem(event["request"], value)
    before = event.get("response", {}) if kind == "viewer-response" else {}
    return _response_problem(kind, before, value)


def _request_problem(before: dict[str, Any], value: dict[str, Any]) -> str:
    uri = value.get("uri")
    if value.get("method") != before.get("method"):
        return "the method is read-only"
    if not isinstance(uri, str) or not uri.startswith("/"):
        return "the uri must begin with a slash"
    if _UNFIT.search(uri):
        return "the uri has spaces, control characters or a fragment"
    query = value.get("querystring") or {}
    if problem := _fields_problem(query, "querystring") or _query_problem(query):
        return problem
    if (
        len(uri) + sum(len(key) + len(field["value"]) + 2 for key, field in query.items())
        >= MAXIMUM_URI
    ):
        return "the uri and its query are too long"
    return _headers_problem("viewer-request", before.get("headers") or {}, value)


def _query_problem(query: dict[str, Any]) -> str:
    for name, field in query.items():
        if "/" in name or _UNFIT.search(name) or _UNFIT.search(field["value"]):
            return f"the query parameter {name!r} is not percent-encoded"
    return ""


def _response_problem(kind: str, before: dict[str, Any], value: dict[str, Any]) -> str:
    status = value.get("statusCode")
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        return f"{status!r} is no status code"
    body = value.get("body")
    if body is not None and not isinstance(body, str | dict):
        return "the body must be text or {encoding, data}"
    if isinstance(body, dict) and body.get("encoding") not in ("text", "base64"):
        return "the body's encoding must be text or base64"
    return _headers_problem(kind, before.get("headers") or {}, value)


def _headers_problem(kind: str, before: dict[str, Any], value: dict[str, Any]) -> str:
    headers, cookies = value.get("headers") or {}, value.get("cookies") or {}
    if problem := _fields_problem(headers, "headers") or _fields_problem(cookies, "cookies"):
        return problem
    for name in headers:
        if not _NAME.fullmatch(name):
            return f"{name!r} is no header name in lower case"
        if is_disallowed(name):
            return f"the header {name} is disallowed"
    for name in READ_ONLY.get(kind, frozenset()):
        if headers.get(name) != before.get(name):
            return f"the header {name} is read-only"
    return ""


def _fields_problem(fields: Any, where: str) -> str:
    if not isinstance(fields, dict):
        return f"{where} must be an object"
    for name, field in fields.items():
        if not isinstance(field, dict) or not isinstance(field.get("value"), str):
            return f"{where}.{name} must be {{value: text}}"
        if _UNPRINTABLE.search(field["value"]):
            return f"{where}.{name} has control characters"
    return ""
