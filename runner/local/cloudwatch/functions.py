"""The functions of metric math. Pure.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics", "Functions
supported for metric math", "Using IF expressions".
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.local.cloudwatch import refusals
from runner.local.cloudwatch.series import Series, Value, array, each, scalar, series

# AWS has these, the embedded cloud has not.
MISSING = frozenset(
    {"ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SEARCH",
     "SERVICE_QUOTA"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The times that a series without gaps has, in epoch seconds."""

    start: int
    end: int
    period: int

    @property
    def times(self) -> range:
        return range(self.start, self.end, self.period)


Arguments = tuple[Value | str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """`least` and `most` count arguments; `words` are the places that take a bare word."""

    compute: Callable[[Arguments, Span], Value]
    least: int = 1
    most: int = 1
    words: frozenset[int] = frozenset()


def _each(change: Callable[[float], float | None]) -> Function:
    return Function(lambda given, _span: each(_value(given[0]), lambda one: one.mapped(change)))


def _along(change: Callable[[Series], dict[int, float]]) -> Function:
    return Function(
        lambda given, _span: each(_value(given[0]), lambda one: one.having(change(one)))
    )


def _reduced(reduce: Callable[[list[float]], float], *, gaps: float | None = None) -> Function:
    """Of one series a number, of several a series; `gaps` is what a missing value counts as."""

    def compute(given: Arguments, _span: Span) -> Value:
        value = _value(given[0])
        if isinstance(value, Series):
            return reduce(list(value.points.values())) if value.points else 0.0
        columns = array(value)
        times = sorted({at for one in columns for at in one.points})
        return Series({at: reduce(_column(columns, at, gaps)) for at in times})

    return Function(compute)


def _column(columns: list[Series], at: int, gaps: float | None) -> list[float]:
    found = [one.points.get(at, gaps) for one in columns]
    return [value for value in found if value is not None]


def _steps(one: Series, change: Callable[[int, int], float]) -> dict[int, float]:
    times = sorted(one.points)
    return {at: change(before, at) for before, at in itertools.pairwise(times)}


def _difference(one: Series) -> dict[int, float]:
    return _steps(one, lambda before, at: one.points[at] - one.points[before])


def _rate(one: Series) -> dict[int, float]:
    return _steps(one, lambda before, at: (one.points[at] - one.points[before]) / (at - before))


def _running(one: Series) -> dict[int, float]:
    total, found = 0.0, {}
    for at in sorted(one.points):
        total += one.points[at]
        found[at] = total
    return found


def _fill(given: Arguments, span: Span) -> Value:
    filler = given[1]

    def filled(one: Series) -> Series:
        found = {at: _filler(one, filler, at) for at in span.times if at not in one.points}
        gaps = {at: value for at, value in found.items() if value is not None}
        return one.having(dict(sorted((one.points | gaps).items())))

    return each(_value(given[0]), filled)


def _filler(one: Series, filler: Value | str, at: int) -> float | None:
    if isinstance(filler, Series):
        return filler.points.get(at)
    if isinstance(filler, float):
        return filler
    if filler not in ("REPEAT", "LINEAR"):
        raise refusals.validation("Error in expression: FILL takes a number, a time series, REPEAT "
                                  "or LINEAR.")  # fmt: skip
    before = max((time for time in one.points if time < at), default=None)
    after = min((time for time in one.points if time > at), default=None)
    if before is None or (filler == "LINEAR" and after is None):
        return None
    if filler == "REPEAT" or after is None:
        return one.points[before]
    share = (at - before) / (after - before)
    return one.points[before] + share * (one.points[after] - one.points[before])


def _if(given: Arguments, _span: Span) -> Value:
    """At the condition's times; true without a value is 0, false without one is dropped."""
    condition, true = _value(given[0]), _value(given[1])
    false: Value | None = _value(given[2]) if len(given) > 2 else None
    if isinstance(condition, float):
        return true if condition else false if false is not None else Series()
    chosen: dict[int, float] = {}
    for at, value in series(condition).points.items():
        found = _at(true, at, 0.0) if value else _at(false, at, None)
        if found is not None:
            chosen[at] = found
    return series(condition).having(chosen)


def _at(side: Value | None, moment: int, gap: float | None) -> float | None:
    if side is None or isinstance(side, float):
        return side
    return series(side).points.get(moment, gap)


def _dated(part: Callable[[datetime], float]) -> Function:
    """A series without gaps: each value is made of its own time."""

    def compute(given: Arguments, span: Span) -> Value:
        shown = series(_value(given[0]))
        return shown.having({at: float(part(datetime.fromtimestamp(at, UTC))) for at in span.times})

    return Function(compute)


def _sorted(given: Arguments, span: Span) -> Value:
    by, order = given[1], given[2]
    if by not in ("AVG", "MIN", "MAX", "SUM") or order not in ("ASC", "DESC"):
        raise refusals.validation("Error in expression: SORT takes AVG, MIN, MAX or SUM, then ASC "
                                  "or DESC.")  # fmt: skip
    rank = FUNCTIONS[str(by)].compute
    found = sorted(
        array(_value(given[0])),
        key=lambda one: scalar(rank((one,), span)),
        reverse=order == "DESC",
    )
    return found[: int(scalar(_value(given[3])))] if len(given) > 3 else found


def _slice(given: Arguments, _span: Span) -> Value:
    bounds = [int(scalar(_value(bound))) for bound in given[1:]]
    return array(_value(given[0]))[slice(bounds[0], bounds[1] if len(bounds) > 1 else None)]


def _end(place: int) -> Function:
    def compute(given: Arguments, _span: Span) -> Value:
        found = array(_value(given[0]))
        return found[place] if found else Series()

    return Function(compute)


def _value(given: Value | str) -> Value:
    if isinstance(given, str):
        raise refusals.validation(f"Error in expression: {given} is no value.")
    return given


def _period(given: Arguments, _span: Span) -> Value:
    found = series(_value(given[0])).period
    if not found:
        raise refusals.validation("Error in expression: PERIOD takes a metric.")
    return float(found)


def _time_series(given: Arguments, span: Span) -> Value:
    number = scalar(_value(given[0]))
    return Series(dict.fromkeys(span.times, number))


FUNCTIONS: dict[str, Function] = {
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "LOG": _each(lambda value: math.log(value) if value > 0 else None),
    "LOG10": _each(lambda value: math.log10(value) if value > 0 else None),
    "SUM": _reduced(math.fsum),
    "AVG": _reduced(statistics.fmean, gaps=0.0),
    "MIN": _reduced(min),
    "MAX": _reduced(max),
    "STDDEV": _reduced(statistics.pstdev),
    "DATAPOINT_COUNT": _reduced(lambda values: float(len(values))),
    "METRIC_COUNT": Function(lambda given, _span: float(len(array(_value(given[0]))))),
    "DIFF": _along(_difference),
    "DIFF_TIME": _along(lambda one: _steps(one, lambda before, at: float(at - before))),
    "RATE": _along(_rate),
    "RUNNING_SUM": _along(_running),
    "FILL": Function(_fill, 2, 2, frozenset({1})),
    "IF": Function(_if, 2, 3),
    "TIME_SERIES": Function(_time_series),
    "PERIOD": Function(_period),
    "REMOVE_EMPTY": Function(
        lambda given, _span: [one for one in array(_value(given[0])) if one.points]
    ),
    "FIRST": _end(0),
    "LAST": _end(-1),
    "SLICE": Function(_slice, 2, 3),
    "SORT": Function(_sorted, 3, 4, frozenset({1, 2})),
    "MINUTE": _dated(lambda moment: moment.minute),
    "HOUR": _dated(lambda moment: moment.hour),
    "DAY": _dated(lambda moment: moment.isoweekday()),
    "DATE": _dated(lambda moment: moment.day),
    "MONTH": _dated(lambda moment: moment.month),
    "YEAR": _dated(lambda moment: moment.year),
    "EPOCH": _dated(lambda moment: moment.timestamp()),
}
