"""Schedule expressions: `rate(...)`, `cron(...)`, `at(...)`, and when they fall due. Pure.

Source: EventBridge Scheduler user guide, "Schedule types in EventBridge Scheduler"; API reference,
CreateSchedule, `ScheduleExpression`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runner.local.events import cron

_FORM = re.compile(r"(rate|cron|at)\((.+)\)")
_RATE = re.compile(r"([1-9]\d*) (minute|hour|day)(s?)")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """`due(after, begin)` is the first moment later than `after`, in epoch seconds, or None;
    `begin` is where a rate counts from.
    """

    text: str
    once: bool
    due: Callable[[float, float], float | None]


def parse(text: str, zone: str = "UTC", *, plural: bool = False) -> Expression:
    """Raises ValueError for what AWS refuses. With `plural` a rate's unit has to agree with its
    number, as in rules: `rate(1 minute)`, `rate(2 minutes)`.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("neither rate(...), cron(...) nor at(...)")
    kind, inside, place = found[1], found[2], zone_of(zone)
    if kind == "rate":
        return Expression(text=text, once=False, due=_rate(inside, plural=plural))
    if kind == "cron":
        return Expression(text=text, once=False, due=_cron(inside, place))
    return Expression(text=text, once=True, due=_at(inside, place))


def zone_of(name: str) -> datetime.tzinfo:
    """Raises ValueError for a zone that the IANA database does not have."""
    if name == "UTC":  # known also where no database is installed
        return datetime.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{name} is no time zone") from None


def _rate(text: str, *, plural: bool) -> Callable[[float, float], float | None]:
    found = _RATE.fullmatch(text)
    if found is None or (plural and (found[1] != "1") != (found[3] == "s")):
        raise ValueError(f"{text} is no rate")
    period = int(found[1]) * _SECONDS[found[2]]

    def due(after: float, begin: float) -> float:
        if after < begin:
            return begin
        return begin + (int((after - begin) // period) + 1) * period

    return due


def _cron(text: str, zone: datetime.tzinfo) -> Callable[[float, float], float | None]:
    """A local time that a change to summer time leaves out is skipped; one that comes twice counts
    once. Source: the page above, "Daylight savings time on EventBridge Scheduler".
    """
    parsed = cron.parse(text)

    def due(after: float, begin: float) -> float | None:
        later = max(after, begin - 1)
        local = datetime.datetime.fromtimestamp(later, zone).replace(tzinfo=None)
        # Within the hour that comes twice `local` may be before what has been.
        begun = local - datetime.timedelta(hours=3)
        moments = (_moment(each, zone) for each in parsed.after(begun))
        return next((each for each in moments if each is not None and each > later), None)

    return due


def _at(text: str, zone: datetime.tzinfo) -> Callable[[float, float], float | None]:
    if not _AT.fullmatch(text):
        raise ValueError(f"{text} is not yyyy-mm-ddThh:mm:ss")
    wanted = datetime.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    return lambda after, _begin: wanted if wanted > after else None


def _moment(local: datetime.datetime, zone: datetime.tzinfo) -> float | None:
    moment = local.replace(tzinfo=zone).timestamp()
    back = datetime.datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    return moment if back == local else None
