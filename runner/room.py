"""Room for new versions in Lambda's code storage, which all sites of an account share.

Near its limit, or once a version was refused for it, what is past retention goes before its time
comes; never what `gc` would keep. Under the lease.
"""

from __future__ import annotations

from runner.aws import quotas
from runner.aws.refusals import explained
from runner.collect import make_room
from runner.decide import Decided, planned_again
from runner.plan.releasing import PublishEntry, PublishFunction
from runner.plan.retention import Retention
from runner.world import World

FULL = "JAM-QUOTA-CODE"


def with_room(decided: Decided, world: World) -> Decided:
    """As decided; where the storage is nearly full, as it is once old versions are gone."""
    steps = decided.plan.staging.stage
    if not any(isinstance(each, PublishFunction | PublishEntry) for each in steps):
        return decided
    with explained():
        storage = quotas.code_storage(decided.aws)
    if storage is None or not storage.is_near:
        return decided
    full = f"{storage.used / 1e9:.1f} of {storage.limit / 1e9:.1f} GB"
    world.watcher.note(f"{storage.what} of this account is nearly full: {full}")
    return roomier(decided, world) or decided


def roomier(decided: Decided, world: World) -> Decided | None:
    """Once what is past retention is gone; None where nothing was."""
    settings = decided.config.settings.production.retention
    with world.watcher.stage("gc"):
        collected = make_room(
            decided.aws,
            decided.names,
            Retention(releases=settings.releases, days=settings.days),
            say=world.watcher.note,
            wanted=decided.release.id,
        )
    if not collected.removed:
        world.watcher.note(collected.why_not or "nothing of this site is past retention")
        return None
    world.watcher.note(f"{len(collected.removed)} things that are past retention were removed")
    return planned_again(decided, world, lease=decided.lease)
