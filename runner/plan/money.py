"""What functions cost a month, as far as a release tells: who calls them how often it cannot. Pure.

List prices of us-east-1, free tiers left out. Source: AWS's pricing pages of Lambda and
EventBridge Scheduler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
_REQUEST = 0.20 / 1e6
_FIRED = 1.00 / 1e6  # of EventBridge Scheduler
_USUAL = 0.1  # seconds: what a request is taken to last, where prices are compared
_DAYS = 31
_RATE = re.compile(r"rate\(([0-9]+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_A_DAY = {"minute": 1440, "hour": 24, "day": 1}


class Basis(StrEnum):
    """What a price is for."""

    SCHEDULE = "schedule"  # a month, if each run lasted as long as it may
    MILLION = (
        "million"  # a million requests of 100 ms; API Gateway's and CloudFront's part is not in it
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars before and after; None where there was, or is, nothing to pay for."""

    name: str
    basis: Basis
    before: float | None
    after: float | None


def prices(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    *,
    preview: bool = False,
) -> tuple[Price, ...]:
    """Those that differ; functions as `runner.package.summary` tells them.

    A preview has no schedules: with `preview` theirs are not compared.
    """
    found = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        schedule = [_scheduled(told) if told and not preview else None for told in (was, now)]
        found.append(Price(name=name, basis=Basis.SCHEDULE, before=schedule[0], after=schedule[1]))
        if was and now and was["methods"] and now["methods"]:
            million = [1e6 * (_REQUEST + _run(told, _USUAL)) for told in (was, now)]
            found.append(Price(name=name, basis=Basis.MILLION, before=million[0], after=million[1]))
    return tuple(each for each in found if each.before != each.after)


def scheduled(functions: Mapping[str, Mapping[str, Any]]) -> float:
    """Dollars a month at most for all that runs by schedule."""
    return sum(_scheduled(told) or 0.0 for told in functions.values())


def _run(told: Mapping[str, Any], seconds: float) -> float:
    return float(_GB_SECOND[told["architecture"]] * told["memory"] / 1024 * seconds)


def _scheduled(told: Mapping[str, Any]) -> float | None:
    runs = runs_a_month(told["schedule"])
    return None if runs is None else runs * (_FIRED + _REQUEST + _run(told, told["timeout"]))


def runs_a_month(schedule: str) -> float | None:
    """At most, in the longest month; None without a schedule. In which months is not looked at."""
    if rate := _RATE.fullmatch(schedule):
        return _DAYS * _A_DAY[rate[2]] / int(rate[1])
    if cron := _CRON.fullmatch(schedule):
        minute, hour, day, _, weekday, *_ = cron[1].split()
        days = _count(day, _DAYS) if weekday == "?" else _weekdays(weekday)
        return _count(minute, 60) * _count(hour, 24) * min(days, _DAYS)
    return None


def _weekdays(text: str) -> int:
    """A weekday comes five times a month at most; `3#2` and `6L` once."""
    single = "#" in text or text.endswith("L")
    return 1 if single else 5 * _count(text, 7)


def _count(text: str, all_of_them: int) -> int:
    """How many values a field names, at most."""
    return min(all_of_them, sum(_part(part, all_of_them) for part in text.split(",")))


def _part(text: str, all_of_them: int) -> int:
    start, _, step = text.partition("/")
    low, _, high = start.partition("-")
    if low.isdigit() and high.isdigit():
        many = int(high) - int(low) + 1
    elif start == "*" or step or high:
        many = all_of_them  # a range of names is counted as if it were all
    else:
        many = 1
    return -(-many // int(step or 1))
