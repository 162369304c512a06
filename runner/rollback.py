"""`rollback`: production goes to a release that lies ready, by pointers alone.

No build, no upload, no GitHub: everything it needs is seen to be there before anything moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.apply import apply, known_of
from runner.aws import holds, kept, records
from runner.aws.kept import Condition
from runner.aws.leases import Lease
from runner.aws.live import read_live, versions_of
from runner.aws.perform import Content, performer
from runner.aws.records import Environment, Staged
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.upload import copy, put
from runner.errors import JamError, Problem, aws_error, site_error
from runner.guard.rollout import Act
from runner.model import Release
from runner.names import Names
from runner.package.manifest import manifest
from runner.plan.back import before, foundation_of, plan_back
from runner.plan.decide import Foundation
from runner.plan.definition import release_of
from runner.plan.live import Hold, Live
from runner.plan.refs import Made, Ref
from runner.plan.steps import Plan
from runner.promote import Follower
from runner.report.text import Outcome, changes
from runner.report.watch import Watcher
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
    foundation: Foundation
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
    there = _environment(aws, names)
    target = _target(aws, names, wish.release, there=there)
    release, staged, state = _kept(aws, names, target, there=there)
    live = _live(aws, names, release, there=there, unsure=unsure)
    live = replace(
        live,
        known={**live.known, **versions_of(staged)},
        stages=live.stages if state.has_stage else _without(live, staged.api_stage),
    )
    hold = _hold(aws, wish, there=there, target=target) if wish.hold else None
    foundation = foundation_of(release, live)
    return Way(
        there=there,
        live=live,
        release=release,
        foundation=foundation,
        plan=plan_back(release, live, hold=hold, is_routed=state.is_routed),
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
    live = _environment(aws, names).release
    way = way_back(aws, names, Wish(release=live, hold=False), unsure=True)
    _go(aws, names, way, lease=lease, watcher=watcher, clock=clock)
    lease.done()


def follow(
    aws: Aws, names: Names, *, lease: Lease, watcher: Watcher, clock: Callable[[], float]
) -> None:
    """What the live release still waits for since the guard promoted it: without a build."""
    live = _environment(aws, names).release
    wish = Wish(release=live, hold=False)
    way = way_back(aws, names, wish, unsure=lease.inherited is not None)
    _go(aws, names, way, lease=lease, watcher=watcher, clock=clock)
    lease.done()


def _at_last(
    aws: Aws, names: Names, wish: Wish, *, first: Way, lease: Lease, watcher: Watcher
) -> Way:
    """The way as it is under the lease, the candidate of an open rollout taken back."""
    now = _environment(aws, names)
    if now.rollout:
        with watcher.stage("rollout"):
            known = {Ref(made): value for made, value in now.ids.items()}
            follower = Follower(aws, names, known=known, say=watcher.note)
            ended = follower.act(Act.TAKE_BACK, f"{wish.by or 'somebody'} rolled production back")
        if ended.outcome == "open":
            raise _stuck()
    if not now.rollout and not lease.inherited and now.sequence == first.there.sequence:
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
    perform = performer(
        aws,
        names,
        release=way.release,
        foundation=way.foundation,
        content=Content(
            put=put, copy=copy, manifest=manifest, entry_archive=_nothing, guard_archive=_nothing
        ),
        lease=lease,
    )
    with watcher.stage("switch"):
        known = {**known_of(way.live, way.plan), Ref(Made.RECORD): ""}
        whole = replace(way.plan.switching, stage=way.plan.stage)
        apply(whole, perform, known=known, progress=watcher, clock=clock)


def _nothing(*_: object) -> bytes:
    raise AssertionError("a rollback builds nothing")


def _environment(aws: Aws, names: Names) -> Environment:
    with explained():
        found = records.read(aws, names, release="")
    if not found or not found[0].release:
        raise site_error(
            "JAM-ROLLBACK-NOTHING",
            f"Nothing of {names.site} is live in {names.region}.",
            hint="Look at `--site` and `--region`; `jam-deploy deploy` makes a first release.",
        )
    return found[0]


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
    ready = [each.release for each in kept.releases(aws, names) if each.is_ready]
    matches = [each for each in ready if each.startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(each[:8] for each in (matches or ready)[:10]) or "none"
    raise site_error(
        "JAM-ROLLBACK-UNKNOWN",
        f"{len(matches) or 'No'} kept releases begin with {wanted!r}.",
        hint=f"Name one of these: {known}. `jam-deploy releases` says more.",
    )


def _history(there: Environment) -> Live:
    return Live(release=there.release, previous=there.previous, history=there.history)


def _kept(
    aws: Aws, names: Names, target: str, *, there: Environment
) -> tuple[Release, Staged, Condition]:
    with explained():
        _, staged = records.read(aws, names, release=target) or (there, None)
    if staged is None or not staged.definition:
        raise _lost(target, ("its record does not say what it is made of",))
    state = kept.condition(aws, names, release=target, staged=staged, there=there)
    release = release_of(target, staged.definition, state.manifest)
    streams = {each.name for each in there.streams}
    urls = tuple(
        f"function {each.name} streams, and its URL was taken down"
        for each in release.functions
        if each.stream and each.name not in streams
    )
    if state.lost or urls:
        raise _lost(target, (*state.lost, *urls))
    return release, staged, state


def _live(aws: Aws, names: Names, release: Release, *, there: Environment, unsure: bool) -> Live:
    foundation = foundation_of(release, Live(foundation=there.foundation))
    return read_live(aws, names, release=release.id, foundation=foundation, unsure=unsure)


def _without(live: Live, api_stage: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Somebody deleted it by hand, or it was dropped: either way it is made again."""
    return tuple(each for each in live.stages if each[0] != api_stage)


def _hold(aws: Aws, wish: Wish, *, there: Environment, target: str) -> Hold:
    left = there.rollout or there.release
    why = f"rolled back from {left[:8]} to {target[:8]}"
    return Hold(by=wish.by, why=why, at=int(aws.clock()))


def _lost(target: str, parts: tuple[str, ...]) -> JamError:
    return aws_error(
        "JAM-ROLLBACK-GONE",
        f"Release {target[:8]} cannot go live again as it is; nothing was changed.",
        hint="Deploy its commit again, or choose another of `jam-deploy releases`.",
        problems=tuple(Problem(where=target[:8], message=part) for part in parts),
    )


def _stuck() -> JamError:
    return aws_error(
        "JAM-ROLLOUT-OPEN",
        "The open rollout could not be taken back in time; visitors get the live release.",
        hint="Run `jam-deploy settle`, then this again.",
    )
