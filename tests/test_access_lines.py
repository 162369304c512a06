"""Requests of the access log as maintainers read them, whatever visitors put into them."""

from __future__ import annotations

import json

import pytest

from runner.aws.log_events import LogEvent
from runner.operate.access import Releases
from runner.operate.logs import Line
from runner.report.access_lines import request_document, shown_request

STAGE = "0123456789abcdef"
NEW, OLD = "a" * 32, "b" * 32
TOLD = {
    "at": "1800000000000",
    "stage": STAGE,
    "method": "GET",
    "path": f"/{STAGE}/.functions/notes",
    "route": "GET /.functions/notes",
    "status": "200",
    "ms": "12",
    "functionError": "-",
    "authorizer": "-",
    "error": "-",
    "agent": "curl",
}


def line(message: str) -> Line:
    event = LogEvent(id="1", at=1_800_000_000_000, version="", message=message)
    return Line(function="access", event=event)


def releases(stage: str) -> tuple[str, ...]:
    return (NEW, OLD) if stage == STAGE else ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "08:00:00.000 200 GET /.functions/notes 12 ms, release aaaaaaaa or 1 before it"),
        ({"stage": "gone", "path": "/gone/x"},
         "08:00:00.000 200 GET /x 12 ms, release unknown"),
        ({"status": "401", "authorizer": "no token"},
         "08:00:00.000 401 GET /.functions/notes 12 ms, release aaaaaaaa or 1 before it, no token"),
        ({"path": f"/{STAGE}/\x1b[31mred"},
         "08:00:00.000 200 GET /\\u001b[31mred 12 ms, release aaaaaaaa or 1 before it"),
    ],
)  # fmt: skip
def test_a_request_is_one_line_with_its_release(changes: dict[str, str], text: str) -> None:
    message = json.dumps(TOLD | changes)
    assert shown_request(line(message), releases, colour=False) == text


def test_a_line_that_a_visitor_broke_is_shown_as_it_is() -> None:
    broken = '{"status":"200","agent":"a "quoted"\x1b[2J agent"}'
    shown = shown_request(line(broken), releases, colour=False)
    assert shown.startswith('08:00:00.000 {"status":"200"')
    assert "\x1b" not in shown
    assert request_document(line(broken), releases)["message"] == broken


def test_in_json_numbers_are_numbers_and_the_stage_is_off_the_path() -> None:
    found = request_document(line(json.dumps(TOLD)), releases)
    assert (found["status"], found["ms"], found["path"]) == (200, 12, "/.functions/notes")
    assert found["releases"] == [NEW, OLD]
    assert found["at"] == "2027-01-15T08:00:00.000+00:00"


def test_an_api_stage_that_came_since_is_asked_for_once() -> None:
    asked: list[str] = []

    def renew() -> dict[str, tuple[str, ...]]:
        asked.append("record")
        return {"new": (NEW,)}

    found = Releases({"old": (OLD,)}, renew)
    assert [found("old"), found("new"), found("new"), found("gone"), found("gone")] == [
        (OLD,), (NEW,), (NEW,), (), (),
    ]  # fmt: skip
    assert len(asked) == 2
