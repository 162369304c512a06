"""Events of CloudFront Functions, as CloudFront makes them."""

from __future__ import annotations

import json
from typing import Any

Event = dict[str, Any]
LIVE, OLD = "a" * 32, "b" * 32
NAVIGATION = {"sec-fetch-mode": "navigate"}


def request_event(
    uri: str,
    headers: dict[str, str] | None = None,
    *,
    query: dict[str, Any] | None = None,
    pin: str = "",
    method: str = "GET",
) -> Event:
    fields = {"host": "www.example.com", **(headers or {})}
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": "request-1"},
        "viewer": {"ip": "198.51.100.1"},
        "request": {
            "method": method,
            "uri": uri,
            "querystring": query or {},
            "headers": {name: {"value": value} for name, value in fields.items()},
            "cookies": {"jam-pin": {"value": pin}} if pin else {},
        },
    }


def response_event(request: Event, headers: dict[str, str], status: int = 200) -> Event:
    return {
        **request,
        "context": {"eventType": "viewer-response", "requestId": "request-1"},
        "response": {
            "statusCode": status,
            "headers": {name: {"value": value} for name, value in headers.items()},
            "cookies": {},
        },
    }


def live(**routing: Any) -> dict[str, str]:
    """A store whose live release has this ROUTING."""
    return {"live": json.dumps({"v": 1, "live": LIVE, "r": routing})}
