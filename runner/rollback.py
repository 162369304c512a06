"""`rollback`: production goes to a release that lies ready, by pointers alone.

No build, no upload, no GitHub: everything it needs is seen to be there before anything moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.aws import holds
from runner.aws.leases import Lease
from runner.aws.records import Environment
from runner.aws.session import Aws
from runner.errors import JamError, Problem, aws_error, busy_error, site_error
from runner.guard.rollout import Act
from runner.model import Release
from runner.names import Names
from runner.plan.back import before, plan_back
from runner.plan.live import Hold, Live
from runner.plan.refs import Ref
from runner.plan.steps import Plan
from runner.promote import Follower
from runner.report.text import Outcome, changes
from runner.report.watch import Watcher
from runner.standing import (
    Standing,
    carried_out,
    environment_of,
    live_beside,
    named,
    standing,
)
from runner.turn import leased, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants: `release` is an id or its beginning, empty for the one before.

    `by` is who asks, `run` how others find this run; `near` is the embedded cloud's address.
    """

    release: str = ""
    hold: bool = True
    by: str = ""
    run: str = ""
    near: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How production gets there, decided upon what is live now."""

    there: Environment
    live: Live
    release: Release
    plan: Plan

    @property
    def is_there(self) -> bool:
        """Nothing has to move, and nobody is at it."""
        return self.plan.is_empty and not self.there.rollout and self.there.holder is None

    @property
    def changes(self) -> tuple[str, ...]:
        """What a visitor will find changed."""
        return changes(self.release, self.live) if not self.plan.is_empty else ()


def way_back(aws: Aws, names: Names, wish: Wish, *, unsure: bool = False) -> Way:
    """Where to and how; changes nothing. Raises JamError `JAM-ROLLBACK-*` if it cannot be."""
    there = environment_of(aws, names)
    target = _target(aws, names, wish.release, there=there)
    found = _whole(target, standing(aws, names, target, there=there), there=there)
    live = live_beside(aws, names, found, there=there, unsure=unsure)
    hold = _hold(aws, wish, there=there, target=target) if wish.hold else None
    return Way(
        there=there,
        live=live,
        release=found.release,
        plan=plan_back(found.release, live, hold=hold, is_routed=found.condition.is_routed),
    )


def rollback(
    aws: Aws, names: Names, wish: Wish, *, watcher: Watcher, clock: Callable[[], float]
) -> tuple[Outcome, tuple[str, ...]]:
    """Goes there; returns the result and what visitors find changed. `clock` counts seconds."""
    begun = clock()
    with watcher.stage("check"):
        first = way_back(aws, names, wish)  # refused before anything is touched
    way = first
    if not first.is_there:
        with leased(aws, names, run=wish.run, say=watcher.note) as lease:
            way = _at_last(aws, names, wish, first=first, lease=lease, watcher=watcher)
            _go(aws, names, way, lease=lease, watcher=watcher, clock=clock)
            lease.done()
    if wish.hold and way.plan.is_empty:  # else it came with the record
        hold = _hold(aws, wish, there=first.there, target=way.release.id)
        holds.put(aws, names, hold)
    done = told(
        aws,
        names,
        first.there,
        outcome="unchanged" if first.is_there else "live",
        release=way.release.id,
        seconds=clock() - begun,
        near=wish.near,
    )
    return done, way.changes


def mend(
    aws: Aws, names: Names, *, lease: Lease, watcher: Watcher, clock: Callable[[], float]
) -> None:
    """Sets alias, store, schedules and streams as the live release's record has them."""
    live = environment_of(aws, names).release
    way = way_back(aws, names, Wish(release=live, hold=False), unsure=True)
    _go(aws, names, way, lease=lease, watcher=watcher, clock=clock)
    lease.done()


def follow(
    aws: Aws, names: Names, *, lease: Lease, watcher: Watcher, clock: Callable[[], float]
) -> None:
    """What the live release still waits for since the guard promoted it: without a build."""
    live = environment_of(aws, names).release
    wish = Wish(release=live, hold=False)
    way = way_back(aws, names, wish, unsure=lease.inherited is not None)
    _go(aws, names, way, lease=lease, watcher=watcher, clock=clock)
    lease.done()


def _at_last(
    aws: Aws, names: Names, wish: Wish, *, first: Way, lease: Lease, watcher: Watcher
) -> Way:
    """The way as it is under the lease, the candidate of an open rollout taken back.

    Where anybody had the lease since the first look all is looked at once more: another run may
    have ended meanwhile, or a `gc`.
    """
    now = environment_of(aws, names)
    if now.rollout:
        with watcher.stage("rollout"):
            known = {Ref(made): value for made, value in now.ids.items()}
            follower = Follower(aws, names, known=known, say=watcher.note)
            ended = follower.act(Act.TAKE_BACK, f"{wish.by or 'somebody'} rolled production back")
        if ended.outcome == "open":
            raise _stuck()
    alone = lease.token == first.there.turns + 1 and not lease.inherited
    if alone and not now.rollout and now.sequence == first.there.sequence:
        return first
    return way_back(aws, names, _same(wish, first), unsure=lease.inherited is not None)


def _same(wish: Wish, first: Way) -> Wish:
    """What was meant when the person asked, whatever is live by now."""
    return replace(wish, release=first.release.id)


def _go(
    aws: Aws,
    names: Names,
    way: Way,
    *,
    lease: Lease,
    watcher: Watcher,
    clock: Callable[[], float],
) -> None:
    with watcher.stage("switch"):
        carried_out(
            aws,
            names,
            replace(way.plan.switching, stage=way.plan.stage),
            release=way.release,
            live=way.live,
            lease=lease,
            watcher=watcher,
            clock=clock,
        )


def _target(aws: Aws, names: Names, wanted: str, *, there: Environment) -> str:
    """The release that is meant. An open rollout is taken back to what was live before it."""
    if not wanted:
        if there.rollout:
            return there.release
        found = before(_history(there))
        if found:
            return found
        raise site_error(
            "JAM-ROLLBACK-NOTHING",
            f"There is no release before {there.release[:8]}, which is live.",
            hint="`jam-deploy releases` lists those that can be named.",
        )
    return named(aws, names, wanted)


def _history(there: Environment) -> Live:
    return Live(release=there.release, previous=there.previous, history=there.history)


def _whole(target: str, found: Standing | None, *, there: Environment) -> Standing:
    """All that only a build could make again is there, or JamError `JAM-ROLLBACK-GONE`."""
    if found is None:
        raise _lost(target, ("its record does not say what it is made of",))
    streams = {each.name for each in there.streams}
    urls = tuple(
        f"function {each.name} streams, and its URL was taken down"
        for each in found.release.functions
        if each.stream and each.name not in streams
    )
    if found.condition.lost or urls:
        raise _lost(target, (*found.condition.lost, *urls))
    return found


def _hold(aws: Aws, wish: Wish, *, there: Environment, target: str) -> Hold:
    left = there.rollout or there.release
    why = f"rolled back from {left[:8]} to {target[:8]}"
    if left == target:
        why = f"kept at {target[:8]}"
    return Hold(by=wish.by, why=why, at=int(aws.clock()))


def _lost(target: str, parts: tuple[str, ...]) -> JamError:
    return aws_error(
        "JAM-ROLLBACK-GONE",
        f"Release {target[:8]} cannot go live again as it is; nothing was changed.",
        hint="Deploy its commit again, or choose another of `jam-deploy releases`.",
        problems=tuple(Problem(where=target[:8], message=part) for part in parts),
    )


def _stuck() -> JamError:
    return busy_error(
        "JAM-ROLLOUT-OPEN",
        "The open rollout could not be taken back in time; visitors get the live release.",
        hint="Run `jam-deploy settle`, then this again.",
    )
