"""What `status` says, as text and as JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.aws.calls import HOURS, Calls
from runner.aws.holders import Holder
from runner.guard.journal import rollout_of
from runner.model import Origin
from runner.operate.status import EnvironmentStatus, FunctionStatus, Status
from runner.plan.live import Hold
from runner.report.printable import printable
from runner.report.rollout import ending_of, recorded, status_lines

_AGES = (("d", 86400), ("h", 3600), ("min", 60))


def status_text(status: Status) -> str:
    """A paragraph for each environment, a line for each function."""
    if not status.environments:
        return f"{status.site}: nothing is live in {status.region}."
    paragraphs = ("\n".join(_environment_lines(status, each)) for each in status.environments)
    return printable("\n\n".join(paragraphs))


def status_document(status: Status) -> dict[str, Any]:
    return {
        "site": status.site,
        "region": status.region,
        "environments": [
            _environment_document(each, now=status.now) for each in status.environments
        ],
    }


def _environment_lines(status: Status, each: EnvironmentStatus) -> list[str]:
    found = each.environment
    lines = [
        f"{status.site}, {found.environment}: release {found.release[:8]}",
        f"  live since {_since(found.since, now=status.now)}",
        f"  from       {_origin(found.origin)}",
        f"  before it  {found.previous[:8] or 'nothing'}",
        f"  address    {found.url}",
    ]
    at_it = [*_hold(found.hold), *_holder(found.holder, now=status.now)]
    return [*lines, *at_it, *_trailing(each), *_function_lines(each.functions), *_rollout(each)]


def _hold(hold: Hold | None) -> list[str]:
    if hold is None:
        return []
    why = f": {hold.why}" if hold.why else ""
    by = f" by {hold.by}" if hold.by else ""
    return [f"  HELD       since {_moment(hold.at)}{by}{why}; `jam-deploy unhold` frees it"]


def _holder(holder: Holder | None, *, now: float) -> list[str]:
    """Who changes it now; one that is over, or silent for too long, ended in the middle."""
    if holder is None:
        return []
    if not _is_at_it(holder, now=now):
        return [f"  UNFINISHED {holder.run} ended in the middle; the next run puts it right"]
    return [f"  changed by {holder.run}, since {_since(holder.since, now=now)}"]


def _is_at_it(holder: Holder, *, now: float) -> bool:
    return holder.expires > now


def _trailing(each: EnvironmentStatus) -> list[str]:
    if not each.environment.trailing:
        return []
    return [
        "  TRAILING   the release is live, and this does not go with it yet; `jam-deploy settle` "
        "does it:",
        *(f"    {what}" for what in _left(each)),
    ]


def _left(each: EnvironmentStatus) -> tuple[str, ...]:
    """What is still to be done, as far as the rollout's record tells."""
    told = rollout_of(each.rollout["rollout"]["S"]) if each.rollout else None
    ours = told is not None and told.candidate == each.environment.release
    return (told.left if told and ours else ()) or ("schedules, streams, CORS or upkeep",)


def _rollout(each: EnvironmentStatus) -> list[str]:
    return [f"  {line}" for line in status_lines(each.rollout)] if each.rollout else []


def _since(since: int, *, now: float) -> str:
    if not since:
        return "an unknown time: the release was recorded without one"
    return f"{_moment(since)} ({_age(now - since)})"


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _age(seconds: float) -> str:
    for unit, factor in _AGES:
        if seconds >= factor:
            return f"{int(seconds // factor)} {unit} ago"
    return "just now"


def _origin(origin: Origin) -> str:
    """Which commit it was built from, by whom; with changes that are in none, if it is dirty."""
    if not origin.commit:
        return "no commit on record: deployed by hand, and from no git repository"
    branch = f" ({origin.branch})" if origin.branch else ""
    author = f" by {origin.author}" if origin.author else ""
    return f"commit {origin.short}{branch}{author}"


def _function_lines(functions: tuple[FunctionStatus, ...]) -> list[str]:
    if not functions:
        return ["  functions  none"]
    rows = [
        (each.deployed.name, _when(each), *_how(each), _calls(each.calls)) for each in functions
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return ["  functions", *(f"    {line}" for line in padded)]


def _when(each: FunctionStatus) -> str:
    """What runs it: a path, a schedule or both; `202` where its answer is not waited for."""
    background = each.deployed.background
    route = f"{each.route} (202)" if each.route and background.requests else each.route
    return ", ".join(filter(None, [route, background.schedule]))


def _how(each: FunctionStatus) -> tuple[str, str]:
    version = f"version {each.deployed.version}"
    if each.described is None:
        return "GONE: Lambda does not have it", version
    return each.described.runtime, version


def _calls(found: Calls | None) -> str:
    if found is None:
        return "errors unknown: these credentials lack cloudwatch:GetMetricData"
    if found.rate is None:
        return f"not called in {HOURS} h, so no error rate"
    return f"{found.failed} of {found.total} calls failed in {HOURS} h ({found.rate:.1%})"


def _hold_document(hold: Hold | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    since = datetime.fromtimestamp(hold.at, UTC).isoformat()
    return {"by": hold.by or None, "why": hold.why or None, "since": since}


def _holder_document(holder: Holder | None, *, now: float) -> dict[str, Any] | None:
    if holder is None:
        return None
    since = datetime.fromtimestamp(holder.since, UTC).isoformat()
    is_at_it = _is_at_it(holder, now=now)
    return {"run": holder.run, "since": since, "state": "running" if is_at_it else "unfinished"}


def _environment_document(each: EnvironmentStatus, *, now: float) -> dict[str, Any]:
    found = each.environment
    since = datetime.fromtimestamp(found.since, UTC).isoformat() if found.since else None
    return {
        "environment": found.environment,
        "release": found.release,
        "previous": found.previous or None,
        "since": since,
        "commit": found.origin.commit or None,
        "dirty": found.origin.dirty,
        "branch": found.origin.branch or None,
        "author": found.origin.author or None,
        "run": found.origin.run or None,
        "url": found.url,
        "hold": _hold_document(found.hold),
        "run_at_it": _holder_document(found.holder, now=now),
        "trailing": list(_left(each)) if found.trailing else [],
        "rollout": ending_of(each.rollout) | recorded(each.rollout) if each.rollout else None,
        "functions": [_function_document(function) for function in each.functions],
    }


def _function_document(each: FunctionStatus) -> dict[str, Any]:
    calls = each.calls
    return {
        "name": each.deployed.name,
        "function": each.deployed.function,
        "route": each.route or None,
        "schedule": each.deployed.background.schedule or None,
        "async": each.deployed.background.requests,
        "version": each.deployed.version,
        "runtime": each.described.runtime if each.described else None,
        "memory": each.described.memory if each.described else None,
        "timeout": each.described.timeout if each.described else None,
        "hours": HOURS,
        "calls": calls.total if calls else None,
        "errors": calls.failed if calls else None,
        "error_rate": calls.rate if calls else None,
    }
