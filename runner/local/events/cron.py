"""AWS's cron expressions: six fields, matched on local times. Pure.

Source: EventBridge Scheduler user guide, "Schedule types in EventBridge Scheduler", cron-based;
EventBridge user guide, "Setting a schedule pattern for scheduled rules (legacy)".
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(
    ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}  # fmt: skip
_YEARS = range(1970, 2200)
_ITEM = re.compile(
    r"(?P<from>\*|[A-Z]{3}|\d{1,4})(?:-(?P<to>[A-Z]{3}|\d{1,4}))?(?:/(?P<step>\d{1,4}))?"
)
_NEAREST = re.compile(r"(\d{1,2})W")
_LAST = re.compile(r"([A-Z]{3}|\d)L")
_NTH = re.compile(r"([A-Z]{3}|\d)#(\d)")

Days = Callable[[int, int], set[int]]
"""The days of a month (year, month) that match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A parsed expression; all sets are in rising order."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    def after(self, moment: datetime.datetime) -> Iterator[datetime.datetime]:
        """All matching local times later than `moment`, which has no zone, in order."""
        for year in self.years:
            if year < moment.year:
                continue
            for month in self.months:
                if (year, month) >= (moment.year, moment.month):
                    yield from self._within(year, month, moment)

    def _within(
        self, year: int, month: int, moment: datetime.datetime
    ) -> Iterator[datetime.datetime]:
        for day in sorted(self.days(year, month)):
            if datetime.date(year, month, day) < moment.date():
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    found = datetime.datetime(year, month, day, hour, minute)
                    if found > moment:
                        yield found


def parse(text: str) -> Cron:
    """What stands between `cron(` and `)`. Raises ValueError for what AWS refuses."""
    fields = text.split()
    if len(fields) != 6:
        raise ValueError("a cron expression has six fields")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ValueError("one of day-of-month and day-of-week, and only one, must be ?")
    return Cron(
        minutes=_values(minutes, range(60)),
        hours=_values(hours, range(24)),
        days=_weekdays(weekday) if day == "?" else _dates(day),
        months=_values(month, range(1, 13), _MONTHS),
        years=_values(year, _YEARS),
    )


def _values(text: str, allowed: range, names: dict[str, int] | None = None) -> tuple[int, ...]:
    found: set[int] = set()
    for item in text.split(","):
        found.update(_item(item, allowed, names or {}))
    return tuple(sorted(found))


def _item(text: str, allowed: range, names: dict[str, int]) -> range:
    matched = _ITEM.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text} is no value, range or increment")
    if matched["from"] == "*":
        if matched["to"]:
            raise ValueError(f"{text} is no range")
        first, last = allowed[0], allowed[-1]
    else:
        first = _number(matched["from"], allowed, names)
        last = first
        if matched["to"]:
            last = _number(matched["to"], allowed, names)
        elif matched["step"]:
            last = allowed[-1]
    step = int(matched["step"] or 1)
    # */60 is refused. Source: EventBridge user guide, the page above, "increments".
    if last < first or not 1 <= step <= allowed[-1]:
        raise ValueError(f"{text} names nothing")
    return range(first, last + 1, step)


def _number(text: str, allowed: range, names: dict[str, int]) -> int:
    value = names.get(text) if text.isalpha() else int(text)
    if value is None or value not in allowed:
        raise ValueError(f"{text} is not from {allowed[0]} to {allowed[-1]}")
    return value


def _dates(text: str) -> Days:
    """Day-of-month: `L` is the last one, `15W` the weekday nearest to the 15th."""
    if text == "L":
        return lambda year, month: {_length(year, month)}
    nearest = _NEAREST.fullmatch(text)
    if nearest:
        wanted = _number(nearest[1], range(1, 32), {})
        return lambda year, month: _nearest(year, month, wanted)
    values = _values(text, range(1, 32))
    return lambda year, month: {day for day in values if day <= _length(year, month)}


def _weekdays(text: str) -> Days:
    """Day-of-week, 1 is Sunday: `6L` is the month's last Friday, `3#2` its second Tuesday."""
    if text == "L":
        text = "7"
    last = _LAST.fullmatch(text)
    if last:
        wanted = _number(last[1], range(1, 8), _DAYS)
        return lambda year, month: {max(_on(year, month, wanted))}
    nth = _NTH.fullmatch(text)
    if nth:
        weekday, place = _number(nth[1], range(1, 8), _DAYS), _number(nth[2], range(1, 6), {})
        return lambda year, month: set(_on(year, month, weekday)[place - 1 : place])
    values = _values(text, range(1, 8), _DAYS)
    return lambda year, month: {day for each in values for day in _on(year, month, each)}


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _on(year: int, month: int, weekday: int) -> list[int]:
    """The days of the month that are this day of the week."""
    first_is = (calendar.weekday(year, month, 1) + 1) % 7 + 1
    first = 1 + (weekday - first_is) % 7
    return list(range(first, _length(year, month) + 1, 7))


def _nearest(year: int, month: int, day: int) -> set[int]:
    """The Monday to Friday nearest to a day, within the month; none if it has no such day."""
    length = _length(year, month)
    if day > length:
        return set()
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return {day - 1 if day > 1 else day + 2}
    if weekday == calendar.SUNDAY:
        return {day + 1 if day < length else day - 2}
    return {day}
