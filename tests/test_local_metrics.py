"""What the embedded cloud counts of requests, as CloudWatch answers it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from runner.local.cloudwatch import Metric, Settings, Store
from runner.local.cloudwatch.points import Point
from runner.local.cloudwatch.traffic import ApiRequest, EdgeRequest, of_api, of_edge
from runner.local.compute.invoking import Invocation
from runner.local.compute.metrics import Metrics, dimensions_of, values_of

BEGIN = 1_800_000_000  # a whole minute
AT = BEGIN + 30.0
REGION = "eu-west-1"


class World:
    """A store whose clock moves when it is told to."""

    def __init__(self) -> None:
        self.now = AT
        self.settings = Settings()
        self.store = Store(lambda: self.now, self.settings)
        self.metrics = Metrics(self.store, lambda: self.now)

    def read(self, metric: str, dimensions: Any = (), *, minutes: int = 60) -> dict[int, Point]:
        named = Metric(REGION, "AWS/Lambda", metric, tuple(sorted(dimensions)))
        start = int(self.now) // 60 * 60 - minutes * 60
        return self.store.read(named, start=start, end=int(self.now), period=60)


def told(**more: Any) -> Invocation:
    given: dict[str, Any] = {
        "function": "f",
        "region": REGION,
        "qualifier": "3",
        "version": "3",
        "at": AT,
        "seconds": 0.25,
        "error": "",
        "cold": False,
    }
    return Invocation(**(given | more))


@pytest.mark.parametrize(
    ("invocation", "values"),
    [
        (told(), {"Invocations": 1, "Errors": 0, "Throttles": 0, "Duration": 250}),
        (told(error="Error"), {"Invocations": 1, "Errors": 1, "Throttles": 0, "Duration": 250}),
        (told(throttled=True, seconds=0), {"Throttles": 1}),
    ],
)
def test_a_throttled_call_is_no_invocation_and_an_error_is_one(invocation, values):
    assert values_of(invocation) == values


@pytest.mark.parametrize(
    ("qualifier", "resource", "executed"),
    [("", "f", None), ("$LATEST", "f:$LATEST", None), ("3", "f:3", None), ("live", "f:live", "3")],
)
def test_only_an_alias_tells_which_version_it_executed(qualifier, resource, executed):
    sets = dimensions_of("f", qualifier, "3")
    assert sets[:2] == ((), (("FunctionName", "f"),))
    assert dict(sets[2]) == {"FunctionName": "f", "Resource": resource}
    assert [dict(each)["ExecutedVersion"] for each in sets[3:]] == ([executed] if executed else [])


def test_invocations_of_a_minute_are_one_data_point_at_its_begin():
    world = World()
    for seconds in (0.1, 0.3, 0.2):
        world.metrics.count(told(seconds=seconds))
    world.metrics.count(told(at=AT + 60))
    world.metrics.count(told(region="us-east-1"))
    world.now = AT + 180
    read = world.read("Duration", [("FunctionName", "f"), ("Resource", "f:3")])
    first = read[BEGIN]
    assert list(read) == [BEGIN, BEGIN + 60]
    assert (first.least, first.most, first.count) == (100, 300, 3)
    assert first.total == pytest.approx(600)


def test_a_services_minute_can_be_read_a_little_after_it_ended():
    world = World()
    world.metrics.count(told())
    assert world.read("Invocations") == {}
    world.now = BEGIN + 60 + world.settings.service_delay - 1
    assert world.read("Invocations") == {}
    world.now += 1
    assert [point.total for point in world.read("Invocations").values()] == [1]


def test_there_is_no_metric_before_the_first_request():
    world = World()
    world.now += 3600
    assert list(world.store.listed(REGION, active_within=3600)) == []
    world.metrics.count(told())
    world.now += 3600
    assert world.read("Errors", [("FunctionName", "f")], minutes=200) != {}


def test_a_metric_is_listed_a_quarter_of_an_hour_after_its_data_can_be_read():
    world = World()
    world.store.put(Metric(REGION, "jam", "errors"), Point(), at=AT)
    world.now += 10
    assert len(world.store) == 1
    assert list(world.store.listed(REGION, active_within=86_400)) == []
    world.now += 900
    assert [each.name for each in world.store.listed(REGION, active_within=86_400)] == ["errors"]


@pytest.mark.parametrize(
    ("age", "period", "points"),
    [
        (3600, 1, 2),
        (3600, 60, 1),
        (4 * 3600, 1, 0),
        (4 * 3600, 60, 1),
        (16 * 86_400, 60, 0),
        (16 * 86_400, 300, 1),
        (64 * 86_400, 300, 0),
        (64 * 86_400, 3600, 1),
        (456 * 86_400, 3600, 0),
    ],
)
def test_older_data_is_kept_more_coarsely(age, period, points):
    world = World()
    metric = Metric(REGION, "jam", "errors")
    for second in (0, 1):
        point = Point()
        point.add(1)
        world.store.put(metric, point, at=BEGIN + second, resolution=1)
    world.now += 10
    assert len(world.store) == 1
    world.now = BEGIN + age
    again = Point()
    again.add(1)
    world.store.put(metric, again, at=world.now, resolution=1)
    world.now += 10
    hour = BEGIN // 3600 * 3600
    read = world.store.read(metric, start=hour, end=hour + 3600, period=period)
    assert len(read) == points
    assert sum(point.total for point in read.values()) == (2 if points else 0)


def test_counting_an_invocation_takes_microseconds():
    world = World()
    begun = time.perf_counter()
    for _ in range(10_000):
        world.metrics.count(told())
    assert time.perf_counter() - begun < 1  # 100 microseconds each; 1 is usual


def test_a_reset_forgets_all():
    world = World()
    world.metrics.count(told())
    world.store.clear()
    world.now += 180
    assert len(world.store) == 0


def test_how_many_run_at_once_is_told_of_the_account_and_of_the_function():
    world = World()
    world.metrics.count(told(concurrent=7, of_function=2))
    world.now += 180
    (account,) = world.read("ConcurrentExecutions").values()
    (function,) = world.read("ConcurrentExecutions", [("FunctionName", "f")]).values()
    assert (account.most, function.most) == (7, 2)


def api_request(**more: Any) -> ApiRequest:
    given: dict[str, Any] = {
        "region": REGION, "api": "abc", "stage": "s1", "method": "GET", "route": "",
        "status": 200, "latency": 12, "integration": 9.0, "size": 100,
    }  # fmt: skip
    return ApiRequest(**(given | more))


@pytest.mark.parametrize(("status", "client", "server"), [(200, 0, 0), (404, 1, 0), (503, 0, 1)])
def test_an_api_counts_errors_of_both_kinds_by_api_and_by_stage(status, client, server):
    samples = list(of_api(api_request(status=status)))
    found = {(each.metric.name, each.metric.dimensions): each.value for each in samples}
    for dimensions in ((("ApiId", "abc"),), (("ApiId", "abc"), ("Stage", "s1"))):
        assert found["4xx", dimensions] == client
        assert found["5xx", dimensions] == server
        assert found["Count", dimensions] == 1
        assert found["IntegrationLatency", dimensions] == 9
    assert len(found) == 12


def test_a_route_counts_by_itself_where_metrics_are_detailed():
    sets = {each.metric.dimensions for each in of_api(api_request(route="/notes/{id}"))}
    detailed = (("ApiId", "abc"), ("Method", "GET"), ("Resource", "/notes/{id}"), ("Stage", "s1"))
    assert detailed in sets
    assert len(sets) == 3


def test_no_integration_no_integration_latency():
    names = {each.metric.name for each in of_api(api_request(integration=None, status=404))}
    assert "IntegrationLatency" not in names


def test_a_distributions_error_rates_are_percentages_in_us_east_1():
    world = World()
    for status in (200, 200, 404, 502):
        request = EdgeRequest(distribution="E1", status=status, uploaded=0, downloaded=10)
        world.store.count(AT, request, of_edge)
    world.now += 180
    dimensions = (("DistributionId", "E1"), ("Region", "Global"))
    found = {}
    for name in ("4xxErrorRate", "5xxErrorRate", "TotalErrorRate", "Requests"):
        metric = Metric("us-east-1", "AWS/CloudFront", name, dimensions)
        (point,) = world.store.read(metric, start=BEGIN, end=BEGIN + 60, period=60).values()
        found[name] = (point.total / point.count, point.total)
    assert found["4xxErrorRate"][0] == found["5xxErrorRate"][0] == 25
    assert found["TotalErrorRate"][0] == 50
    assert found["Requests"][1] == 4
