"""Decides how production goes to a release that lies ready: pointers move, nothing is built. Pure.

It is a plan like any other, upon a foundation that stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from runner.model import Release
from runner.plan.background import unattended
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.live import Hold, Live
from runner.plan.releasing import DropApiStage, RecordLive, WriteRouting
from runner.plan.staging import api_stage_steps
from runner.plan.steps import Plan, StageStep
from runner.plan.streams import streams_of


def foundation_of(release: Release, live: Live) -> Foundation:
    """What stands, as far as the steps ask for it."""
    return Foundation(
        digest=live.foundation,
        tables=(),
        router="",
        response="",
        unattended=unattended(release.functions),
        streams=streams_of(release.functions),
        domains=live.domains,
    )


def plan_back(release: Release, live: Live, *, hold: Hold | None, is_routed: bool) -> Plan:
    """The steps that make `live` serve a release that is kept; empty if it does already.

    `is_routed`: the router knows it. Its api_stage is made again where it was dropped.
    """
    foundation = foundation_of(release, live)
    # The site's names are no release's: what they lack is for a deploy to see to.
    ready = replace(live, staged=True, domains_work=True)
    moves = plan(release, ready, foundation=foundation, origin=live.origin)
    if moves.is_empty:
        return moves
    again = made_again(release, live, is_routed=is_routed)
    # A stream that is taken down is not part of the foundation any more: the next deploy looks.
    changed = set(foundation.streams) != set(live.streams)
    switch = tuple(
        replace(
            step,
            hold=hold,
            foundation="" if changed else step.foundation,
            history=live.history if release.id in live.history else step.history,
        )
        if isinstance(step, RecordLive)
        else step
        for step in moves.switch
    )
    drops = (each for each in moves.stage if isinstance(each, DropApiStage))
    return replace(moves, stage=(*again, *drops), switch=switch)


def made_again(release: Release, live: Live, *, is_routed: bool) -> tuple[StageStep, ...]:
    """What a kept release may have lost that no build is needed for: api_stage and routing."""
    stage = release.routing.api_stage
    lost = bool(stage) and stage not in dict(live.stages)
    return (
        *(api_stage_steps(release) if lost else ()),
        *(() if is_routed else (_routed(release),)),
    )


def before(live: Live) -> str:
    """The release before the live one, of those that were live; empty without one."""
    older = live.history[live.history.index(live.release) + 1 :] if _is_known(live) else ()
    return older[0] if older else "" if _is_known(live) else live.previous


def _is_known(live: Live) -> bool:
    return live.release in live.history


def _routed(release: Release) -> WriteRouting:
    return WriteRouting(release=release.id, routing=release.routing, header_sets=())
