"""When a schedule runs: AWS's own expressions, judged before AWS sees them, and Unix's made theirs.

Pure. Of AWS's syntax it takes what the table of fields documents, and nothing that merely works.
Source: EventBridge Scheduler user guide, "Schedule types on EventBridge Scheduler".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

# Source of the words: Netlify docs, "Scheduled Functions", supported cron extensions.
WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.*)\)")
# fmt: off
_MONTHS = {
    "JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6,
    "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12,
}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
# fmt: on


class ScheduleError(ValueError):
    """What is wrong with an expression, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One field of an expression: its bounds, and what may stand in it beside numbers and `,-*`."""

    name: str
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)
    steps: bool = True
    special: str = ""  # a pattern

    def number(self, text: str) -> int:
        value = self.names.get(text)
        if value is None:
            if not re.fullmatch(r"[0-9]{1,4}", text):
                raise ScheduleError(f"{text!r} is no {self.name}")
            value = int(text)
        if not self.low <= value <= self.high:
            raise ScheduleError(f"the {self.name} is {self.low} to {self.high}, not {text}")
        return value


# Days of the week have no `/` in AWS's table; `nL` is in its examples.
_AWS = (
    _Field(name="minute", low=0, high=59),
    _Field(name="hour", low=0, high=23),
    _Field(name="day of the month", low=1, high=31, special=r"\?|L|(?:[1-9]|[12][0-9]|3[01])W"),
    _Field(name="month", low=1, high=12, names=_MONTHS),
    _Field(
        name="day of the week",
        low=1,
        high=7,
        names=_DAYS,
        steps=False,
        special=rf"\?|L|[1-7]L|(?:[1-7]|{'|'.join(_DAYS)})#[1-5]",
    ),
    _Field(name="year", low=1970, high=2199),
)
_UNIX = (
    _Field(name="minute", low=0, high=59),
    _Field(name="hour", low=0, high=23),
    _Field(name="day of the month", low=1, high=31),
    _Field(name="month", low=1, high=12, names=_MONTHS),
    # 0 and 7 are both Sunday.
    _Field(name="day of the week", low=0, high=7, names={n: d - 1 for n, d in _DAYS.items()}),
)


def expression(text: str) -> str:
    """The schedule as AWS takes it: `rate(...)` or `cron(...)` with six fields.

    Takes these two, five fields of Unix's cron and `@hourly` to `@yearly`. Raises ScheduleError.
    """
    given = text.strip()
    if given.startswith("rate("):
        return _rate(given)
    if found := _CRON.fullmatch(given):
        return _aws(found[1].upper().split())
    if given.startswith("@") and given not in WORDS:
        raise ScheduleError(f"{given} is not known; there are {', '.join(WORDS)}")
    fields = WORDS.get(given, given).upper().split()
    if len(fields) != len(_UNIX):
        raise ScheduleError("neither rate(...), nor cron(...), nor the five fields of Unix's cron")
    return _converted(fields)


def _rate(text: str) -> str:
    found = _RATE.fullmatch(text)
    if found is None:
        raise ScheduleError('a rate is a whole number and a unit: "rate(5 minutes)"')
    if (found[1] == "1") == bool(found[3]):
        unit = found[2] if found[1] == "1" else f"{found[2]}s"
        raise ScheduleError(f"it is called rate({found[1]} {unit})")
    return text


def _aws(fields: list[str]) -> str:
    if len(fields) != len(_AWS):
        raise ScheduleError(
            f"cron(...) has six fields, the last is the year; here are {len(fields)}"
        )
    for one, text in zip(_AWS, fields, strict=True):
        _check(one, text)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ScheduleError("of day of the month and day of the week exactly one must be `?`")
    return f"cron({' '.join(fields)})"


def _check(one: _Field, text: str) -> None:
    if one.special and re.fullmatch(one.special, text):
        return
    for part in text.split(","):
        if part == "*" and text == "*":
            continue
        start, slash, step = part.partition("/")
        if slash:
            _check_step(one, start, step=step)
            continue
        low, hyphen, high = part.partition("-")
        first = one.number(low)
        if hyphen and one.number(high) < first:
            raise ScheduleError(f"the {one.name} {part} ends before it begins; write a list")


def _check_step(one: _Field, start: str, *, step: str) -> None:
    if not one.steps:
        raise ScheduleError(f"the {one.name} takes no `/`; write a list")
    if "-" in start:
        raise ScheduleError(f"a range with a step is not documented by AWS: {start}/{step}")
    if start != "*":
        one.number(start)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", step):
        raise ScheduleError(f"{step!r} is no step of the {one.name}")


def _converted(fields: list[str]) -> str:
    """AWS knows no day that is of the month or of the week: with both, Unix means either."""
    minute, hour, day, month, weekday = (
        _values(one, text) for one, text in zip(_UNIX, fields, strict=True)
    )
    if day and weekday:
        raise ScheduleError(
            "day of the month and day of the week together: AWS takes only one of them"
        )
    days = sorted({each % 7 + 1 for each in weekday})
    told = [minute, hour, day, month]
    texts = [_text(values) for values in told]
    if days:
        texts[2] = "?"
    return f"cron({' '.join(texts)} {_text(days) if days else '?'} *)"


def _values(one: _Field, text: str) -> list[int]:
    """The values that a field of Unix's cron names; none for all of them."""
    if text in ("*", "?", "*/1"):
        return []
    return sorted({value for part in text.split(",") for value in _part(one, part)})


def _part(one: _Field, part: str) -> Iterator[int]:
    span, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9][0-9]{0,3}", step):
        raise ScheduleError(f"{step!r} is no step of the {one.name}")
    low, hyphen, high = span.partition("-")
    # A step over all days of the week begins with one Sunday, and there is no second.
    last = min(one.high, one.low + 6) if one.low == 0 and one.high == 7 else one.high
    if span == "*":
        first = one.low
    else:
        first = one.number(low)
        last = one.number(high) if hyphen else last if slash else first
    if last < first:
        raise ScheduleError(f"the {one.name} {part} ends before it begins; write a list")
    return iter(range(first, last + 1, int(step or 1)))


def _text(values: list[int]) -> str:
    """A list with its runs as ranges; `*` for all."""
    if not values:
        return "*"
    runs = [
        [value for _, value in run]
        for _, run in groupby(enumerate(values), key=lambda pair: pair[1] - pair[0])
    ]
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs
    )
