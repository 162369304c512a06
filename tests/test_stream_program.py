"""The program at the edge before functions that stream."""

from __future__ import annotations

from typing import Any

import pytest

from runner.edge import stream_code
from runner.local.javascript import EdgeFunction


@pytest.fixture(scope="module")
def program() -> EdgeFunction:
    return EdgeFunction(stream_code())


def request(headers: dict[str, str], query: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "192.0.2.1"},
        "request": {
            "method": "GET",
            "uri": "/.functions/events",
            "querystring": {name: {"value": value} for name, value in (query or {}).items()},
            "headers": {name: {"value": value} for name, value in headers.items()},
            "cookies": {},
        },
    }


@pytest.mark.parametrize(
    ("headers", "handed_on"),
    [
        ({"host": "a.example"}, {"host": "a.example", "x-forwarded-host": "a.example"}),
        (
            {"host": "a.example", "x-forwarded-host": "evil.example", "x-jam-host": "evil.example",
             "x-jam-release": "0" * 32, "accept": "text/event-stream"},
            {"host": "a.example", "x-forwarded-host": "a.example", "accept": "text/event-stream"},
        ),
        ({}, {}),
    ],
)  # fmt: skip
def test_a_call_has_the_hosts_name_and_none_of_our_headers(
    program: EdgeFunction, headers: dict[str, str], handed_on: dict[str, str]
) -> None:
    value = program.invoke(request(headers)).value
    assert {name: told["value"] for name, told in value["headers"].items()} == handed_on
    assert value["uri"] == "/.functions/events"


def test_a_slash_in_a_querys_name_is_encoded_and_the_rest_is_kept(program: EdgeFunction) -> None:
    value = program.invoke(request({"host": "a.example"}, {"a/b": "c/d", "e": ""})).value
    assert {name: told["value"] for name, told in value["querystring"].items()} == {
        "a%2Fb": "c/d", "e": ""
    }  # fmt: skip
