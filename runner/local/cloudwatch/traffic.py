"""What API Gateway and CloudFront count of a request. Pure.

Sources: API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs in API Gateway";
CloudFront developer guide, "Types of metrics for CloudFront".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.local.cloudwatch.store import Dimensions, Metric, Sample

API = "AWS/ApiGateway"
EDGE = "AWS/CloudFront"
_EDGE_REGION = "us-east-1"  # where CloudFront's metrics are, all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request to a stage. Times in milliseconds; `integration` is None if none was asked.

    `route` is empty unless the route's metrics are detailed.
    """

    region: str
    api: str
    stage: str
    method: str
    route: str
    status: int
    latency: float
    integration: float | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRequest:
    """One request that a distribution answered; sizes in bytes."""

    distribution: str
    status: int
    uploaded: int
    downloaded: int


def of_api(told: ApiRequest) -> Iterator[Sample]:
    """The averages of `4xx` and `5xx` are rates: every request is one of them or it is not."""
    values: list[tuple[str, float, str]] = [
        ("Count", 1, "Count"),
        ("4xx", float(400 <= told.status < 500), "Count"),
        ("5xx", float(told.status >= 500), "Count"),
        ("Latency", told.latency, "Milliseconds"),
        ("DataProcessed", told.size, "Bytes"),
    ]
    if told.integration is not None:
        values.append(("IntegrationLatency", told.integration, "Milliseconds"))
    for name, value, unit in values:
        for dimensions in _api_dimensions(told):
            yield Sample(Metric(told.region, API, name, dimensions), value, unit)


def of_edge(told: EdgeRequest) -> Iterator[Sample]:
    """Error rates are percentages: a minute's average of 100 and 0."""
    client, server = 400 <= told.status < 500, told.status >= 500
    dimensions = (("DistributionId", told.distribution), ("Region", "Global"))
    for name, value, unit in (
        ("Requests", 1, "None"),
        ("BytesDownloaded", told.downloaded, "None"),
        ("BytesUploaded", told.uploaded, "None"),
        ("4xxErrorRate", 100 * client, "Percent"),
        ("5xxErrorRate", 100 * server, "Percent"),
        ("TotalErrorRate", 100 * (client or server), "Percent"),
    ):
        yield Sample(Metric(_EDGE_REGION, EDGE, name, dimensions), value, unit)


def _api_dimensions(told: ApiRequest) -> Iterator[Dimensions]:
    api, stage = ("ApiId", told.api), ("Stage", told.stage)
    yield (api,)
    yield (api, stage)
    if told.route:
        yield (api, ("Method", told.method), ("Resource", told.route), stage)
