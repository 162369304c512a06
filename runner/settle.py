"""`settle`: whatever is open is followed to its end, or ended as a person wants it. Safe twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.aws import records
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.guard.rollout import Act
from runner.names import PRODUCTION, Names
from runner.plan.refs import Made, Ref
from runner.promote import Ended, Follower, Say
from runner.report.rollout import told_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is live after it, and what became of the rollout; None where none was open."""

    site: str
    release: str
    previous: str
    url: str
    ended: Ended | None

    @property
    def outcome(self) -> str:
        return self.ended.outcome if self.ended else "unchanged"


def settle(aws: Aws, names: Names, *, promote: bool, say: Say) -> Settled:
    """Follows the open rollout of production; with `promote` ends it in the candidate's favour."""
    with explained():
        found = records.read(aws, names, release="")
    environment = found[0] if found else records.Environment()
    if not environment.rollout:
        return _settled(names, environment, ended=None)
    known = {Ref(made): value for made, value in environment.ids.items()}
    follower = Follower(aws, names, known=known, say=say)
    ended = follower.act(Act.PROMOTE, "a person promoted it") if promote else follower.follow()
    with explained():
        after = records.read(aws, names, release="")
    return _settled(names, after[0] if after else environment, ended=ended)


def document(settled: Settled) -> dict[str, Any]:
    """As --json tells it."""
    return {
        "site": settled.site,
        "environment": PRODUCTION,
        "release": settled.release,
        "previous": settled.previous,
        "url": settled.url,
        "outcome": settled.outcome,
        "rollout": told_of(settled.ended) if settled.ended else None,
    }


def text(settled: Settled) -> str:
    """As a person reads it."""
    live = f"release {settled.release[:8]} is live" if settled.release else "nothing is live"
    if settled.ended is None:
        return f"{settled.site}: nothing was open; {live}"
    said = {
        "live": "the candidate was promoted",
        "rolled_back": "the candidate was taken back",
        "open": "the rollout is still open",
    }
    why = f" ({settled.ended.why})" if settled.ended.why else ""
    return f"{settled.site}: {said.get(settled.outcome, settled.outcome)}{why}; {live}"


def _settled(names: Names, environment: records.Environment, *, ended: Ended | None) -> Settled:
    domain = environment.ids.get(Made.DOMAIN, "")
    return Settled(
        site=names.site,
        release=environment.release,
        previous=environment.previous,
        url=f"https://{domain}" if domain else "",
        ended=ended,
    )
