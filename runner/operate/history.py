"""The releases of a site and what became of each. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from runner.aws import kept, records, written
from runner.aws.kept import Judged, Kept
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.live import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A release and its state: live, candidate, previous, ready or staging.

    `judged` is its last rollout; None for one that all visitors got at once, or none yet.
    """

    kept: Kept
    state: str
    judged: Judged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    site: str
    releases: tuple[Listed, ...]
    hold: Hold | None


def history(aws: Aws, names: Names) -> History:
    """All releases on record, the newest first."""
    with explained():
        found = records.read(aws, names, release="")
    there = found[0] if found else written.Environment()
    rollouts = kept.judged(aws, names)
    states = {there.previous: "previous", there.rollout: "candidate", there.release: "live"}
    listed = tuple(
        Listed(
            kept=each,
            state=states.get(each.release) or _state(each),
            judged=rollouts.get(each.release),
        )
        for each in kept.releases(aws, names)
    )
    return History(site=names.site, releases=listed, hold=there.hold)


def _state(each: Kept) -> str:
    return "ready" if each.is_ready else "staging"
