"""PutMetricData: every datum is checked before the first one counts.

Source: CloudWatch API reference, PutMetricData, MetricDatum, StatisticSet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from runner.local.cloudwatch import checks, refusals
from runner.local.cloudwatch.points import Point, statistic_set
from runner.local.cloudwatch.store import Metric, Store
from runner.local.wire import Call, Operation, Parameters, Result

_DATA = 1000
_VALUES = 150
_BODY = 1024 * 1024  # bytes
_OLDEST = 14 * 86_400  # seconds before now
_NEWEST = 2 * 3600  # seconds after now
_OWN = "AWS/"  # namespaces of AWS's services


class Publishing:
    """Operations by name."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def operations(self) -> Mapping[str, Operation]:
        return {"PutMetricData": self.put}

    def put(self, parameters: Parameters, call: Call) -> Result:
        space = checks.namespace(parameters.get("Namespace"))
        if space.startswith(_OWN):
            raise refusals.value(
                "The value AWS/ for parameter Namespace is invalid. Namespaces beginning with "
                "AWS/ are reserved."
            )
        if parameters.get("EntityMetricData"):
            raise refusals.missing("entities of metrics (EntityMetricData)")
        data = parameters.get("MetricData") or []
        if not data:
            raise refusals.required("The parameter MetricData is required.")
        if len(data) > _DATA:
            raise refusals.value(
                f"The collection MetricData must not have a size greater than {_DATA}."
            )
        if int(call.headers.get("content-length") or 0) > _BODY:
            raise refusals.value("A request is at most 1 MB in size.")
        now = self._now()
        checked = [_checked(datum, call.region, space=space, now=now) for datum in data]
        for metric, point, at, unit, resolution in checked:
            self._store.put(metric, point, at=at, unit=unit, resolution=resolution)
        return {}


def _checked(
    datum: Mapping[str, Any], region: str, *, space: str, now: float
) -> tuple[Metric, Point, float, str, int]:
    metric = Metric(
        region, space, checks.name(datum.get("MetricName")),
        checks.dimensions(datum.get("Dimensions")),
    )  # fmt: skip
    resolution = datum.get("StorageResolution") or 60
    if resolution not in (1, 60):
        raise refusals.value(f"The value {resolution} for parameter StorageResolution is invalid.")
    unit = checks.unit(datum.get("Unit")) or "None"
    return metric, _point(datum), moment(datum.get("Timestamp"), now), unit, resolution


def moment(given: Any, now: float) -> float:
    """Seconds since the epoch; InvalidParameterValue if it is too far from now."""
    if given is None:
        return now
    at = given.timestamp() if isinstance(given, datetime) else float(given)
    if at < now - _OLDEST:
        raise refusals.value(
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two "
            "weeks in the past."
        )
    if at > now + _NEWEST:
        raise refusals.value(
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two "
            "hours in the future."
        )
    return at


def _point(datum: Mapping[str, Any]) -> Point:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not given:
        raise refusals.required("One of Value, Values and StatisticValues is required.")
    if len(given) > 1:
        raise refusals.combination(
            f"The parameters {' and '.join(given)} are mutually exclusive and you have specified "
            "both."
        )
    if given == ["StatisticValues"]:
        return _set(datum["StatisticValues"])
    return _valued(datum)


def _valued(datum: Mapping[str, Any]) -> Point:
    values = datum["Values"] if datum.get("Values") is not None else [datum["Value"]]
    counts = datum.get("Counts") or [1] * len(values)
    if not values or len(values) > _VALUES:
        raise refusals.value(f"Values has 1 to {_VALUES} members.")
    if len(counts) != len(values):
        raise refusals.value("The parameters Values and Counts must be of the same size.")
    point = Point()
    for value, count in zip(values, counts, strict=True):
        times = checks.number(count, "Counts")
        if times < 0:
            raise refusals.value(f"The value {times} for parameter Counts is invalid.")
        if times:
            point.add(checks.number(value, "Values"), times)
    if not point.count:
        raise refusals.value("The Counts of a datum must not all be 0.")
    return point


def _set(given: Mapping[str, Any]) -> Point:
    parts = ("SampleCount", "Sum", "Minimum", "Maximum")
    for part in parts:
        if given.get(part) is None:
            raise refusals.required(f"The parameter StatisticValues.{part} is required.")
    count, total, least, most = (checks.number(given[p], f"StatisticValues.{p}") for p in parts)
    if count <= 0 or least > most:
        raise refusals.value("StatisticValues: SampleCount must be positive, Minimum not above "
                             "Maximum.")  # fmt: skip
    return statistic_set(count=count, total=total, least=least, most=most)
