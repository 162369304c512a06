"""How a deploy notices that something was changed or deleted by hand, and plans to mend it.

The rule: a deploy with nothing to do takes a visitor's look; one that fails looks at everything and
goes on; `doctor`, or a run that failed, leaves a mark that makes the next one look at everything.
A run that finds no room for its versions makes some.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.apply import Known
from runner.aws import doubts
from runner.aws.quotas import Quota
from runner.decide import Decided, planned_again
from runner.errors import JamError, Turn
from runner.plan.drift import State
from runner.plan.refs import Made, Ref
from runner.pulse import pulse
from runner.room import FULL, roomier, with_room
from runner.stage import fetches, make_ready, try_candidate
from runner.world import World

# Not by what stands in the account: another run is at it, or visitors judged.
_NOT_DRIFT = frozenset({Turn.AGAIN, Turn.TAKEN_BACK, Turn.GITHUB})


def felt(decided: Decided, world: World) -> Decided:
    """As decided, if visitors get what is live; else as it is once everything was looked at."""
    with world.watcher.stage("pulse"):
        fetch, glance = fetches(decided, world, known=decided.live.known)
        wrong = pulse(decided.release, fetch=fetch, glance=glance, chance=world.chance)
    if not wrong:
        return decided
    world.watcher.note(f"visitors do not get what is live: {wrong}")
    return looked(decided, world)


def suspected(decided: Decided, world: World) -> Decided:
    """As decided; where somebody moved what visitors go by, as it is once all was looked at.

    A store that does not name what is live may have been emptied of more. An open rollout, and a
    run that is at it or died, have reasons of their own.
    """
    live = decided.live
    if live.entry_agrees or live.rollout or live.leased:
        return decided
    world.watcher.note("alias and store do not name the release that is recorded as live")
    return looked(decided, world)


def looked(decided: Decided, world: World) -> Decided:
    """As it is once everything was looked at."""
    again = planned_again(decided, world, lease=decided.lease, doubted=True)
    if not again.live.drift:
        world.watcher.note("everything was looked at, and is as recorded")
    return again


def tell(decided: Decided, world: World) -> None:
    """What is not as recorded, and what is about to become of it."""
    drift, live = decided.live.drift, decided.live
    for each in (one for one in drift.findings if one.state is not State.PENDING):
        world.watcher.note(f"{each}" + (": put right" if each.is_mended else ""))
    lost = Ref(Made.RECORDS) not in live.existing and Ref(Made.DISTRIBUTION) in live.existing
    if lost and not live.sequence:
        world.watcher.note(
            f"the records of {decided.names.site} are gone: they are made again; releases before "
            "this one cannot be gone back to, and `jam-deploy audit` lists what they left"
        )


def staged(
    decided: Decided, world: World, *, room: Callable[[], Quota | None]
) -> tuple[Decided, Known]:
    """Staged and, before a rollout, tried; once more where the failure was of what is gone, or of
    `room` for it."""
    decided = with_room(decided, world, room=room)
    try:
        return decided, _staged(decided, world)
    except JamError as error:
        again = _after(error, decided, world)
        if again is None:
            raise
        world.watcher.note(f"{error.code}: {error.message}")
    tell(again, world)
    return again, _staged(again, world)


def _after(error: JamError, decided: Decided, world: World) -> Decided | None:
    """What is worth another try after this failure."""
    if error.code == FULL:
        return roomier(decided, world)
    if decided.live.drift or not decided.live.release or error.turn in _NOT_DRIFT:
        return None
    again = planned_again(decided, world, lease=decided.lease, doubted=True)
    return again if again.live.drift.is_mended else None


def _staged(decided: Decided, world: World) -> Known:
    known = make_ready(decided, world)
    if decided.plan.opens:
        with world.watcher.stage("smoke"):
            try_candidate(decided, world, known=known)
    return known


def mark(decided: Decided, error: JamError) -> None:
    """The next deploy looks at everything."""
    if decided.live.sequence and error.turn not in _NOT_DRIFT:
        doubts.put(decided.aws, decided.names, why=f"{error.code}: {error.message}")


def reassure(decided: Decided) -> None:
    """Everything was looked at and mended: the mark goes, unless there is a newer one."""
    if decided.live.doubted:
        doubts.drop(decided.aws, decided.names, at=decided.live.doubted)
