"""How fast the live release's functions usually are, by API Gateway's own metrics. Reads only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.aws.session import Aws

_HOURS = 3
_HOUR = 3600  # seconds
_ENOUGH = 50  # requests in an hour: of fewer, a twentieth is one cold start


def usual(aws: Aws, *, api: str, stage: str) -> float:
    """Milliseconds within which 95 % of a stage's requests were answered, in the slowest of the
    last hours that had enough of them; 0 where none had.

    Source: API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs", Latency.
    """
    if not api or not stage:
        return 0.0
    end = int(aws.clock()) // _HOUR * _HOUR + _HOUR
    queries: Any = [_query(name, *wanted, api=api, stage=stage) for name, wanted in _WANTED.items()]
    found = aws.metrics.get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(end - _HOURS * _HOUR, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
    )
    by_hour = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True))
        for each in found["MetricDataResults"]
    }
    counts, latencies = by_hour.get("requests", {}), by_hour.get("latency", {})
    told = [latencies[hour] for hour, count in counts.items() if count >= _ENOUGH]
    return float(round(max(told, default=0.0)))


_WANTED = {"requests": ("Count", "Sum"), "latency": ("Latency", "p95")}


def _query(name: str, metric: str, statistic: str, *, api: str, stage: str) -> dict[str, Any]:
    dimensions = [{"Name": "ApiId", "Value": api}, {"Name": "Stage", "Value": stage}]
    named = {"Namespace": "AWS/ApiGateway", "MetricName": metric, "Dimensions": dimensions}
    return {
        "Id": name,
        "MetricStat": {"Metric": named, "Period": _HOUR, "Stat": statistic},
    }
