"""Holds an alarm against its data: the state, and AWS's words for why. No clock of its own.

Source: CloudWatch user guide, "Alarm evaluation", "Percentile-based CloudWatch alarms and low data
samples".
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runner.local.cloudwatch import points
from runner.local.cloudwatch.alarm import Watch
from runner.local.cloudwatch.functions import Span
from runner.local.cloudwatch.missing_data import FURTHER, State, judged
from runner.local.cloudwatch.queries import Answers, from_store
from runner.local.cloudwatch.series import Series
from runner.local.cloudwatch.store import MINUTE, Store

_COMPARE: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_FEW = 10  # samples, over the smaller share beside the percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A state with its reason, in words and as JSON."""

    state: State
    reason: str
    data: str


def found(watch: Watch, store: Store, now: float) -> Finding | None:
    """None keeps the present state."""
    span = _span(watch, now)
    series = _series(watch, store, span)
    values = [series.points.get(at) for at in span.times]
    compare = _COMPARE[watch.comparison][0]
    breaching = [None if each is None else compare(each, watch.threshold) for each in values]
    if watch.low_samples == "ignore" and _few_samples(watch, store, span):
        return None
    state = judged(breaching, periods=watch.periods, to_alarm=watch.to_alarm, missing=watch.missing)
    if state is None:
        return None
    real = [(at, series.points[at]) for at in span.times if at in series.points][-watch.periods :]
    return Finding(
        state=state, reason=_reason(watch, state, real), data=_data(watch, span, real, now=now)
    )


def _span(watch: Watch, now: float) -> Span:
    """Whole minutes (or short periods) up to the present one, as many as AWS looks back."""
    end = int(now) // min(watch.period, MINUTE) * min(watch.period, MINUTE)
    return Span(end - (watch.periods + FURTHER) * watch.period, end, watch.period)


def _series(watch: Watch, store: Store, span: Span) -> Series:
    read = from_store(store)
    if watch.stat:
        return read(watch.stat, span)
    answer = Answers(watch.queries, read, span).of(watch.watched)
    return answer if isinstance(answer, Series) else Series()


def _few_samples(watch: Watch, store: Store, span: Span) -> bool:
    """Fewer than 10 over the share that lies beyond the percentile."""
    rank = points.rank_of(watch.stat.statistic) if watch.stat else None
    if watch.stat is None or rank is None:
        return False
    start = span.end - watch.periods * watch.period
    read = store.read(
        watch.stat.metric, start=start, end=span.end, period=watch.period, unit=watch.stat.unit
    )
    beyond = min(rank, 100 - rank) / 100
    return beyond > 0 and sum(point.count for point in read.values()) < _FEW / beyond


def _reason(watch: Watch, state: State, real: list[tuple[int, float]]) -> str:
    unknown = watch.periods - len(real)
    if state == "INSUFFICIENT_DATA":
        were = "datapoint was" if unknown == 1 else "datapoints were"
        return f"Insufficient Data: {unknown} {were} unknown."
    if not real:
        treated = "Breaching" if watch.missing == "breaching" else "NonBreaching"
        periods = "period" if unknown == 1 else "periods"
        datapoints = "datapoint was" if unknown == 1 else "datapoints were"
        return (
            f"Threshold Crossed: no datapoints were received for {unknown} {periods} and {unknown} "
            f"missing {datapoints} treated as [{treated}]."
        )
    return _crossed(watch, state, real)


def _crossed(watch: Watch, state: State, real: list[tuple[int, float]]) -> str:
    compare, words = _COMPARE[watch.comparison]
    hits = [each for each in real if compare(each[1], watch.threshold)]
    told = hits if state == "ALARM" else [each for each in real if each not in hits] or real
    listed = ", ".join(f"{value} ({_short(at)})" for at, value in reversed(told))
    negation = "" if state == "ALARM" else "not "
    least = watch.to_alarm if state == "ALARM" else watch.periods - watch.to_alarm + 1
    move = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    datapoints = "datapoint" if least == 1 else "datapoints"
    return (
        f"Threshold Crossed: {len(told)} out of the last {watch.periods} datapoints [{listed}] "
        f"{'was' if len(told) == 1 else 'were'} {negation}{words} the threshold "
        f"({watch.threshold}) (minimum {least} {datapoints} for {move} transition)."
    )


def _data(watch: Watch, span: Span, real: list[tuple[int, float]], *, now: float) -> str:
    made: dict[str, Any] = {"version": "1.0", "queryDate": long_stamp(now)}
    if real:
        made["startDate"] = long_stamp(real[0][0])
    if watch.stat:
        made["statistic"] = watch.stat.statistic
    return json.dumps(
        made
        | {
            "period": span.period,
            "recentDatapoints": [value for _, value in real],
            "threshold": watch.threshold,
            "evaluatedDatapoints": [
                {"timestamp": long_stamp(at), "value": value} for at, value in reversed(real)
            ],
        },
        separators=(",", ":"),
    )


def long_stamp(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _short(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S}"
