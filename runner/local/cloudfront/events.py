"""Between HTTP and the event that a CloudFront Function takes and returns. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Pairs
from runner.local.edge_rules import EdgeFunctionError, is_disallowed
from runner.local.wire import Request, Response

RULES = rule(
    guide("functions-event-structure"),
    "a function gets uri, query string, cookies and headers as the visitor sent them; repeated "
    "ones have a multiValue",
    "in viewer-response, event.request is the visitor's request, not what the function made of it",
)

Event = dict[str, Any]
Fields = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an event says besides request and response."""

    distribution: str
    domain: str
    request_id: str
    client: str


def request_event(request: Request, context: Context) -> Event:
    return {**_around("viewer-request", context), "request": _request(request)}


def response_event(request: Request, response: Response, context: Context) -> Event:
    """`request` is the visitor's own."""
    return {
        **_around("viewer-response", context),
        "request": _request(request),
        "response": _response(response),
    }


def request_from(event: Event, value: Event, request: Request) -> Request:
    """The request that goes on: `value` is what the function returned for `event`."""
    before = event["request"]
    query = request.query
    if value.get("querystring", {}) != before["querystring"]:
        query = "&".join(f"{name}={text}" for name, text in _flat(value.get("querystring", {})))
    hidden = tuple((k, v) for k, v in request.headers if is_disallowed(k))
    cookies = "; ".join(f"{name}={text}" for name, text in _flat(value.get("cookies", {})))
    kept = tuple(_flat(value.get("headers", {})))
    cookie = (("cookie", cookies),) if cookies else ()
    headers = (*kept, *cookie, *hidden)
    return replace(request, path=value["uri"], query=query, headers=headers)


def response_from(value: Event, before: Response | None = None) -> Response:
    """The response that a function returned; what it does not name of `before`'s body stays."""
    cookies = tuple(("set-cookie", text) for text in _set_cookies(value.get("cookies", {})))
    hidden = tuple((k, v) for k, v in before.headers if is_disallowed(k)) if before else ()
    headers = (*_flat(value.get("headers", {})), *cookies, *hidden)
    body = before.body if before else b""
    if value.get("body") is not None:
        body = _body(value["body"])
        headers = tuple(
            (k, v) for k, v in headers if k not in ("content-length", "content-encoding")
        )
    return Response(status=value["statusCode"], headers=headers, body=body)


def _around(kind: str, context: Context) -> Event:
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": context.domain,
            "distributionId": context.distribution,
            "eventType": kind,
            "requestId": context.request_id,
        },
        "viewer": {"ip": context.client},
    }


def _request(request: Request) -> Event:
    return {
        "method": request.method,
        "uri": request.path,
        "querystring": _fields(_pairs(request.query, "&")),
        "headers": _fields(
            (k, v) for k, v in request.headers if k != "cookie" and not is_disallowed(k)
        ),
        "cookies": _fields(
            pair for k, v in request.headers if k == "cookie" for pair in _pairs(v, ";")
        ),
    }


def _response(response: Response) -> Event:
    shown = ((k, v) for k, v in response.headers if k != "set-cookie" and not is_disallowed(k))
    return {
        "statusCode": response.status,
        "statusDescription": _phrase(response.status),
        "headers": _fields(shown),
        "cookies": _cookie_fields(v for k, v in response.headers if k == "set-cookie"),
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(text: str, separator: str) -> Iterable[tuple[str, str]]:
    for part in text.split(separator):
        if part.strip():
            name, _, value = part.strip().partition("=")
            yield name, value


def _fields(pairs: Iterable[tuple[str, str]]) -> Fields:
    """`{name: {value}}`, with `multiValue` for a name that comes twice."""
    made: Fields = {}
    for name, value in pairs:
        if name not in made:
            made[name] = {"value": value}
            continue
        several = made[name].setdefault("multiValue", [{"value": made[name]["value"]}])
        several.append({"value": value})
    return made


def _flat(fields: Fields) -> Pairs:
    return tuple(
        (name, each["value"])
        for name, field in fields.items()
        for each in field.get("multiValue") or [field]
    )


def _cookie_fields(lines: Iterable[str]) -> Fields:
    made: Fields = {}
    for line in lines:
        pair, _, attributes = line.partition(";")
        name, _, value = pair.partition("=")
        field: dict[str, Any] = {"value": value.strip()}
        if attributes.strip():
            field["attributes"] = attributes.strip()
        if name.strip() in made:
            first = made[name.strip()]
            alone = {key: text for key, text in first.items() if key != "multiValue"}
            first.setdefault("multiValue", [alone]).append(field)
        else:
            made[name.strip()] = field
    return made


def _set_cookies(fields: Fields) -> Iterable[str]:
    for name, field in fields.items():
        for each in field.get("multiValue") or [field]:
            attributes = each.get("attributes")
            yield f"{name}={each['value']}" + (f"; {attributes}" if attributes else "")


def _body(body: str | dict[str, str]) -> bytes:
    if isinstance(body, str):
        return body.encode()
    data = body.get("data", "")
    if body.get("encoding") != "base64":
        return data.encode()
    try:
        return base64.b64decode(data)
    except ValueError as error:
        raise EdgeFunctionError.validation("the body is no base64") from error
