"""Decides what to do: what should be and what is go in, a `Plan` comes out.

Pure: no network, no clock, no disk. Going back is a plan too: call it with an older release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.model import Origin, Release, Upkeep
from runner.plan.background import (
    moved_schedules,
)
from runner.plan.domains import named, unnamed
from runner.plan.groundwork import Foundation, foundation_steps
from runner.plan.live import Live
from runner.plan.origins import allowed, recorded, reopened
from runner.plan.promotion import (
    OpenRollout,
    Promotion,
)
from runner.plan.releasing import (
    Activate,
    BringBackRouting,
    DropApiStage,
    MoveAlias,
    RecordFollowed,
    RecordLive,
    RecordStaged,
    TendFunction,
)
from runner.plan.staging import staged
from runner.plan.steps import Plan, TidyingStep
from runner.plan.streaming import (
    MoveStream,
    dropped,
    moved,
)

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
    stages = _stages_after(release, live)
    opens = promotion is not None and live.release not in ("", release.id)
    stage = (
        *(() if firm else foundation_steps(foundation, live)),
        *named(foundation.domains, live),
        *(
            ()
            if live.staged
            else staged(release, live, foundation=foundation, origin=origin, opens=opens)
        ),
        *_forgotten(live),
    )
    ready = () if live.staged else (RecordStaged(release=release),)
    recording = replace(
        _recording(release, live, foundation=foundation, stages=stages[:KEPT_STAGES]),
        origin=origin,
        history=_history(release, live),
    )
    sure = firm and not live.trailing
    followers = (
        *moved(release, _known(live)),
        *moved_schedules(release, live, firm=sure),
        *reopened(release, _known(live)),
    )
    settle: tuple[TidyingStep, ...] = (
        *_upkeep(release, _known(live)),
        *dropped(foundation.streams, live, sequence=live.sequence + 1),
        *unnamed(foundation.domains, live),
        *(DropApiStage(api_stage=each, releases=users) for each, users in stages[KEPT_STAGES:]),
    )
    if promotion and opens:
        opened = OpenRollout(
            release=release.id,
            routing=release.routing,
            replaces=live.release,
            entry=live.entry,
            promotion=promotion,
            recording=replace(recording, trailing=bool(followers or settle)),
            streams=tuple(each.function for each in followers if isinstance(each, MoveStream)),
            left=tuple(
                str(each) for each in (*followers, *settle) if not isinstance(each, MoveStream)
            ),
        )
        done = (RecordFollowed(sequence=live.sequence + 1),) if followers or settle else ()
        return Plan(
            stage=stage, switch=(*ready, opened), promoted=followers, settle=(*settle, *done)
        )
    return Plan(
        stage=stage,
        switch=(
            *ready,
            MoveAlias(release=release.id),
            *moved(release, _known(live)),
            Activate(release=release.id, routing=release.routing, replaces=live.release),
            *moved_schedules(release, live, firm=sure),
            *reopened(release, _known(live)),
            recording,
        ),
        settle=settle,
    )


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
    stages: tuple[tuple[str, tuple[str, ...]], ...],
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


def _forgotten(live: Live) -> Iterator[BringBackRouting]:
    if live.drift.unrouted:
        yield BringBackRouting(releases=live.drift.unrouted)


def _upkeep(release: Release, live: Live) -> Iterator[TendFunction]:
    for function in release.functions:
        before = live.functions.get(function.name)
        if live.drift or function.upkeep != (before.upkeep if before else Upkeep()):
            yield TendFunction(function=function.name, upkeep=function.upkeep)


def _stages_after(release: Release, live: Live) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The api_stages once `release` is live, newest first, each with the releases that name it."""
    stage = release.routing.api_stage
    if not stage:
        return live.stages
    users = tuple(each for each in dict(live.stages).get(stage, ()) if each != release.id)
    others = tuple(each for each in live.stages if each[0] != stage)
    return ((stage, (release.id, *users)), *others)
