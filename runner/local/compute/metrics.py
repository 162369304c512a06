"""AWS's own metrics, minute by minute, handed to moto's CloudWatch when somebody asks for them.

Lambda's are counted here; other parts of the cloud `add` theirs. Counting is all that an invocation
pays; moto is reached by its own way for such metrics.
Source: Lambda developer guide, "Types of metrics for Lambda functions" and "Viewing metrics for
Lambda functions".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from moto.core.common_models import CloudWatchMetricProvider

from runner.local.compute.invoking import Invocation
from runner.local.compute.records import Waiting
from runner.local.wire import Operation

NAMESPACE = "AWS/Lambda"
_MINUTE = 60
# One-minute data points are kept for 15 days. Source: CloudWatch API reference, GetMetricData.
_KEPT = 15 * 24 * 3600  # cloud seconds
_UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds"}

Dimensions = tuple[tuple[str, str], ...]


class _Series(NamedTuple):
    """One data point's place: `minute` in cloud seconds since the epoch."""

    namespace: str
    region: str
    minute: int
    metric: str
    dimensions: Dimensions


@dataclass(slots=True)
class _Point:
    count: int
    total: float
    least: float
    most: float

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)


class Metrics:
    """Counts; a service of the cloud without operations, so that a reset reaches it.

    The newest one made is the one that moto asks: its state belongs to the process as well.
    """

    name = "cloudwatch"

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._points: dict[_Series, _Point] = {}
        self._lock = threading.Lock()
        _Provider.metrics = self

    def operations(self) -> Mapping[str, Operation]:
        return {}

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        with self._lock:
            self._points.clear()

    def count(self, told: Invocation) -> None:
        """A listener of `Invoker.on_invocation`. The time is that of the invocation's begin."""
        for metric, value in values_of(told).items():
            for dimensions in dimensions_of(told):
                self.add(
                    NAMESPACE, metric, value,
                    region=told.region, dimensions=dimensions, at=told.at,
                )  # fmt: skip

    def measure(self, metric: str, event: Waiting, value: float) -> None:
        """A listener of `Invoker.on_event`."""
        called = f"{event.name}:{event.qualifier}" if event.qualifier else event.name
        function = ("FunctionName", event.name)
        for dimensions in ((), (function,), (function, ("Resource", called))):
            self.add(NAMESPACE, metric, value, region=event.region, dimensions=dimensions)

    def add(
        self,
        namespace: str,
        metric: str,
        value: float,
        *,
        region: str,
        dimensions: Dimensions = (),
        at: float | None = None,
    ) -> None:
        """One value of one minute: that of `at`, in cloud seconds, else the present one."""
        moment = self._now() if at is None else at
        minute = int(moment) // _MINUTE * _MINUTE
        with self._lock:
            self._add(_Series(namespace, region, minute, metric, dimensions), value)

    def data(self, region: str) -> list[Any]:
        """All of a region's data points in moto's form."""
        oldest = self._now() - _KEPT
        with self._lock:
            for series in [each for each in self._points if each.minute < oldest]:
                del self._points[series]
            return [
                _datum(series, point)
                for series, point in self._points.items()
                if series.region == region
            ]

    def _add(self, series: _Series, value: float) -> None:
        point = self._points.get(series)
        if point:
            point.add(value)
        else:
            self._points[series] = _Point(1, value, value, value)


def values_of(told: Invocation) -> dict[str, float]:
    """A throttled call is no invocation; a run is an error or it is none; a cold start's
    initialisation is not in the duration, which is in milliseconds."""
    if told.throttled:
        return {"Throttles": 1}
    return {
        "Invocations": 1,
        "Errors": 1 if told.error else 0,
        "Throttles": 0,
        "Duration": told.seconds * 1000,
    }


def dimensions_of(told: Invocation) -> tuple[Dimensions, ...]:
    """Everything, the function, what was called, and for an alias the version that ran."""
    function = ("FunctionName", told.function)
    called = f"{told.function}:{told.qualifier}" if told.qualifier else told.function
    resource = ("Resource", called)
    sets: tuple[Dimensions, ...] = ((), (function,), (function, resource))
    if _is_alias(told.qualifier):
        sets += ((function, resource, ("ExecutedVersion", told.version)),)
    return sets


def _is_alias(qualifier: str) -> bool:
    """Source: Lambda API reference, CreateAlias, `Name`: never digits alone."""
    return bool(qualifier) and qualifier != "$LATEST" and not qualifier.isdigit()


class _Provider(CloudWatchMetricProvider):
    """moto asks all subclasses whenever metrics are read."""

    metrics: Metrics | None = None

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[Any]:
        del account_id  # the embedded cloud is one account
        return _Provider.metrics.data(region) if _Provider.metrics else []


def _datum(series: _Series, point: _Point) -> Any:
    # moto.cloudwatch is slow to import: only who reads metrics pays for it.
    from moto.cloudwatch.models import MetricAggregatedDatum

    return MetricAggregatedDatum(
        namespace=series.namespace,
        name=series.metric,
        min_stat=point.least,
        max_stat=point.most,
        sample_count=point.count,
        sum_stat=point.total,
        dimensions=[{"Name": name, "Value": value} for name, value in series.dimensions],
        timestamp=datetime.fromtimestamp(series.minute, UTC).replace(tzinfo=None),
        unit=_UNITS.get(series.metric, "Count"),
    )
