"""Schedules as AWS takes them, and Unix's turned into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config.cron import ScheduleError, expression

# Examples of AWS's own. Source: EventBridge Scheduler user guide, "Schedule types".
TAKEN = [
    "rate(1 hour)",
    "rate(5 minutes)",
    "rate(365 days)",
    "cron(0 8 1 * ? *)",
    "cron(15 10 ? * 6L 2022-2023)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0 9 ? * 2#1 *)",
    "cron(0 0 L * ? *)",
    "cron(0 0 3W * ? *)",
    "cron(0,30 8-17 1,15 JAN-MAR ? 2026,2028)",
    "cron(*/5 * * * ? *)",
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_aws_documents_is_taken_as_it_is(text: str) -> None:
    assert expression(text) == text


@pytest.mark.parametrize(
    ("unix", "aws"),
    [
        ("@hourly", "cron(0 * * * ? *)"),
        ("@daily", "cron(0 0 * * ? *)"),
        ("@weekly", "cron(0 0 ? * 1 *)"),
        ("@monthly", "cron(0 0 1 * ? *)"),
        ("@yearly", "cron(0 0 1 1 ? *)"),
        ("* * * * *", "cron(* * * * ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("5/20 * * * *", "cron(5,25,45 * * * ? *)"),
        ("10-20/5 3 * * *", "cron(10,15,20 3 * * ? *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * 2-6 *)"),
        ("0 9 * * mon-fri", "cron(0 9 ? * 2-6 *)"),
        ("0 0 * * 0", "cron(0 0 ? * 1 *)"),
        ("0 0 * * 7", "cron(0 0 ? * 1 *)"),
        ("0 0 * * 0,7", "cron(0 0 ? * 1 *)"),
        ("0 0 * * 5-7", "cron(0 0 ? * 1,6,7 *)"),
        ("0 0 * * */2", "cron(0 0 ? * 1,3,5,7 *)"),
        ("0 0 */10 * *", "cron(0 0 1,11,21,31 * ? *)"),
        ("30 6 1,15 jan,jul *", "cron(30 6 1,15 1,7 ? *)"),
        ("0 0 ? * 3", "cron(0 0 ? * 4 *)"),
    ],
)
def test_five_fields_of_unix_become_six_of_aws(unix: str, aws: str) -> None:
    assert expression(unix) == aws


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cron(0 8 * * ?)", "cron(...) has six fields, the last is the year; here are 5"),
        ("cron(0 8 * * * *)", "exactly one must be `?`"),
        ("cron(0 8 ? * ? *)", "exactly one must be `?`"),
        ("cron(60 8 * * ? *)", "the minute is 0 to 59, not 60"),
        ("cron(0 24 * * ? *)", "the hour is 0 to 23, not 24"),
        ("cron(0 8 0 * ? *)", "the day of the month is 1 to 31, not 0"),
        ("cron(0 8 * 13 ? *)", "the month is 1 to 12, not 13"),
        ("cron(0 8 ? * 0 *)", "the day of the week is 1 to 7, not 0"),
        ("cron(0 8 * * ? 1969)", "the year is 1970 to 2199, not 1969"),
        ("cron(0 8 ? * 2/2 *)", "the day of the week takes no `/`"),
        ("cron(0 8 ? * 3#6 *)", "'3#6' is no day of the week"),
        ("cron(0 8 ? * 3#1,6#3 *)", "is no day of the week"),
        ("cron(0 8 32W * ? *)", "'32W' is no day of the month"),
        ("cron(L 8 * * ? *)", "'L' is no minute"),
        ("cron(? 8 * * ? *)", "'?' is no minute"),
        ("cron(0 8 * * ? *,2026)", "'*' is no year"),
        ("cron(0 8 * NOV-FEB ? *)", "the month NOV-FEB ends before it begins"),
        ("cron(0-30/5 8 * * ? *)", "a range with a step is not documented by AWS"),
        ("cron(0/0 8 * * ? *)", "'0' is no step of the minute"),
        ("cron(0 8 * FOO ? *)", "'FOO' is no month"),
        ("cron(0 8, * * ? *)", "'' is no hour"),
        ("rate(0 minutes)", "a rate is a whole number and a unit"),
        ("rate(5 seconds)", "a rate is a whole number and a unit"),
        ("rate(1 hours)", "it is called rate(1 hour)"),
        ("rate(2 day)", "it is called rate(2 days)"),
        ("@reboot", "@reboot is not known; there are @hourly, @daily, @weekly, @monthly, @yearly"),
        ("0 8 1 * 1", "day of the month and day of the week together"),
        ("0 8 * *", "nor the five fields of Unix's cron"),
        ("0 8 * * 8", "the day of the week is 0 to 7, not 8"),
        ("0 22-2 * * *", "the hour 22-2 ends before it begins"),
        ("0 8 L * *", "'L' is no day of the month"),
        ("at(2026-01-01T00:00:00)", "neither rate(...), nor cron(...)"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_the_field(text: str, told: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        expression(text)
    assert told in str(caught.value)


_minutes, _hours = st.integers(0, 59), st.integers(0, 23)


@given(_minutes, _hours, st.sets(st.integers(0, 7), min_size=1), st.integers(1, 59))
def test_whatever_is_converted_is_an_expression_that_is_taken(
    minute: int, hour: int, days: set[int], step: int
) -> None:
    for text in (
        f"{minute} {hour} * * {','.join(map(str, days))}",
        f"{minute}/{step} {hour} 1 * *",
        f"*/{step} * * * *",
    ):
        made = expression(text)
        assert expression(made) == made
