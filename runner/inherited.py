"""What runs before this one left: rollouts that are open or half open, switches half done.

Settles it or goes on with it, so that a deploy starts from what is recorded.
"""

from __future__ import annotations

from runner.apply import Known
from runner.aws import promotion as rollouts
from runner.aws.leases import Lease
from runner.aws.refusals import explained
from runner.decide import Decided, planned_again
from runner.guard.rollout import Act
from runner.plan.promotion import OnOpen
from runner.promote import SUPERSEDED, Follower, is_open
from runner.rollback import mend
from runner.world import World

ADOPTED = "a run before this one opened the rollout, and ended before it could note it"


def is_half_open(decided: Decided) -> bool:
    """Whether the open rollout is this release's, and the run that opens it may have died."""
    return decided.live.opening and decided.live.rollout == decided.release.id


def is_adopted(decided: Decided, world: World) -> bool:
    """Under the lease: whether the half open rollout of this release turned out to be open."""
    if not is_half_open(decided):
        return False
    with explained():
        known = decided.live.known
        found = rollouts.adopted(decided.aws, decided.names, known=known)
    if found:
        world.watcher.note(ADOPTED)
    return found


def has_to_wait(decided: Decided) -> bool:
    """Whether another rollout is to end by itself, which needs no lease, or to stay in the way."""
    return _is_in_the_way(decided) and _on_open(decided) is not OnOpen.SUPERSEDE


def settled(decided: Decided, world: World) -> Decided:
    """Under the lease: no other rollout is open, and a new one starts from what is recorded."""
    if _is_in_the_way(decided):
        return made_way(decided, world)
    if decided.plan.opens and decided.lease and decided.lease.inherited:
        return _mended(decided, world, lease=decided.lease)
    return decided


def made_way(decided: Decided, world: World) -> Decided:
    """What another candidate's rollout leaves behind, by setting; the plan as it is then.

    An older candidate that gives way leaves live what was live before.
    """
    on_open = _on_open(decided)
    if on_open is OnOpen.REFUSE:
        raise is_open(decided.live.rollout)
    watching = follower(decided, world, known=decided.live.known)
    with world.watcher.stage("rollout"):
        if on_open is OnOpen.WAIT:
            ended = watching.follow()
        else:
            ended = watching.act(
                Act.TAKE_BACK, f"release {decided.release.id[:8]} came after it{SUPERSEDED}"
            )
    if ended.outcome == "open":
        raise is_open(decided.live.rollout)
    return planned_again(decided, world, lease=decided.lease)


def follower(decided: Decided, world: World, *, known: Known) -> Follower:
    return Follower(decided.aws, decided.names, known=known, say=world.watcher.note)


def _is_in_the_way(decided: Decided) -> bool:
    """One of this very release that was left half open is opened again, if any is to be."""
    again = is_half_open(decided) and decided.plan.opens
    return bool(decided.live.rollout) and not again


def _mended(decided: Decided, world: World, *, lease: Lease) -> Decided:
    """What a dead run left between alias, store and record is put right first."""
    with world.watcher.stage("mend"):
        mend(decided.aws, decided.names, lease=lease, watcher=world.watcher, clock=world.clock)
    return planned_again(decided, world, lease=lease)


def _on_open(decided: Decided) -> OnOpen:
    return OnOpen(decided.config.settings.production.rollout.on_open)
