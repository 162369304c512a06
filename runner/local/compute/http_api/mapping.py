"""Parameter mapping: an integration changes what the function hears, and what it answered. Pure.

Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs in API
Gateway".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from runner.local.wire import Request, Response

OF_ANSWER = re.compile(r"(?P<how>append|overwrite|remove):header\.(?P<name>[A-Za-z0-9_-]+)")
TARGET = re.compile(
    r"(?P<how>append|overwrite|remove):(?P<what>header|querystring)\.(?P<name>[A-Za-z0-9_-]+)"
    r"|overwrite:path"
)
_EXPRESSION = re.compile(r"\$\{([^}]+)\}|\$((?:request|context|stageVariables)\.[\w.-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What expressions can name. `path` is without the stage."""

    path: str
    request: Request
    path_parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    context: Mapping[str, str]


def mapped(mappings: Mapping[str, str], source: Source, path: str) -> tuple[Request, str]:
    """The request with its headers and query changed, and the path for `rawPath`."""
    request = source.request
    for target, expression in mappings.items():
        value = evaluate(expression, source)
        if target == "overwrite:path":
            path = value
            continue
        found = TARGET.fullmatch(target)
        if found:
            change = _header if found["what"] == "header" else _query
            request = change(request, found["how"], found["name"], value)
    return request, path


def answered(mappings: Mapping[str, Mapping[str, str]], response: Response) -> Response:
    """The integration's answer as a client gets it; `mappings` are by status, in digits."""
    pairs = list(response.headers)
    for target, value in mappings.get(str(response.status), {}).items():
        found = OF_ANSWER.fullmatch(target)
        if found:
            pairs = _changed(pairs, found["how"], (found["name"].lower(), value))
    return dataclasses.replace(response, headers=tuple(pairs))


def evaluate(expression: str, source: Source) -> str:
    """A constant, `$request.path`, or a text with `${...}` in it."""
    return _EXPRESSION.sub(lambda m: _value(m[1] or m[2], source), expression)


def _value(name: str, source: Source) -> str:
    head, _, rest = name.partition(".")
    if head == "stageVariables":
        return source.stage_variables.get(rest, "")
    if head == "context":
        return source.context.get(rest, "")
    kind, _, key = rest.partition(".")
    if kind == "path":
        return source.path_parameters.get(key, "") if key else source.path
    if kind == "header":
        return source.request.header(key.lower())
    if kind == "querystring":
        given = parse_qsl(source.request.query, keep_blank_values=True)
        return ",".join(value for each, value in given if each == key)
    return source.request.body.decode("utf-8", "replace") if kind == "body" and not key else ""


Pairs = list[tuple[str, str]]


def _header(request: Request, how: str, name: str, value: str) -> Request:
    pairs = _changed(list(request.headers), how, (name.lower(), value))
    return dataclasses.replace(request, headers=tuple(pairs))


def _query(request: Request, how: str, name: str, value: str) -> Request:
    given = parse_qsl(request.query, keep_blank_values=True)
    return dataclasses.replace(request, query=urlencode(_changed(given, how, (name, value))))


def _changed(pairs: Pairs, how: str, pair: tuple[str, str]) -> Pairs:
    kept = pairs if how == "append" else [each for each in pairs if each[0] != pair[0]]
    return kept if how == "remove" else [*kept, pair]
