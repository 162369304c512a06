"""Asks a published version why it fails: one call of the version itself, its last words back.

Nobody is served: the version is reached by its number, not through an API.
Source: Lambda API, Invoke, `LogType=Tail`, which returns the last 4 KB of the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.aws.calling import call
from runner.aws.session import Aws
from runner.errors import aws_error
from runner.model import Function
from runner.names import Names

SHOWN = 12  # lines of the log


def ask_entry(
    aws: Aws, names: Names, *, version: str, event: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What this version of entry answers to an event; raises JAM-ENTRY-FAILS with its last words.

    By its number it is not counted beside the alias's versions, by which rollouts are judged.
    """
    payload = json.dumps(event).encode()
    answer = call(aws, names.entry, version=version, payload=payload, only_reads=True)
    said = answer.payload.decode("utf-8", "replace")
    if answer.failed:
        raise aws_error(
            "JAM-ENTRY-FAILS",
            f"The entry of the candidate fails, version {version}: {_error(said)}",
            hint="Nothing was switched. " + "\n".join(_kept(answer.log)),
        )
    found: dict[str, Any] = json.loads(said)
    return found


def last_words(aws: Aws, names: Names, *, function: Function, version: str) -> str:
    """The error that a failing function reports, and the end of its log."""
    payload = json.dumps(_event(function)).encode()
    answer = call(aws, names.function(function.name), version=version, payload=payload)
    said = answer.payload.decode("utf-8", "replace")
    return "\n".join(filter(None, [_error(said), *_kept(answer.log)]))


def _kept(log: str) -> list[str]:
    lines = log.splitlines()
    return [line for line in lines if not line.startswith(("START", "END", "REPORT"))][-SHOWN:]


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
