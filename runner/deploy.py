"""The table of contents of a deploy: read, build, package, plan, apply, verify.

Each stage is a module; this one only hands values on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from runner.ahead import prepare
from runner.apply import Known
from runner.asked import Asked, asking, recorded
from runner.aws import published
from runner.aws.live import check_bootstrap
from runner.aws.quotas import Quota
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.session import Aws
from runner.aws.tables import make_records
from runner.aws.written import Environment
from runner.config.load import Config
from runner.decide import Decided, decide, new_functions, planned_again
from runner.errors import JamError
from runner.following import ended, followed, gone_live
from runner.forecast import foreseen
from runner.inherited import has_to_wait, is_adopted, made_way, settled
from runner.mending import felt, mark, reassure, staged, suspected, tell
from runner.model import Release
from runner.names import Names
from runner.package.summary import Summary
from runner.plan.live import Live
from runner.plan.promotion import OpenRollout
from runner.report.text import Outcome
from runner.room import storage
from runner.stage import carry_out
from runner.together import at_once
from runner.turn import newer_than, overtaken, told
from runner.world import PLAIN, Way, World, account_with, near


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What became of it. `changes` is what a visitor finds changed, in words; `release` what was
    built, if anything was, and `published` what production had published before, if asked for."""

    outcome: Outcome
    changes: tuple[str, ...] = ()
    release: Release | None = None
    published: Summary | None = None


def deploy(config: Config, world: World, way: Way = PLAIN, *, compares: bool = False) -> Deployed:
    """An older run does not even build. `compares` asks what is published, meanwhile."""
    begun = world.clock()
    with world.watcher.stage("read"):
        here = Names(config.site, "", config.region)  # the records' table says no account
        aws, there = account_with(
            world, lambda aws: _numbered(world, aws=aws, names=here), region=config.region
        )
        names = Names(config.site, aws.account, config.region, aws.partition)
    if there and _is_overtaken(there, world):
        outcome = told(
            aws,
            names,
            there,
            outcome="superseded",
            release=there.rollout or there.release,
            seconds=world.clock() - begun,
            near=near(world),
        )
        return Deployed(outcome=outcome)
    with asking(aws, names, world, before=there) as asked:
        with at_once(1) as pool:
            before = pool.submit(published.read, aws, names) if compares else None
            decided = decide(config, world, way, aws=aws, early=asked.early)
            was = before.result() if before else None
        outcome = release(decided, world, asked=asked)
    return Deployed(
        outcome=outcome, changes=decided.changes, release=decided.release, published=was
    )


def _numbered(world: World, *, aws: Aws, names: Names) -> Environment | None:
    """What is there, where runs are numbered and one may come too late."""
    return recorded(aws, names) if world.origin.number else None


def _is_overtaken(there: Environment, world: World) -> bool:
    newer = newer_than(world.origin, there, is_ancestor=world.is_ancestor)
    if newer:
        world.watcher.note(overtaken(newer))
    return newer is not None


def release(decided: Decided, world: World, *, asked: Asked | None = None) -> Outcome:
    """Carries the plan out and verifies what visitors get, under the lease that was `asked` for
    already, or is now."""
    if asked:
        return _carried_out(decided, world, asked)
    with asking(decided.aws, decided.names, world) as own:
        return _carried_out(decided, world, own)


def _carried_out(decided: Decided, world: World, asked: Asked) -> Outcome:
    if decided.drift is None:
        is_done = _turn(decided, world) is Next.UNCHANGED
        decided = felt(decided, world) if is_done else suspected(decided, world)
    if decided.drift is not None and not decided.live.drift:
        reassure(decided)
    tell(decided, world)
    try:
        outcome = _released(decided, world, asked)
    except JamError as error:
        mark(decided, error)
        raise
    if outcome.outcome == "live" or decided.way.repair:
        done, again = decided.live.ahead, decided.way.repair
        aws, names = decided.aws, decided.names
        prepare(decided.config, world, aws=aws, names=names, done=done, again=again)
    return outcome


def _released(decided: Decided, world: World, asked: Asked) -> Outcome:
    known = decided.live.known
    turn = _turn(decided, world)
    if turn is Next.CHANGE:
        if has_to_wait(decided):
            asked.leave()
            decided = made_way(decided, world)
        _prepare(decided)
        room = partial(storage, decided)
        alone = asked.take(since=decided.live, say=world.watcher.note, room=room)
        again = _again(decided, world, asked, alone=alone)
        decided, known, turn = _changed(again, world, room=asked.room)
    asked.leave()
    if turn is Next.FOLLOW:
        return followed(decided, world, known=known)
    if turn is Next.VERIFY:
        return gone_live(decided, world, known=known)
    return ended(decided, world, known=known, outcome=turn, checks=())


class Next(StrEnum):
    """What there is to do for this run; the last three are how it ends."""

    CHANGE = "change"
    FOLLOW = "follow"
    VERIFY = "verify"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    HELD = "held"


def _turn(decided: Decided, world: World) -> Next:
    live, todo = decided.live, decided.plan
    mine = world.origin
    left = decided.lease and decided.lease.inherited
    if left:  # read before the lease was ours
        live = replace(live, leasing=left.origin)
    if newer := newer_than(mine, live, is_ancestor=world.is_ancestor):
        world.watcher.note(overtaken(newer))
        return Next.SUPERSEDED
    if live.rollout == decided.release.id and not live.opening:
        return Next.FOLLOW
    ready = not (todo.staging.is_empty and todo.readying.is_empty)
    if _is_held(decided) and not ready:
        return Next.HELD
    # What another run is at, or left, may not stay as it was read.
    others = live.leased and decided.lease is None
    return Next.UNCHANGED if todo.is_empty and not live.rollout and not others else Next.CHANGE


def _is_held(decided: Decided) -> bool:
    """While a hold lasts nothing else goes live; what is live may still be mended."""
    return decided.live.hold is not None and decided.release.id != decided.live.release


def _prepare(decided: Decided) -> None:
    """Before a site's first deploy there is no table that could hold a lease."""
    if decided.live.sequence:
        return
    aws, names = decided.aws, decided.names
    check_bootstrap(
        aws,
        names,
        live=decided.live,
        foundation=decided.foundation,
        renewed=decided.way.empty_tables,
    )
    check_secrets(aws, functions=new_functions(decided))
    with explained():
        make_records(aws, names)


def _again(decided: Decided, world: World, asked: Asked, *, alone: bool) -> Decided:
    """The plan as it is under the lease: another run may have ended meanwhile, or died.

    What was asked beside the lease, after a first look, is what the lease found where that look saw
    the lease free and nobody had it since: without the lease only the guard of an open rollout
    writes what decides. The first look alone proves nothing: a BatchGetItem reads each of its items
    by itself, and a run may end between its record and its lease. Source: DynamoDB developer guide,
    "DynamoDB transactions: how it works", isolation levels.
    """
    live, lease = decided.live, asked.lease
    now = asked.there() if alone else recorded(decided.aws, decided.names)
    if lease.inherited:
        world.watcher.note("a run before this one ended in the middle: everything is set again")
    elif _is_as_read(now, live):
        return replace(decided, live=replace(live, hold=now.hold, leased=True), lease=lease)
    return planned_again(decided, world, lease=lease)


def _is_as_read(there: Environment, live: Live) -> bool:
    def decides(it: Environment | Live) -> tuple[object, ...]:
        rollout = (it.rollout, it.opening)
        return (it.sequence, it.release, it.foundation, *rollout, it.trailing, it.streams)

    return decides(there) == decides(live)


def _changed(
    decided: Decided, world: World, *, room: Callable[[], Quota | None]
) -> tuple[Decided, Known, Next]:
    """Under the lease: stages and switches, if it is this run's turn still. `room` is what there
    was of it when the lease was taken."""
    turn = _turn(decided, world)
    if turn is not Next.CHANGE:
        return decided, decided.live.known, turn
    if _is_held(decided):
        decided, ready = staged(decided, world, room=room)
        known = carry_out(decided, world, part=decided.plan.readying, known=ready).known
        return decided, known, Next.HELD
    if is_adopted(decided, world):
        if decided.lease:
            decided.lease.done()
        return decided, decided.live.known, Next.FOLLOW
    decided = settled(decided, world)
    if decided.plan.is_empty:
        return decided, decided.live.known, Next.UNCHANGED
    decided, ready = staged(decided, world, room=room)
    if decided.plan.opens:
        world.watcher.note(foreseen_of(decided))
    with world.watcher.stage("switch"):
        switching = decided.plan.switching
        known = carry_out(decided, world, part=switching, known=ready, ends=True).known
    if decided.lease:
        decided.lease.done()
    reassure(decided)
    return decided, known, Next.FOLLOW if decided.plan.opens else Next.VERIFY


def foreseen_of(decided: Decided) -> str:
    """What the plan's rollout will be able to find out; empty without one."""
    steps = decided.plan.switch
    promotions = (step.promotion for step in steps if isinstance(step, OpenRollout))
    promotion = next(promotions, None)
    return foreseen(decided.aws, decided.names, promotion) if promotion else ""
