"""EventBridge Scheduler: what it refuses, and that schedules really fire, as their role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from tests.background_site import Site

OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def site(running: Cloud) -> Site:
    running.reset()
    return Site(running)


def plan(
    site: Site, target: dict[str, Any], expression: str = "rate(5 minutes)", **more: Any
) -> Any:
    given = {"Name": "tick", "FlexibleTimeWindow": OFF, "ScheduleExpression": expression}
    return site.scheduler.create_schedule(**(given | {"Target": target} | more))


def test_a_rate_calls_the_function_at_once_and_then_at_each_period(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    role = site.role("planner", "lambda:InvokeFunction", resource=arn)
    plan(site, {"Arn": arn, "RoleArn": role})
    site.leap(14 * 60)
    assert site.ran("f") == 3
