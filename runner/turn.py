"""Whose turn it is to change production: runs in the order of their commits, one at a time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from runner.aws.leases import Lease, Say
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.model import Origin
from runner.names import PRODUCTION, Names
from runner.plan.live import Live
from runner.plan.order import IsAncestor, is_older
from runner.plan.refs import Made
from runner.report.text import Outcome


def origin_of(environment: Mapping[str, str]) -> Origin:
    """Where this run's release comes from; empty outside of a workflow.

    Source: GitHub Actions, "Variables reference", default environment variables.
    """
    workflow = environment.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    return Origin(
        commit=environment.get("GITHUB_SHA", ""),
        author=environment.get("GITHUB_ACTOR", ""),
        branch=environment.get("GITHUB_REF_NAME", ""),
        run=environment.get("GITHUB_RUN_ID", ""),
        workflow=workflow or environment.get("GITHUB_WORKFLOW", ""),
        number=_number(environment.get("GITHUB_RUN_NUMBER", "")),
        attempt=_number(environment.get("GITHUB_RUN_ATTEMPT", "")),
    )


def run_of(environment: Mapping[str, str]) -> str:
    """This run as other people find it: its page at GitHub, or whose machine it is on."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name, "") for name in names)
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    who, where = environment.get("USER", ""), environment.get("HOSTNAME", "")
    return f"a run of {who or 'somebody'}" + (f" on {where}" if where else "")


def newer_than(
    mine: Origin, there: Environment | Live, *, is_ancestor: IsAncestor | None
) -> Origin | None:
    """The run that came after `mine`, and made, offers or is at what is there; None without one."""
    for origin in (there.offered, there.origin, there.leasing):
        if is_older(mine, origin, is_ancestor=is_ancestor):
            return origin
    return None


def overtaken(by: Origin) -> str:
    """For people: why this run changes nothing."""
    number = f"run {by.number}" + (f", attempt {by.attempt}" if by.attempt > 1 else "")
    commit = f" of commit {by.commit[:12]}" if by.commit else ""
    return f"SUPERSEDED: {number if by.number else 'a newer run'}{commit} is newer, and came first"


@contextmanager
def leased(
    aws: Aws, names: Names, *, run: str, say: Say, origin: Origin | None = None
) -> Iterator[Lease]:
    """The lease of production: waited for, kept meanwhile, released after."""
    with leasing(aws, names, run=run, origin=origin) as lease:
        lease.take(say=say)
        yield lease


@contextmanager
def leasing(aws: Aws, names: Names, *, run: str, origin: Origin | None = None) -> Iterator[Lease]:
    """The same, not taken yet: kept from when it is, and released if it was."""
    lease = Lease(aws, names, owner=secrets.token_hex(8), run=run, origin=origin or Origin())
    with lease.kept():
        yield lease


def told(
    aws: Aws,
    names: Names,
    there: Environment,
    *,
    outcome: str,
    release: str,
    seconds: float,
    near: str = "",
) -> Outcome:
    """The result of a command that built nothing; `near` is the embedded cloud's address."""
    domain, api = there.ids.get(Made.DOMAIN, ""), there.ids.get(Made.API, "")
    stage = next((stage for stage, users in there.stages if release in users), "")
    url = f"https://{api}.execute-api.{names.region}.amazonaws.com/{stage}" if stage else ""
    port = urlsplit(near).port if near else None
    return Outcome(
        site=names.site,
        environment=PRODUCTION,
        release=release,
        previous=there.release if release != there.release else there.previous,
        url=f"https://{there.host}" if there.host else "",
        api_url=url,
        prefix=f"{PRODUCTION}/releases/{release}/",
        outcome=outcome,
        seconds=seconds,
        calls=aws.calls,
        local_url=f"http://{domain.partition('.')[0]}.localhost:{port}/" if port else "",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
