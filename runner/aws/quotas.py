"""How near the account is to AWS's quotas that a deploy runs into. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.aws.edge import items_of
from runner.aws.refusals import tolerating
from runner.aws.session import Aws

NEAR = 0.8  # of a quota
MOST_STAGES = 10
# Source: CloudFront developer guide, "Quotas", General quotas on distributions; can be raised.
MOST_DISTRIBUTIONS = 500
# Source: CloudFront developer guide, "Quotas", Quotas on CloudFront Functions; can be raised.
MOST_EDGES = 100
# Source: CloudWatch user guide, "CloudWatch service quotas", Alarms; a region's, can be raised.
MOST_ALARMS = 5000
# What an account has until AWS raises it: new ones have less than the usual 1,000.
# Source: Lambda developer guide, "Lambda quotas", Concurrent executions.
FEW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One quota and how much of it is used, in `unit`s; `hint` frees or raises it."""

    what: str
    used: int
    limit: int
    hint: str
    is_bytes: bool = False

    @property
    def is_near(self) -> bool:
        return self.used >= self.limit * NEAR


_RAISE = "Ask for a higher quota in the Service Quotas console."
_GC = "`jam-deploy gc` removes releases past retention; else ask for a higher quota."


def quotas(aws: Aws, *, api: str) -> tuple[Quota, ...]:
    """Those that these credentials may see; `api` is the site's, empty without one."""
    looks: tuple[Callable[[], Iterator[Quota]], ...] = (
        lambda: _stages(aws, api),
        lambda: _lambda(aws),
        lambda: _edge(aws),
        lambda: _roles(aws),
        lambda: _alarms(aws),
    )
    found: list[Quota] = []
    for look in looks:
        with tolerating("AccessDenied", "AccessDeniedException", "NotFoundException"):
            found += look()
    return tuple(found)


def code_storage(aws: Aws) -> Quota | None:
    """Lambda's, for all versions of all functions; None where these credentials may not see it."""
    with tolerating("AccessDenied", "AccessDeniedException"):
        return _code(aws.functions.get_account_settings())
    return None


def concurrency(aws: Aws) -> int:
    """How many executions of functions the account may have at once."""
    return int(aws.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])


def _stages(aws: Aws, api: str) -> Iterator[Quota]:
    """Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API"."""
    if api:
        pages = aws.api.get_paginator("get_stages").paginate(ApiId=api)
        count = sum(len(page["Items"]) for page in pages)
        yield Quota(
            what=f"api_stages of the API {api}",
            used=count,
            limit=MOST_STAGES,
            hint="A deploy drops stages that no record names; `jam-deploy gc` drops older ones.",
        )


def _lambda(aws: Aws) -> Iterator[Quota]:
    """Source: Lambda API reference, GetAccountSettings."""
    found = aws.functions.get_account_settings()
    yield _code(found)
    limit = found["AccountLimit"]
    every = int(limit["ConcurrentExecutions"])
    free = int(limit.get("UnreservedConcurrentExecutions", every))
    yield Quota(what="Lambda's concurrency, reserved", used=every - free, limit=every, hint=_RAISE)


def _code(found: Any) -> Quota:
    return Quota(
        what="Lambda's code storage",
        used=int(found["AccountUsage"]["TotalCodeSize"]),
        limit=int(found["AccountLimit"]["TotalCodeSize"]),
        hint=_GC,
        is_bytes=True,
    )


def _edge(aws: Aws) -> Iterator[Quota]:
    listed = items_of(aws.edge.list_distributions, "DistributionList")
    yield _counted("CloudFront distributions", listed, MOST_DISTRIBUTIONS)
    programs = items_of(aws.edge.list_functions, "FunctionList", Stage="DEVELOPMENT")
    yield _counted("CloudFront functions", programs, MOST_EDGES)


def _counted(what: str, listed: Iterator[Any], limit: int) -> Quota:
    return Quota(what=what, used=sum(1 for _ in listed), limit=limit, hint=_RAISE)


def _roles(aws: Aws) -> Iterator[Quota]:
    """Source: IAM API reference, GetAccountSummary."""
    found: Any = aws.roles.get_account_summary()["SummaryMap"]
    if "RolesQuota" in found:
        yield Quota(
            what="IAM roles", used=int(found["Roles"]), limit=int(found["RolesQuota"]), hint=_RAISE
        )


def _alarms(aws: Aws) -> Iterator[Quota]:
    pages = aws.metrics.get_paginator("describe_alarms").paginate()
    used = sum(len(page["MetricAlarms"]) for page in pages)
    yield Quota(what="CloudWatch alarms", used=used, limit=MOST_ALARMS, hint=_RAISE)
