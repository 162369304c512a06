"""Data points by metric: when they become readable, how long and how finely they are kept.

Counting appends to a queue and is all that a request pays; whoever reads sorts the queue in.
Source: CloudWatch API reference, GetMetricData (retention), PutMetricData.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.local.cloudwatch.points import Point
from runner.local.cloudwatch.settings import Settings

MINUTE = 60
_HOUR = 3600
_DAY = 86_400
# (age, resolution from there on), both in seconds; None is the end.
_KEPT: tuple[tuple[int, int | None], ...] = (
    (455 * _DAY, None), (63 * _DAY, _HOUR), (15 * _DAY, 300), (3 * _HOUR, MINUTE),
)  # fmt: skip
_WAITING = 20_000  # counted requests that nobody has asked for yet

Dimensions = tuple[tuple[str, str], ...]


class Metric(NamedTuple):
    """A metric is its whole set of dimensions, sorted by name."""

    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


class Sample(NamedTuple):
    """One value that a service counted."""

    metric: Metric
    value: float
    unit: str = "Count"


class _Counted(NamedTuple):
    at: float
    told: Any
    samples: Callable[[Any], Iterable[Sample]]


class _Sent(NamedTuple):
    readable: float
    at: float
    metric: Metric
    point: Point
    unit: str
    resolution: int


@dataclass(slots=True)
class _Series:
    """`points` by begin and unit; `first` and `last` are when data came."""

    first: float
    last: float
    fine: bool = False
    thinned: float = 0.0
    points: dict[int, dict[str, Point]] = field(default_factory=dict)


class Store:
    """Safe from several threads."""

    def __init__(self, now: Callable[[], float], settings: Settings) -> None:
        self._now = now
        self._settings = settings
        self._counted: deque[_Counted] = deque()
        self._sent: deque[_Sent] = deque()
        self._series: dict[Metric, _Series] = {}
        self._lock = threading.Lock()

    def count(self, at: float, told: Any, samples: Callable[[Any], Iterable[Sample]]) -> None:
        """What a service saw at `at`; `samples(told)` is called when somebody reads."""
        self._counted.append(_Counted(at, told, samples))
        if len(self._counted) > _WAITING:
            self._sort_in()

    def put(
        self, metric: Metric, point: Point, *, at: float, unit: str = "None", resolution: int = 60
    ) -> None:
        """A data point that somebody sent, for the moment `at`."""
        readable = self._now() + self._settings.delay
        self._sent.append(_Sent(readable, at, metric, point, unit, resolution))
        if len(self._sent) > _WAITING:
            self._sort_in()

    def read(
        self, metric: Metric, *, start: int, end: int, period: int, unit: str = ""
    ) -> dict[int, Point]:
        """Points by the begin of their period, periods counted from `start`."""
        self._sort_in()
        with self._lock:
            series = self._series.get(metric)
            return self._merged(series, range(start, end), period, unit) if series else {}

    def units(self, metric: Metric) -> list[str]:
        self._sort_in()
        with self._lock:
            series = self._series.get(metric)
            return sorted({u for by in series.points.values() for u in by}) if series else []

    def listed(self, region: str, *, active_within: float) -> Iterator[Metric]:
        """The metrics that ListMetrics knows by now."""
        self._sort_in()
        now = self._now()
        with self._lock:
            found = [
                metric
                for metric, series in self._series.items()
                if metric.region == region
                and series.first + self._settings.listed_after <= now
                and series.last >= now - active_within
            ]
        yield from sorted(found)

    def clear(self) -> None:
        with self._lock:
            self._counted.clear()
            self._sent.clear()
            self._series.clear()

    def __len__(self) -> int:
        self._sort_in()
        return len(self._series)

    def _merged(self, series: _Series, span: range, period: int, unit: str) -> dict[int, Point]:
        now = self._now()
        merged: dict[int, Point] = {}
        for at in _begins(series, span):
            if period < (_grain(now - at) or period + 1):
                continue  # kept too coarsely by now for this period
            for named, point in series.points[at].items():
                if unit in ("", named):
                    begin = span.start + (at - span.start) // period * period
                    merged.setdefault(begin, Point()).merge(point)
        return merged

    def _sort_in(self) -> None:
        now = self._now()
        with self._lock:
            while self._sent and self._sent[0].readable <= now:
                sent = self._sent.popleft()
                place = self._place(sent.metric, sent.readable)
                _bucket(place, sent.at, sent.unit, resolution=sent.resolution, now=now).merge(
                    sent.point
                )
            while self._counted and self._told(self._counted[0]) <= now:
                counted = self._counted.popleft()
                readable = self._told(counted)
                for metric, value, unit in counted.samples(counted.told):
                    place = self._place(metric, readable)
                    _bucket(place, counted.at, unit, resolution=MINUTE, now=now).add(value)

    def _told(self, counted: _Counted) -> float:
        """When a service tells of what it counted: some time after the minute."""
        return counted.at // MINUTE * MINUTE + MINUTE + self._settings.service_delay

    def _place(self, metric: Metric, readable: float) -> _Series:
        series = self._series.get(metric)
        if series is None:
            series = self._series[metric] = _Series(first=readable, last=readable)
        series.last = max(series.last, readable)
        return series


def _bucket(series: _Series, at: float, unit: str, *, resolution: int, now: float) -> Point:
    series.fine = series.fine or resolution < MINUTE
    if now - series.thinned > _HOUR:
        _thin(series, now)
    begin = int(at) // resolution * resolution
    by_unit = series.points.get(begin)
    if by_unit is None:
        by_unit = series.points[begin] = {}
    point = by_unit.get(unit)
    if point is None:
        point = by_unit[unit] = Point()
    return point


def _begins(series: _Series, span: range) -> Iterable[int]:
    """The kept moments within the span: looked up or looked through, whichever is less."""
    step = 1 if series.fine else MINUTE
    if len(span) // step >= len(series.points):
        return sorted(at for at in series.points if at in span)
    first = -(-span.start // step) * step
    return [at for at in range(first, span.stop, step) if at in series.points]


def _grain(age: float) -> int | None:
    """The resolution in which data of this age is kept; None if it is not."""
    return next((grain for since, grain in _KEPT if age > since), 1)


def _thin(series: _Series, now: float) -> None:
    """Joins what is old into longer periods, and drops what is too old."""
    kept: dict[int, dict[str, Point]] = {}
    for at, by_unit in series.points.items():
        grain = _grain(now - at)
        if grain is None:
            continue
        place = kept.setdefault(at // grain * grain, {})
        for unit, point in by_unit.items():
            place.setdefault(unit, Point()).merge(point)
    series.points, series.thinned = kept, now
