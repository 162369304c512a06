"""What is live where: environments, their releases, their functions. Reads only.

`status` is gathered here and shown by runner/report/status.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.aws import promotion
from runner.aws.calls import Calls, calls
from runner.aws.deployed import Deployed, Described, Environment, describe_all, read_environment
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.guard.journal import Item
from runner.names import Names
from runner.package.functions.discover import route_of
from runner.together import at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionStatus:
    """`described` is None if Lambda does not have the version; `calls` if nobody may know.

    `route` is empty for a function that a schedule alone runs.
    """

    deployed: Deployed
    route: str
    described: Described | None
    calls: Calls | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStatus:
    """`rollout` is the record of the one that is open, or of the last; None without any."""

    environment: Environment
    functions: tuple[FunctionStatus, ...]
    rollout: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`now` is in epoch seconds: ages are told by it."""

    site: str
    region: str
    now: float
    environments: tuple[EnvironmentStatus, ...]


def status(aws: Aws, names: Names) -> Status:
    """Everything that is live of the site."""
    production = read_environment(aws, names)
    return Status(
        site=names.site,
        region=names.region,
        now=aws.clock(),
        environments=(_environment(aws, names, production),) if production else (),
    )


def _environment(aws: Aws, names: Names, environment: Environment) -> EnvironmentStatus:
    functions = environment.functions
    with at_once(1) as pool:
        counted = pool.submit(calls, aws, functions)
        described = describe_all(aws, functions)
        with explained():
            rollout = promotion.recorded(aws, names)
        rates = counted.result()
    return EnvironmentStatus(
        environment=environment,
        functions=tuple(
            _function(each, found, rates=rates)
            for each, found in zip(functions, described, strict=True)
        ),
        rollout=rollout,
    )


def _function(
    deployed: Deployed, described: Described | None, *, rates: Mapping[str, Calls] | None
) -> FunctionStatus:
    return FunctionStatus(
        deployed=deployed,
        route=route_of(deployed.name) if deployed.routed else "",
        described=described,
        calls=rates[deployed.name] if rates is not None else None,
    )
