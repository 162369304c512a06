"""Rates: who is refused when, on the cloud's clock."""

from __future__ import annotations

from typing import Any

import pytest

from runner.local.clock import Clock
from runner.local.quotas import QUOTAS, RATES, Limiter, Rate
from runner.local.wire import AwsError


def at(moment: float) -> Clock:
    clock = Clock()
    clock.jump(moment)
    return clock


def refused(limiter: Limiter, service: str, operation: str) -> str:
    try:
        limiter.check(service, operation)
    except AwsError as error:
        return error.code
    return ""


def test_a_second_deployment_within_five_seconds_is_refused() -> None:
    clock = at(1000)
    limiter = Limiter(clock)
    said = []
    for moment in (1000, 1004, 1005, 1009, 1010):
        clock.jump(moment)
        said.append(refused(limiter, "apigatewayv2", "CreateDeployment"))
    assert said == ["", "TooManyRequestsException", "", "TooManyRequestsException", ""]


def test_a_refused_call_takes_no_token() -> None:
    clock = at(1000)
    limiter = Limiter(clock)
    limiter.check("apigatewayv2", "CreateDeployment")
    for _ in range(100):
        assert refused(limiter, "apigatewayv2", "CreateDeployment")
    assert not refused(limiter, "apigatewayv2", "GetApis")


@pytest.mark.parametrize(
    ("service", "operation", "burst"),
    [("lambda", "UpdateFunctionCode", 15), ("lambda", "GetFunction", 100),
     ("apigatewayv2", "GetApis", 40)],
)  # fmt: skip
def test_a_burst_is_let_through_and_one_more_is_not(
    service: str, operation: str, burst: int
) -> None:
    limiter = Limiter(at(1000))
    said = [refused(limiter, service, operation) for _ in range(burst + 1)]
    assert said == [""] * burst + ["TooManyRequestsException"]


def test_lambdas_control_plane_shares_one_bucket_but_invocations_are_free() -> None:
    limiter = Limiter(at(1000))
    for number in range(15):
        limiter.check("lambda", ("CreateFunction", "PublishVersion", "GetAlias")[number % 3])
    assert refused(limiter, "lambda", "ListFunctions")
    assert not any(refused(limiter, "lambda", "Invoke") for _ in range(200))


def test_a_fast_clock_refills_sooner() -> None:
    clock = Clock(speed=1000)
    limiter = Limiter(clock)
    limiter.check("apigatewayv2", "CreateDeployment")
    clock.sleep(5.5)
    assert not refused(limiter, "apigatewayv2", "CreateDeployment")


def test_services_without_a_rate_are_free() -> None:
    limiter = Limiter(at(1000))
    assert not any(refused(limiter, "s3", "PutObject") for _ in range(500))


@pytest.mark.parametrize("entry", [*QUOTAS, *RATES])
def test_every_number_names_its_page(entry: Any) -> None:
    assert entry.page
    assert entry.burst >= 1 if isinstance(entry, Rate) else entry.limit > 0
