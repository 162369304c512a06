"""How fast functions usually are: asked of a cloud's metrics, as the opening of a rollout does."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from runner.aws.latency import usual

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ELEVEN, TEN = NOON.replace(hour=11), NOON.replace(hour=10)


class Metrics:
    """CloudWatch with these counts and latencies by hour."""

    def __init__(self, hours: dict[datetime, tuple[float, float]]) -> None:
        self._hours = hours
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        told = {
            name: [values[place] for values in self._hours.values()]
            for place, name in enumerate(("requests", "latency"))
        }
        return {
            "MetricDataResults": [
                {"Id": name, "Timestamps": list(self._hours), "Values": values}
                for name, values in told.items()
            ]
        }


def _usual(hours: dict[datetime, tuple[float, float]], stage: str = "s1") -> float:
    aws: Any = SimpleNamespace(metrics=Metrics(hours), clock=lambda: NOON.timestamp() + 60)
    return usual(aws, api="a1", stage=stage)


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        ({ELEVEN: (400.0, 120.4), NOON: (60.0, 80.0)}, 120.0),
        ({TEN: (3.0, 900.0), NOON: (60.0, 80.0)}, 80.0),  # one cold start among three requests
        ({TEN: (3.0, 900.0)}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_slowest_hour_that_had_enough_requests_is_what_is_usual(
    hours: dict[datetime, tuple[float, float]], found: float
) -> None:
    assert _usual(hours) == found


def test_a_site_without_functions_has_nothing_that_is_usual() -> None:
    assert _usual({NOON: (60.0, 80.0)}, stage="") == 0.0
