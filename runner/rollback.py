"""`rollback`: production goes to a release that lies ready, by pointers alone.

No build, no upload, no GitHub: everything it needs is seen to be there before anything moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from runner.aim import Aim, aimed
from runner.aws import holds
from runner.aws.leases import Lease
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.errors import JamError, Problem, aws_error, busy_error
from runner.guard.rollout import Act
from runner.model import Release
from runner.names import Names
from runner.plan.back import plan_back
from runner.plan.live import Hold, Live
from runner.plan.refs import Ref
from runner.plan.steps import Plan
from runner.promote import Follower
from runner.report.text import Outcome, changes
from runner.report.watch import Watcher
from runner.standing import (
    Standing,
    around,
    carried_out,
    environment_of,
    live_beside,
    stood,
)
from runner.together import at_once
from runner.turn import leasing, told


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
    """How production gets there, decided upon what is live now; `revisions` as `Around` has them,
    `free` as `Aim` has it."""

    there: Environment
    live: Live
    release: Release
    plan: Plan
    revisions: Mapping[str, str]
    free: bool

    @property
    def is_there(self) -> bool:
        """Nothing has to move, and nobody is at it."""
        return self.plan.is_empty and not self.there.rollout and self.there.holder is None

    @property
    def changes(self) -> tuple[str, ...]:
        """What a visitor will find changed."""
        return changes(self.release, self.live) if not self.plan.is_empty else ()


def way_back(
    aws: Aws, names: Names, wish: Wish, *, unsure: bool = False, aim: Aim | None = None
) -> Way:
    """Where to and how; changes nothing. Raises JamError `JAM-ROLLBACK-*` if it cannot be."""
    aim = aim or aimed(aws, names, wish.release)
    there, target = aim.there, aim.target
    with at_once(1, name="around") as pool:
        now = pool.submit(around, aws, names, there=there)
        found = stood(
            aws,
            names,
            target,
            there=there,
            staged=aim.staged,
            served=lambda: now.result().manifest,
        )
        found, seen = _whole(target, found, there=there), now.result()
    live = live_beside(names, found, there=there, seen=seen, unsure=unsure)
    hold = _hold(aws, wish, there=there, target=target) if wish.hold else None
    return Way(
        there=there,
        live=live,
        release=found.release,
        plan=plan_back(found.release, live, hold=hold, is_routed=found.condition.is_routed),
        revisions=seen.revisions,
        free=aim.free,
    )


def rollback(
    aws: Aws,
    names: Names,
    wish: Wish,
    *,
    watcher: Watcher,
    clock: Callable[[], float],
    aim: Aim | None = None,
    begun: float | None = None,
) -> tuple[Outcome, tuple[str, ...]]:
    """Goes there; returns the result and what visitors find changed. `clock` counts seconds.

    `aim` is what the wish was found to mean, by whoever looked, and `begun` when that began.
    """
    begun = clock() if begun is None else begun
    with leasing(aws, names, run=wish.run) as lease:
        with watcher.stage("check"):
            aim = aim or aimed(aws, names, wish.release)
            first = _seen(aws, names, wish, aim=aim, lease=lease)  # refused before anything moves
        way = first
        if not first.is_there:
            lease.take(say=watcher.note)
            way = _at_last(aws, names, wish, first=first, lease=lease, watcher=watcher)
            _go(aws, names, way, lease=lease, watcher=watcher, clock=clock, ends=True)
            lease.done()
    if wish.hold and way.plan.is_empty:  # else it came with the record
        hold = _hold(aws, wish, there=first.there, target=way.release.id)
        holds.put(aws, names, hold)
    if not wish.hold and (held := first.there.hold):
        watcher.note(f"production is still held ({held.why}), until `jam-deploy unhold`")
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


def _seen(aws: Aws, names: Names, wish: Wish, *, aim: Aim, lease: Lease) -> Way:
    """The way, and meanwhile the lease where it will be asked for: once, so that a refusal waits
    for nobody."""
    if not aim.moves or aim.there.rollout:
        return way_back(aws, names, wish, aim=aim)
    with at_once(1, name="lease") as pool:
        asked = pool.submit(lease.attempt)
        way = way_back(aws, names, wish, aim=aim)
        asked.result()
    return way


def _at_last(
    aws: Aws, names: Names, wish: Wish, *, first: Way, lease: Lease, watcher: Watcher
) -> Way:
    """The way as it is under the lease, the candidate of an open rollout taken back.

    Where anybody had the lease since the first look all is looked at once more: another run may
    have ended meanwhile, or a `gc`. Where nobody had, nobody opened a rollout either; what changes
    without it, by a person's hand or a guard's that was late, the record's number tells, which is
    a condition of the last write.
    """
    alone = first.free and lease.token == first.there.turns + 1 and not lease.inherited
    if alone and not first.there.rollout:
        return first
    now = environment_of(aws, names)
    if now.rollout:
        with watcher.stage("rollout"):
            known = {Ref(made): value for made, value in now.ids.items()}
            follower = Follower(aws, names, known=known, say=watcher.note)
            ended = follower.act(Act.TAKE_BACK, f"{wish.by or 'somebody'} rolled production back")
        if ended.outcome == "open":
            raise _stuck()
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
    ends: bool = False,
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
            revisions={} if way.plan.stage else way.revisions,  # staging writes to the store
            ends=ends,
        )


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
