"""What the embedded cloud counts of invocations is what CloudWatch answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.local.compute.invoking import Invocation
from runner.local.compute.metrics import Metrics, dimensions_of, values_of

AT = 1_800_000_030.0  # half a minute past a minute


def told(**more: Any) -> Invocation:
    given: dict[str, Any] = {
        "function": "f",
        "region": "eu-west-1",
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
    sets = dimensions_of(told(qualifier=qualifier))
    assert sets[:2] == ((), (("FunctionName", "f"),))
    assert dict(sets[2]) == {"FunctionName": "f", "Resource": resource}
    assert [dict(each)["ExecutedVersion"] for each in sets[3:]] == ([executed] if executed else [])


def data(metrics: Metrics, metric: str, dimensions: int, region: str = "eu-west-1") -> list[Any]:
    return [
        each
        for each in metrics.data(region)
        if each.name == metric and len(each.dimensions) == dimensions
    ]


def test_invocations_of_a_minute_are_one_data_point_at_its_begin():
    metrics = Metrics(lambda: AT)
    for seconds in (0.1, 0.3, 0.2):
        metrics.count(told(seconds=seconds))
    metrics.count(told(at=AT + 60))
    metrics.count(told(region="us-east-1"))
    first, second = data(metrics, "Duration", 2)
    assert (first.min, first.max, first.sample_count) == (100, 300, 3)
    assert first.sum == pytest.approx(600)
    assert first.unit == "Milliseconds"
    assert first.timestamp.replace(tzinfo=UTC).timestamp() == AT - 30
    assert second.timestamp - first.timestamp == timedelta(minutes=1)


def test_data_points_are_kept_for_fifteen_days():
    metrics = Metrics(lambda: AT + 15 * 86400 + 60)
    metrics.count(told())
    metrics.count(told(at=AT + 120))
    assert len(data(metrics, "Invocations", 0)) == 1


def test_a_reset_forgets_all():
    metrics = Metrics(lambda: AT)
    metrics.count(told())
    metrics.reset()
    assert metrics.data("eu-west-1") == []


def test_moto_answers_with_what_was_counted():
    from moto.backends import get_backend

    metrics = Metrics(lambda: AT)
    metrics.count(told(error="Error"))
    metrics.count(told())
    end = datetime.fromtimestamp(AT + 60, UTC).replace(tzinfo=None)
    (result,) = get_backend("cloudwatch")["123456789012"]["eu-west-1"].get_metric_data(
        [
            {
                "Id": "e",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": "Errors",
                        "Dimensions": [
                            {"Name": "FunctionName", "Value": "f"},
                            {"Name": "Resource", "Value": "f:3"},
                        ],
                    },
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
        ],
        end - timedelta(hours=1),
        end,
    )
    assert result["values"] == [1]
