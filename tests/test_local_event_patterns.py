"""Event patterns and schedule expressions, by the tables of AWS's guides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.local.events import cron, expressions, inputs, patterns

EVENT = {
    "source": "aws.codedeploy",
    "detail": {
        "state": "FAILURE", "tags": ["one", "two"], "size": 12, "path": "/a/b.png", "none": None,
        "yes": True, "address": "10.0.0.7",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "matched"),
    [
        ({"state": ["FAILURE", "STOP"]}, True),
        ({"state": ["failure"]}, False),
        ({"state": ["FAILURE"], "size": [13]}, False),
        ({"tags": ["two"]}, True),
        ({"none": [None]}, True),
        ({"yes": [True]}, True),
        ({"yes": [1]}, False),
        ({"state": [{"prefix": "FAIL"}]}, True),
        ({"state": [{"prefix": {"equals-ignore-case": "fail"}}]}, True),
        ({"path": [{"suffix": ".png"}]}, True),
        ({"path": [{"wildcard": "/a/*.png"}]}, True),
        ({"path": [{"wildcard": "*.jpg"}]}, False),
        ({"state": [{"equals-ignore-case": "failure"}]}, True),
        ({"state": [{"anything-but": "SUCCESS"}]}, True),
        ({"state": [{"anything-but": ["SUCCESS", "FAILURE"]}]}, False),
        ({"state": [{"anything-but": {"prefix": "FAIL"}}]}, False),
        ({"gone": [{"anything-but": "x"}]}, False),
        ({"size": [{"numeric": [">", 10, "<=", 12]}]}, True),
        ({"size": [{"numeric": ["=", 11]}]}, False),
        ({"state": [{"numeric": [">", 1]}]}, False),
        ({"size": [{"exists": True}]}, True),
        ({"gone": [{"exists": False}]}, True),
        ({"gone": [{"exists": True}]}, False),
        ({"address": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"$or": [{"size": [1]}, {"state": ["FAILURE"]}]}, True),
        ({"$or": [{"size": [1]}, {"state": ["SUCCESS"]}]}, False),
        ({"deeper": {"x": [{"exists": False}]}}, True),
    ],
)
def test_a_pattern_matches_as_the_guides_operators_say(wanted: Any, matched: bool) -> None:
    pattern = patterns.parse(json.dumps({"source": ["aws.codedeploy"], "detail": wanted}))
    assert patterns.matches(pattern, EVENT) is matched


@pytest.mark.parametrize(
    "wanted",
    [
        {}, {"a": []}, {"a": {}}, {"a": "text"}, {"a": [{"like": "x"}]}, {"a": [["x"]]},
        {"a": [{"numeric": [">"]}]}, {"a": [{"numeric": ["~", 1]}]}, {"a": [{"exists": "yes"}]},
        {"a": [{"prefix": ""}]}, {"a": [{"wildcard": "a**b"}]}, {"a": [{"cidr": "x"}]},
        {"a": [{"anything-but": {"numeric": ["=", 1]}}]}, {"$or": [{"a": ["x"]}]},
        {"a": [{"prefix": "x", "suffix": "y"}]}, {"a": ["x" * 2050]},
    ],
)  # fmt: skip
def test_what_is_no_pattern(wanted: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        patterns.parse(json.dumps(wanted))


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ({}, json.dumps(EVENT)),
        ({"Input": '{"a": 1}'}, '{"a": 1}'),
        ({"InputPath": "$.detail.tags[1]"}, '"two"'),
        ({"InputPath": "$.detail.gone"}, "{}"),
        ({"InputTransformer": {"InputPathsMap": {"s": "$.detail.state", "n": "$.detail.size"},
                               "InputTemplate": '{"state": <s>, "text": "is <s>", "n": <n>}'}},
         '{"state": "FAILURE", "text": "is FAILURE", "n": 12}'),
    ],
)  # fmt: skip
def test_a_target_gets_what_its_input_says(target: dict[str, Any], body: str) -> None:
    assert inputs.body(target, EVENT) == body


def local(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("text", "zone", "after", "due"),
    [
        ("cron(15 10 ? * 6L 2026-2027)", "UTC", "2026-11-01T00:00", "2026-11-27T10:15"),
        ("cron(0 9 ? * 3#2 *)", "UTC", "2026-11-11T00:00", "2026-12-08T09:00"),
        ("cron(0 0 L * ? *)", "UTC", "2027-02-01T00:00", "2027-02-28T00:00"),
        ("cron(0 8 1W * ? *)", "UTC", "2026-07-31T12:00", "2026-08-03T08:00"),
        ("cron(0 8 31W * ? *)", "UTC", "2027-01-01T00:00", "2027-01-29T08:00"),
        ("cron(0/15 8-17 ? * MON-FRI *)", "UTC", "2026-11-20T17:45", "2026-11-23T08:00"),
        ("cron(0-15/5 8-8 ? * 2,4 *)", "UTC", "2026-11-23T08:05", "2026-11-23T08:10"),
        ("cron(0 0 1 JAN,JUL ? *)", "UTC", "2026-11-23T08:05", "2027-01-01T00:00"),
        ("cron(0 8 29 2 ? *)", "UTC", "2026-11-23T08:05", "2028-02-29T08:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T02:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T02:30", "2026-10-26T02:30"),
        ("cron(0 0 1 1 ? 1999)", "UTC", "2026-11-23T08:05", None),
        ("at(2026-12-01T08:00:00)", "Asia/Tokyo", "2026-11-23T08:05", "2026-12-01T08:00"),
        ("at(2026-11-01T08:00:00)", "UTC", "2026-11-23T08:05", None),
    ],
)
def test_when_an_expression_falls_due(text: str, zone: str, after: str, due: str | None) -> None:
    expression = expressions.parse(text, zone)
    assert expression.due(local(after, zone), 0) == (local(due, zone) if due else None)


@pytest.mark.parametrize(
    "text",
    [
        "", "rate(5)", "rate(-1 day)", "rate(1.5 hours)", "rate(1 week)", "rate(01 day)",
        "cron(* * * * * *)", "cron(0 0 ? * ? *)", "cron(60 0 * * ? *)", "cron(*/60 * * * ? *)",
        "cron(0 24 * * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 3#6 *)", "cron(0 0 ? * 3#1,6#3 *)", "cron(0 0 * 13 ? *)", "cron(0 0 * * ?)",
        "cron(0 0 * * ? 1969)", "cron(0 0 5-1 * ? *)", "cron(0/0 0 * * ? *)", "cron(L 0 * * ? *)",
        "cron(0, 9, ?, *, MON, *)", "at(2026-12-01)", "at(2026-13-01T00:00:00)",
    ],
)  # fmt: skip
def test_what_is_no_schedule_expression(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expressions.parse(text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [("rate(1 minute)", True), ("rate(1 minutes)", False), ("rate(2 hour)", False),
     ("rate(2 hours)", True)],
)  # fmt: skip
def test_a_rules_rate_agrees_with_its_number(text: str, taken: bool) -> None:
    expressions.parse(text)
    if taken:
        expressions.parse(text, plural=True)
    else:
        with pytest.raises(ValueError, match=r"."):
            expressions.parse(text, plural=True)


_FIELD = st.one_of(
    st.just("*"),
    st.integers(1, 12).map(str),
    st.tuples(st.integers(1, 6), st.integers(6, 12)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
    st.tuples(st.integers(1, 12), st.integers(1, 12)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.lists(st.integers(1, 12), min_size=1, max_size=3).map(lambda all_: ",".join(map(str, all_))),
)


def _meant(field: str, value: int) -> bool:
    """An own, slower reading of a field: does it mean this value?"""
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        low = 0 if first == "*" else int(first)
        high = int(last) if last else 99 if step or first == "*" else low
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


@given(_FIELD, _FIELD, _FIELD, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_the_next_time_matches_every_field_and_none_before_it_does(
    minute: str, hour: str, day: str, after: datetime
) -> None:
    parsed = cron.parse(f"{minute} {hour} {day} * ? *")
    found = next(parsed.after(after))
    fields = ((minute, found.minute), (hour, found.hour), (day, found.day))
    assert found > after
    assert all(_meant(field, value) for field, value in fields)
    step = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(300):  # none of the next five hours before it is left out
        if step >= found:
            break
        assert not (
            _meant(minute, step.minute) and _meant(hour, step.hour) and _meant(day, step.day)
        )
        step += timedelta(minutes=1)


@given(st.integers(1, 500), st.sampled_from(["minutes", "hours", "days"]), st.floats(0, 1e7))
def test_a_rate_falls_due_at_whole_periods_from_its_begin(n: int, unit: str, later: float) -> None:
    begin = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    period = n * {"minutes": 60, "hours": 3600, "days": 86_400}[unit]
    due = expressions.parse(f"rate({n} {unit})").due(begin + later, begin)
    assert due is not None
    assert 0 < due - (begin + later) <= period + 1e-3
    assert (due - begin) % period == pytest.approx(0, abs=1e-3)
