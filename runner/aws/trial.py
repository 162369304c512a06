"""Asks a published version why it fails: one call of the version itself, its last words back.

Nobody is served: the version is reached by its number, not through an API.
Source: Lambda API, Invoke, `LogType=Tail`, which returns the last 4 KB of the log.
"""

from __future__ import annotations

import json
from typing import Any

from runner.aws.calling import call
from runner.aws.session import Aws
from runner.model import Function
from runner.names import Names

SHOWN = 12  # lines of the log


def last_words(aws: Aws, names: Names, *, function: Function, version: str) -> str:
    """The error that a failing function reports, and the end of its log."""
    payload = json.dumps(_event(function)).encode()
    answer = call(aws, names.function(function.name), version=version, payload=payload)
    said = answer.payload.decode("utf-8", "replace")
    log = answer.log
    kept = [line for line in log.splitlines() if not line.startswith(("START", "END", "REPORT"))]
    return "\n".join(filter(None, [_error(said), *kept[-SHOWN:]]))


def _error(said: str) -> str:
    try:
        found = json.loads(said)
    except ValueError:
        return said[:500]
    if not isinstance(found, dict) or "errorMessage" not in found:
        return ""
    return f"{found.get('errorType', 'Error')}: {found['errorMessage']}"


def _event(function: Function) -> dict[str, Any]:
    """The least that a handler of HTTP API events reads.

    Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
    """
    http = {
        "method": "GET",
        "path": function.route,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
    }
    return {
        "version": "2.0",
        "routeKey": f"ANY {function.route}",
        "rawPath": function.route,
        "rawQueryString": "",
        "headers": {},
        "pathParameters": {},
        "requestContext": {"http": {**http, "userAgent": "jam-deploy"}, "stage": ""},
        "isBase64Encoded": False,
    }
