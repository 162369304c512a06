"""Decides which releases are kept and which go, and what nothing accounts for any more. Pure.

A release goes in two steps: its routing first, so that no new visitor is pinned to it; everything
else once the longest-lived pin to it has run out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from runner.names import PRODUCTION, Names
from runner.plan.inventory import Thing, What, is_removable
from runner.plan.ledger import Entry, Ledger, explained

DAY = 24 * 3600  # seconds
# As long as the cookie `jam-pin` lives (docs/architecture.md, Router).
PIN = 7 * DAY
# A run that still stages after so long is none: a job at GitHub ends after six hours.
# Source: GitHub Actions, "Usage limits", job execution time.
UNFINISHED = DAY

_RELEASES_KEYS = ("r/", "h/")  # of releases: all else in the store is somebody else's to take out

# What killed runs and old releases leave; the foundation's own kinds are never collected.
COLLECTED = frozenset(
    {
        What.ALARM,
        What.SCHEDULE,
        What.DNS_RECORD,
        What.CERTIFICATE,
        What.KEY,
        What.API_STAGE,
        What.SPARE_DEPLOYMENT,
        What.VERSION,
        What.FUNCTION,
        What.ROLE,
        What.LOG_GROUP,
        What.OBJECTS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The last so many releases are kept, and all that are younger than so many days."""

    releases: int = 10
    days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What to do with each release that is not simply kept.

    `expire` lose their routing from now on, all of `unrouted` have none; `revive` were marked so
    and are kept again; `remove` go. `idle` are api_stages of kept releases that nobody needs until
    one is activated or opened: then it is made again. `left` is what the records say after it.
    """

    expire: tuple[str, ...] = ()
    unrouted: tuple[str, ...] = ()
    revive: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    idle: frozenset[str] = frozenset()
    left: Ledger


def collection(ledger: Ledger, retention: Retention, *, now: float, wanted: str = "") -> Collection:
    """What becomes of each release at the epoch second `now`; `wanted` is kept in any case."""
    kept = kept_releases(ledger, retention, now=now) | {wanted}
    old = [each for each in ledger.entries if each.release not in kept]
    ready = [each for each in old if each.is_ready]
    gone = [
        *(each.release for each in ready if each.expired and now - each.expired >= PIN),
        *(each.release for each in old if not each.is_ready),
    ]
    left = _without(ledger, frozenset(gone))
    idle = idle_stages(left, now=now)
    asleep = (each.release for each in left.entries if each.api_stage in idle)
    return Collection(
        expire=tuple(each.release for each in ready if not each.expired),
        unrouted=(*(each.release for each in ready), *asleep),
        revive=tuple(
            each.release for each in ledger.entries if each.release in kept and each.expired
        ),
        remove=tuple(gone),
        idle=idle,
        left=left,
    )


def kept_releases(ledger: Ledger, retention: Retention, *, now: float) -> frozenset[str]:
    """Live, candidate and the one before; the last ones, made or live; the young, and the opened.

    A release without a record of when it was made is kept; previews' go with their preview.
    """
    pointed = {ledger.live, ledger.candidate, ledger.previous}
    others = {each.release for each in ledger.entries if each.environment != PRODUCTION}
    mine = [each for each in ledger.entries if each.environment == PRODUCTION and each.is_ready]
    ready = sorted(mine, key=_at, reverse=True)
    last = {each.release for each in ready[: retention.releases]}
    young = {each.release for each in ready if now - each.at < retention.days * DAY or not each.at}
    busy = {
        each.release for each in ledger.entries if _is_begun(each, now=now) or each.opened > now
    }
    return frozenset(
        {*pointed, *others, *last, *ledger.history[: retention.releases], *young, *busy}
    )


def idle_stages(ledger: Ledger, *, now: float) -> frozenset[str]:
    """Those that stand for a release, but not in the record of what is live.

    `settle` dropped them, or should have, and somebody opened their release since. A release that
    was staged within a day may still wait for its turn, behind a hold say.
    """
    pointed = (ledger.live, ledger.candidate, ledger.previous)
    busy = {
        each.api_stage
        for each in ledger.entries
        if each.release in pointed
        or each.environment != PRODUCTION
        or max(each.opened, each.at + UNFINISHED) > now
    }
    known = {each.api_stage for each in ledger.entries if each.api_stage}
    return frozenset(known - busy - dict(ledger.stages).keys())


def strays(
    there: Iterable[Thing], decided: Collection, names: Names, *, outdated: Iterable[Thing] = ()
) -> Iterator[Thing]:
    """What bears this site's tags and nothing accounts for; the routing of what has none.

    `outdated` are versions of our own programs that nothing calls any more.
    """
    left = decided.left
    routed = {f"r/{each}" for each in decided.unrouted}
    old = frozenset(outdated)
    is_staging = any(not each.is_ready for each in left.entries)
    for each in there:
        ours = is_removable(each, site=names.site, environment=PRODUCTION)
        if not ours or each.kind not in COLLECTED:
            continue
        if each.kind is What.KEY and not each.name.startswith(_RELEASES_KEYS):
            continue
        is_routing = each.kind is What.KEY and each.name in routed
        is_idle = each.kind is What.API_STAGE and each.name in decided.idle
        is_spare = each.kind is What.SPARE_DEPLOYMENT and not is_staging
        if is_routing or is_idle or is_spare or each in old or not explained(each, left, names):
            yield each


def outdated(there: Iterable[Thing], names: Names) -> Iterator[Thing]:
    """Old versions of guard, keeper and acceptor. Those two are called as they are, not by version;
    an api_stage says which version of the acceptor it calls, and if one does not, all stay.
    """
    listed = tuple(there)
    versions = [each for each in listed if each.kind is What.VERSION]
    called = {each.calls for each in listed if each.kind is What.API_STAGE}
    for each in versions:
        newest = max(int(other.key) for other in versions if other.of == each.of)
        is_old = int(each.key) < newest
        if each.of in (names.guard, names.keeper) and is_old:
            yield each
        if each.of == names.acceptor and is_old and not called & {each.key, ""}:
            yield each


def _is_begun(entry: Entry, *, now: float) -> bool:
    return not entry.is_ready and now - entry.at < UNFINISHED


def _at(entry: Entry) -> int:
    return entry.at


def _without(ledger: Ledger, gone: frozenset[str]) -> Ledger:
    stages = tuple(
        (stage, users)
        for stage, all_users in ledger.stages
        if (users := tuple(each for each in all_users if each not in gone))
    )
    entries = tuple(each for each in ledger.entries if each.release not in gone)
    previous = "" if ledger.previous in gone else ledger.previous
    return replace(ledger, entries=entries, stages=stages, previous=previous)
