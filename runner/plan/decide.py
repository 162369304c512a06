"""Decides what to do: what should be and what is go in, a `Plan` comes out.

Pure: no network, no clock, no disk. Going back is a plan too: call it with an older release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.model import Origin, Release, Upkeep
from runner.plan.background import moved_schedules
from runner.plan.domains import named, unnamed
from runner.plan.groundwork import Foundation, foundation_steps
from runner.plan.live import Live
from runner.plan.origins import allowed, recorded, reopened
from runner.plan.promotion import OpenRollout, Promotion
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    BringBackRouting,
    DropApiStage,
    MoveAlias,
    RecordFollowed,
    RecordLive,
    RecordStaged,
    Stages,
    TendFunction,
)
from runner.plan.staging import staged
from runner.plan.steps import Plan, StageStep, TidyingStep
from runner.plan.streaming import MoveStream, dropped, moved

REMEMBERED = 20  # releases that were live
KEPT_STAGES = 7  # live, candidate and the five before, of API Gateway's ten an API


def plan(
    release: Release,
    live: Live,
    *,
    foundation: Foundation,
    origin: Origin,
    promotion: Promotion | None = None,
) -> Plan:
    """The steps that make `live` serve `release`; an empty plan if it already does.

    With a `promotion` a rollout is opened where there is a release to compare with; `promoted` and
    `settle` follow when it has ended well.
    """
    firm = foundation.digest == live.foundation
    if firm and live.release == release.id and live.entry_agrees:
        return _steady(release, live, foundation=foundation)
    opens = promotion is not None and live.release not in ("", release.id)
    stages = _stages_after(release, live)
    stage = tuple(_staging(release, live, foundation=foundation, origin=origin, opens=opens))
    ready = () if live.staged else (RecordStaged(release=release),)
    recording = replace(
        _recording(release, live, foundation=foundation, stages=stages[:KEPT_STAGES]),
        origin=origin,
        history=_history(release, live),
    )
    streams = tuple(moved(release, _known(live)))
    others = (
        *moved_schedules(release, live, firm=firm and not live.trailing),
        *reopened(release, _known(live)),
    )
    settle = tuple(_settling(release, live, foundation=foundation))
    if promotion and opens:
        after = Plan(stage=stage, switch=ready, promoted=(*streams, *others), settle=settle)
        return _opening(release, live, promotion=promotion, recording=recording, after=after)
    switch = (
        *ready,
        MoveAlias(release=release.id),
        *streams,
        Activate(release=release.id, routing=release.routing, replaces=live.release),
        *others,
        recording,
    )
    return Plan(stage=stage, switch=switch, settle=settle)


def _staging(
    release: Release, live: Live, *, foundation: Foundation, origin: Origin, opens: bool
) -> Iterator[StageStep]:
    """What nobody sees: what is not as it should be of the foundation, and all of the release."""
    if foundation.digest != live.foundation:
        yield from foundation_steps(foundation, live)
    yield from named(foundation.domains, live)
    over = _stages_after(release, live)[KEPT_STAGES:]
    forgets = tuple(each for _, users in over for each in users)
    if not live.staged:
        yield from staged(
            release, live, foundation=foundation, origin=origin, opens=opens, forgets=forgets
        )
    yield from _brought_back(live, but=forgets)
    if over:
        gone = tuple(stage for stage, _ in over)
        yield DropApiStage(
            api_stages=gone,
            stays=tuple(each for each in live.stages if each[0] not in gone),
            sequence=live.sequence,
            releases=forgets if live.staged else (),
            after=() if live.staged else (Ref(Made.ROUTING),),
        )


def _settling(release: Release, live: Live, *, foundation: Foundation) -> Iterator[TidyingStep]:
    yield from _upkeep(release, _known(live))
    yield from dropped(foundation.streams, live, sequence=live.sequence + 1)
    yield from unnamed(foundation.domains, live)


def _opening(
    release: Release, live: Live, *, promotion: Promotion, recording: RecordLive, after: Plan
) -> Plan:
    """`after`, whose last two phases follow the rollout that is opened."""
    left = (*after.promoted, *after.settle)
    opened = OpenRollout(
        release=release.id,
        routing=release.routing,
        replaces=live.release,
        entry=live.entry,
        promotion=promotion,
        recording=replace(recording, trailing=bool(left)),
        streams=tuple(each.function for each in left if isinstance(each, MoveStream)),
        left=tuple(str(each) for each in left if not isinstance(each, MoveStream)),
    )
    done = (RecordFollowed(sequence=live.sequence + 1),) if left else ()
    return replace(after, switch=(*after.switch, opened), settle=(*after.settle, *done))


def _steady(release: Release, live: Live, *, foundation: Foundation) -> Plan:
    """What is live already; the guard promoted it if something of it still has to follow."""
    left: tuple[TidyingStep, ...] = (
        *dropped(foundation.streams, live, sequence=live.sequence),
        *unnamed(foundation.domains, live),
    )
    stage = tuple(named(foundation.domains, live))
    if not live.trailing:
        return Plan(stage=stage, settle=left)
    unknown = _known(live)
    return Plan(
        stage=stage,
        promoted=(
            *moved(release, unknown),
            *moved_schedules(release, live, firm=False),
            *reopened(release, unknown),
        ),
        settle=(*_upkeep(release, unknown), *left, RecordFollowed(sequence=live.sequence)),
    )


def _known(live: Live) -> Live:
    """What of functions, aliases and origins is sure to be as it is recorded."""
    if not live.trailing:
        return live
    return replace(live, functions={}, entry_agrees=False, origins="unknown")


def _history(release: Release, live: Live) -> tuple[str, ...]:
    """Without those that the live release was taken back from: nobody wants them before it."""
    known = live.history
    older = known[known.index(live.release) :] if live.release in known else (live.release,)
    past = (each for each in older if each not in ("", release.id))
    return (release.id, *past)[:REMEMBERED]


def _recording(
    release: Release,
    live: Live,
    *,
    foundation: Foundation,
    stages: Stages,
) -> RecordLive:
    return RecordLive(
        release=release.id,
        previous=live.previous if live.release == release.id else live.release,
        sequence=live.sequence + 1,
        foundation=foundation.digest,
        stages=stages,
        streams=tuple(sorted({*foundation.streams, *live.streams})),
        tables=tuple(each.name for each in foundation.tables) or live.tables,
        origins=recorded(allowed(release.functions, release.api)),
    )


def _brought_back(live: Live, *, but: tuple[str, ...]) -> Iterator[BringBackRouting]:
    """What the router lacks of kept releases, but of those that this plan takes from it: a run that
    ended after it had done so and before the record said it leaves them like that."""
    if lacks := tuple(each for each in live.drift.unrouted if each not in but):
        yield BringBackRouting(releases=lacks)


def _upkeep(release: Release, live: Live) -> Iterator[TendFunction]:
    for function in release.functions:
        before = live.functions.get(function.name)
        if live.drift or function.upkeep != (before.upkeep if before else Upkeep()):
            yield TendFunction(function=function.name, upkeep=function.upkeep)


def _stages_after(release: Release, live: Live) -> Stages:
    """Once `release` is live."""
    stage = release.routing.api_stage
    if not stage:
        return live.stages
    users = tuple(each for each in dict(live.stages).get(stage, ()) if each != release.id)
    others = tuple(each for each in live.stages if each[0] != stage)
    return ((stage, (release.id, *users)), *others)
