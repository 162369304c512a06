"""Requests judged by GitHub's description, and answers in its forms: pages, refusals. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from runner.local.github.asked import Answer, Listed
from runner.local.github.description import Operation, description
from runner.local.github.faults import HTML, Fault
from runner.local.github.skeleton import shaped
from runner.local.github.state import RefusedError
from runner.local.wire import Response

_PAGE, _LARGEST_PAGE = 30, 100
_DOCUMENTATION = "https://docs.github.com/rest"


class DefectError(Exception):
    """An answer of ours that GitHub's description does not allow."""


def check_request(operation: Operation, query: Mapping[str, str], body: Any) -> None:
    described = description()
    faults = (
        *described.faults_of_query(operation, query),
        *described.faults_of_body(operation, body),
    )
    if faults:
        raise RefusedError(422, "Validation Failed", errors=faults)


def whole(operation: Operation, answer: Answer) -> Any:
    """The answer in the whole shape that GitHub describes; it must be one."""
    described = description()
    schema = operation.answers.get(answer.status)
    if operation.id == "repos/get-content":
        schema = described.named("content-file")
    elif operation.id == "users/get-authenticated":
        schema = described.named("public-user")
    value = shaped(schema, answer.value) if schema is not None else answer.value
    judged = _with_head(value)
    faults = list(described.faults_of_answer(operation, answer.status, judged))
    if faults:
        raise DefectError(f"GitHub would not answer {operation.id} so: {faults}")
    return value


def _with_head(value: Any) -> Any:
    """As if no fork were ever deleted: `head.repo` is null then, against the description.

    Source: github/rest-api-description#1811, "`head.repo` object may be `null`".
    """
    if isinstance(value, list):
        return [_with_head(each) for each in value]
    if not isinstance(value, dict) or "head" not in value or value["head"].get("repo"):
        return value
    return {**value, "head": {**value["head"], "repo": value["base"]["repo"]}}


def paged(
    listed: Listed, query: Mapping[str, str], url: str
) -> tuple[Answer, tuple[tuple[str, str], ...]]:
    """One page of it, and where the others are.

    Source: docs.github.com, "Using pagination in the REST API".
    """
    size = min(int(query.get("per_page", _PAGE)), _LARGEST_PAGE) or _PAGE
    page = max(int(query.get("page", 1)), 1)
    last = max(-(-len(listed.items) // size), 1)
    items = list(listed.items[(page - 1) * size : page * size])
    value: Any = items
    if listed.within:
        counted = {"total_count": len(listed.items)} if not listed.among else {}
        value = {**counted, **listed.among, listed.within: items}
    links = ", ".join(
        f'<{url}?{urlencode({**query, "page": to})}>; rel="{relation}"'
        for relation, to in _relations(page, last)
    )
    return Answer(status=200, value=value), (("link", links),) if links else ()


def _relations(page: int, last: int) -> Iterator[tuple[str, int]]:
    if page > 1:
        yield "prev", page - 1
    if page < last:
        yield "next", page + 1
        yield "last", last
    if page > 1:
        yield "first", 1


def refusal(error: RefusedError, more: tuple[tuple[str, str], ...]) -> Response:
    told: dict[str, Any] = {
        "message": error.message,
        "documentation_url": _DOCUMENTATION,
        "status": str(error.status),
    }
    if error.errors:
        told["errors"] = [
            {"resource": "", "field": "", "code": "custom", "message": each}
            for each in error.errors
        ]
    head = (("content-type", "application/json; charset=utf-8"), *error.headers, *more)
    return Response(status=error.status, headers=head, body=json.dumps(told).encode())


def broken(fault: Fault) -> Response:
    """5xx come as pages for people, from in front of GitHub's API."""
    if fault.status >= 500:
        head = (("content-type", "text/html"), *fault.headers)
        return Response(status=fault.status, headers=head, body=HTML.encode())
    return refusal(RefusedError(fault.status, fault.message, headers=fault.headers), ())


def json_of(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return "unreadable"
