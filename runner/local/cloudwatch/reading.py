"""GetMetricData, GetMetricStatistics and ListMetrics.

Source: CloudWatch API reference, the pages of these operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runner.local.cloudwatch import checks, pages, points, refusals
from runner.local.cloudwatch.functions import Span
from runner.local.cloudwatch.queries import Answers, Query, checked, from_store
from runner.local.cloudwatch.series import Series, array
from runner.local.cloudwatch.store import MINUTE, Metric, Store
from runner.local.wire import Call, Operation, Parameters, Result

_QUERIES = 500
_DATAPOINTS = 100_800
_STATISTICS_DATAPOINTS = 1440
_LISTED = 500
_DAY = 86_400
_LISTED_FOR = 14 * _DAY  # seconds after the last data point
_RECENT = 3 * 3600


class Reading:
    """Operations by name."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetMetricData": self.data,
            "GetMetricStatistics": self.statistics,
            "ListMetrics": self.list,
        }

    def data(self, parameters: Parameters, call: Call) -> Result:
        given = parameters.get("MetricDataQueries") or []
        if not 1 <= len(given) <= _QUERIES:
            raise refusals.validation(f"MetricDataQueries has 1 to {_QUERIES} members.")
        queries = checked(given, call.region)
        start, end = self._range(parameters, [each.stat.period for each in queries if each.stat])
        limit = int(parameters.get("MaxDatapoints") or _DATAPOINTS)
        if not 1 <= limit <= _DATAPOINTS:
            raise refusals.validation(f"MaxDatapoints is 1 to {_DATAPOINTS}.")
        answers = Answers(queries, from_store(self._store), Span(start, end, MINUTE))
        oldest_first = parameters.get("ScanBy") == "TimestampAscending"
        whole = [
            (query, one, sorted(one.points.items(), reverse=not oldest_first))
            for query in queries
            if query.returned
            for one in array(answers.of(query.id))
        ]
        return _paged(whole, limit, pages.offset(parameters))

    def statistics(self, parameters: Parameters, call: Call) -> Result:
        wanted = list(parameters.get("Statistics") or ())
        extended = list(parameters.get("ExtendedStatistics") or ())
        _check_statistics(wanted, extended)
        period = int(parameters.get("Period") or 0)
        if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
            raise refusals.value("The parameter Period must be a multiple of 60.")
        metric = Metric(
            call.region,
            checks.namespace(parameters.get("Namespace")),
            checks.name(parameters.get("MetricName")),
            checks.dimensions(parameters.get("Dimensions")),
        )
        unit = checks.unit(parameters.get("Unit"))
        start, end = self._range(parameters, [period])
        if (end - start) / period > _STATISTICS_DATAPOINTS:
            raise refusals.combination(
                f"You have requested up to {-(-(end - start) // period)} datapoints, which exceeds "
                f"the limit of {_STATISTICS_DATAPOINTS}. You may reduce the datapoints requested "
                "by increasing Period, or decreasing the time range."
            )
        return {
            "Label": metric.name,
            "Datapoints": [
                _datapoint(at, point, wanted, extended=extended, unit=name)
                for name in ([unit] if unit else self._store.units(metric))
                for at, point in self._store.read(
                    metric, start=start, end=end, period=period, unit=name
                ).items()
            ],
        }

    def list(self, parameters: Parameters, call: Call) -> Result:
        recent = parameters.get("RecentlyActive")
        if recent not in (None, "", "PT3H"):
            raise refusals.value(f"The value {recent} for parameter RecentlyActive is invalid.")
        found = [
            metric
            for metric in self._store.listed(
                call.region, active_within=_RECENT if recent else _LISTED_FOR
            )
            if _matches(metric, parameters)
        ]
        shown, more = pages.page(found, parameters, size=_LISTED)
        return {"Metrics": [_shown(each) for each in shown]} | more

    def _range(self, parameters: Parameters, periods: Sequence[int]) -> tuple[int, int]:
        """Whole seconds since the epoch; the begin is rounded down by its age and the period."""
        start, end = _seconds(parameters.get("StartTime")), _seconds(parameters.get("EndTime"))
        if start is None or end is None:
            raise refusals.required("The parameters StartTime and EndTime are required.")
        if start >= end:
            raise refusals.validation(
                "The parameter StartTime must be less than the parameter EndTime."
            )
        age = self._now() - start
        grain = 3600 if age > 63 * _DAY else 300 if age > 15 * _DAY else MINUTE
        if grain == MINUTE and periods and min(periods) < MINUTE:
            grain = min(periods)
        return int(start) // grain * grain, -int(-end // 1)


def _check_statistics(wanted: Sequence[str], extended: Sequence[str]) -> None:
    if bool(wanted) == bool(extended):
        raise refusals.combination(
            "Must specify either Statistics or ExtendedStatistics, and not both."
        )
    for name in wanted:
        if name not in points.SIMPLE:
            raise refusals.value(f"The value {name} for parameter Statistics is invalid.")
    for name in extended:
        if name in points.SIMPLE or not points.known_statistic(name):
            raise refusals.value(f"The value {name} for parameter ExtendedStatistics is invalid.")
        if not points.emulated_statistic(name):
            raise refusals.missing(f"the statistic {name}")


def _datapoint(
    at: int, point: points.Point, wanted: Sequence[str], *, extended: Sequence[str], unit: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"Timestamp": at, "Unit": unit}
    made |= {name: points.value_of(point, name) for name in wanted}
    found = {name: points.value_of(point, name) for name in extended}
    if extended:
        made["ExtendedStatistics"] = {k: value for k, value in found.items() if value is not None}
    return made


_Whole = Iterable[tuple[Query, Series, list[tuple[int, float]]]]


def _paged(whole: _Whole, limit: int, begin: int) -> Result:
    """`begin` data points were told before; what is not told yet is partial."""
    results, left, place = [], limit, 0
    for query, one, found in whole:
        first = min(max(begin - place, 0), len(found))
        page = found[first : first + left]
        left -= len(page)
        done = first + len(page) == len(found)
        place += len(found)
        results.append(
            {
                "Id": query.id,
                "Label": one.label or query.label or query.id,
                "Timestamps": [at for at, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "Complete" if done else "PartialData",
            }
        )
    answer: Result = {"MetricDataResults": results, "Messages": []}
    if begin + limit - left < place:
        answer["NextToken"] = pages.token(begin + limit - left)
    return answer


def _matches(metric: Metric, parameters: Parameters) -> bool:
    dimensions = dict(metric.dimensions)
    return (
        parameters.get("Namespace") in (None, "", metric.namespace)
        and parameters.get("MetricName") in (None, "", metric.name)
        and all(
            each["Name"] in dimensions and each.get("Value") in (None, dimensions[each["Name"]])
            for each in parameters.get("Dimensions") or ()
        )
    )


def _shown(metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {
        "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions,
    }  # fmt: skip


def _seconds(given: Any) -> float | None:
    if given is None:
        return None
    return float(given.timestamp() if hasattr(given, "timestamp") else given)
