"""`settle`: whatever is open is followed to its end, or ended as a person wants it; what a release
still waits for that the guard promoted alone is done, without a build. Safe twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.aws import records
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.guard.rollout import Act
from runner.names import PRODUCTION, Names
from runner.plan.refs import Ref
from runner.promote import Ended, Follower
from runner.report.rollout import told_of
from runner.report.watch import Watcher
from runner.rollback import follow
from runner.turn import leased


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is live after it, and what became of the rollout; None where none was open.

    `followed`: schedules, streams, CORS or upkeep went with the live release only now.
    """

    site: str
    release: str
    previous: str
    url: str
    ended: Ended | None
    followed: bool = False

    @property
    def outcome(self) -> str:
        return self.ended.outcome if self.ended else "unchanged"


def settle(
    aws: Aws,
    names: Names,
    *,
    promote: bool,
    run: str,
    watcher: Watcher,
    clock: Callable[[], float],
) -> Settled:
    """Follows the open rollout of production; with `promote` ends it in the candidate's favour.

    `run` is how others find this run, `clock` counts seconds.
    """
    there = _there(aws, names)
    ended: Ended | None = None
    if there.rollout:
        with watcher.stage("rollout"):
            ended = _ended(aws, names, there, promote=promote, watcher=watcher)
        there = _there(aws, names)
    followed = there.trailing and not there.rollout
    if followed:
        with (
            watcher.stage("follow"),
            leased(aws, names, run=run, say=watcher.note) as lease,
        ):
            follow(aws, names, lease=lease, watcher=watcher, clock=clock)
    return _settled(names, there, ended=ended, followed=followed)


def _ended(aws: Aws, names: Names, there: Environment, *, promote: bool, watcher: Watcher) -> Ended:
    known = {Ref(made): value for made, value in there.ids.items()}
    follower = Follower(aws, names, known=known, say=watcher.note)
    return follower.act(Act.PROMOTE, "a person promoted it") if promote else follower.follow()


def _there(aws: Aws, names: Names) -> Environment:
    with explained():
        found = records.read(aws, names, release="")
    return found[0] if found else Environment()


def document(settled: Settled) -> dict[str, Any]:
    """As --json tells it."""
    return {
        "site": settled.site,
        "environment": PRODUCTION,
        "release": settled.release,
        "previous": settled.previous,
        "url": settled.url,
        "outcome": settled.outcome,
        "followed": settled.followed,
        "rollout": told_of(settled.ended) if settled.ended else None,
    }


def text(settled: Settled) -> str:
    """As a person reads it."""
    live = f"release {settled.release[:8]} is live" if settled.release else "nothing is live"
    if settled.followed:
        live += ", and all that goes with it"
    if settled.ended is None:
        return f"{settled.site}: nothing was open; {live}"
    said = {
        "live": "the candidate was promoted",
        "rolled_back": "the candidate was taken back",
        "open": "the rollout is still open",
    }
    why = f" ({settled.ended.why})" if settled.ended.why else ""
    return f"{settled.site}: {said.get(settled.outcome, settled.outcome)}{why}; {live}"


def _settled(
    names: Names, environment: Environment, *, ended: Ended | None, followed: bool
) -> Settled:
    host = environment.host
    return Settled(
        site=names.site,
        release=environment.release,
        previous=environment.previous,
        url=f"https://{host}" if host else "",
        ended=ended,
        followed=followed,
    )
