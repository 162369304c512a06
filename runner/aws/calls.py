"""Asks CloudWatch how often functions were called and how often they failed. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from runner.aws.deployed import Deployed
from runner.aws.refusals import code_of, explained
from runner.aws.session import Aws
from runner.names import ALIAS

HOURS = 24
_HOUR = 3600  # seconds
# Source: CloudWatch API reference, GetMetricData: 500 metrics in a request.
_QUERIES = 500
_METRICS = ("Invocations", "Errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Of one version of a function, in the last `HOURS`."""

    total: int
    failed: int

    @property
    def rate(self) -> float | None:
        """The share that failed, 0.0 to 1.0; None without a call."""
        return min(self.failed / self.total, 1.0) if self.total else None


def calls(aws: Aws, functions: tuple[Deployed, ...]) -> Mapping[str, Calls] | None:
    """By the site's names of the functions; None where these credentials may not read metrics."""
    queries = list(_queries(functions))
    sums: Counter[str] = Counter()
    with explained():
        try:
            for first in range(0, len(queries), _QUERIES):
                sums.update(_sums(aws, queries[first : first + _QUERIES]))
        except ClientError as error:
            if code_of(error) not in ("AccessDenied", "AccessDeniedException"):
                raise
            return None
    return {
        each.name: Calls(total=sums[f"invocations{n}"], failed=sums[f"errors{n}"])
        for n, each in enumerate(functions)
    }


def _sums(aws: Aws, queries: list[Any]) -> Counter[str]:
    """The sum of each query's data points by its id; one page may have some of the points."""
    end = (int(aws.clock()) // _HOUR + 1) * _HOUR  # whole hours are answered fastest
    found: Counter[str] = Counter()
    pages = aws.metrics.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(end - HOURS * _HOUR, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            found[result["Id"]] += round(sum(result["Values"]))
    return found


def _queries(functions: tuple[Deployed, ...]) -> Iterator[dict[str, Any]]:
    for n, each in enumerate(functions):
        named = _dimensions(each)
        dimensions = [{"Name": name, "Value": value} for name, value in named.items()]
        for name in _METRICS:
            metric = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions}
            yield {
                "Id": f"{name.lower()}{n}",
                "MetricStat": {"Metric": metric, "Period": _HOUR, "Stat": "Sum"},
            }


def _dimensions(called: Deployed) -> dict[str, str]:
    """By the version: visitors reach it by its number, or one that streams by its alias.

    Source: Lambda developer guide, "Viewing metrics for Lambda functions", dimensions `Resource`
    and `ExecutedVersion`.
    """
    by = {"FunctionName": called.function, "Resource": f"{called.function}:{called.version}"}
    if not called.streams:
        return by
    return {**by, "Resource": f"{called.function}:{ALIAS}", "ExecutedVersion": called.version}
