"""Room for new versions in Lambda's code storage, which all sites of an account share.

Near its limit, or once a version was refused for it, what is past retention goes before its time
comes; never what `gc` would keep. Under the lease.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.aws import quotas
from runner.aws.quotas import Quota
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.collect import make_room
from runner.decide import Decided, planned_again
from runner.plan.publishing import PublishEntry, PublishFunction
from runner.plan.retention import Retention
from runner.world import World

FULL = "JAM-QUOTA-CODE"


def storage(decided: Decided) -> Quota | None:
    """What there is of it; None where nothing is to be published, and where nobody may see it."""
    return code_storage(decided.aws) if _publishes(decided) else None


def code_storage(aws: Aws) -> Quota | None:
    """The same, whatever is to be published."""
    with explained():
        return quotas.code_storage(aws)


def with_room(decided: Decided, world: World, *, room: Callable[[], Quota | None]) -> Decided:
    """As decided; where there is hardly any `room`, as it is once old versions are gone."""
    if not _publishes(decided):
        return decided
    found = room()
    if found is None or not found.is_near:
        return decided
    full = f"{found.used / 1e9:.1f} of {found.limit / 1e9:.1f} GB"
    world.watcher.note(f"{found.what} of this account is nearly full: {full}")
    return roomier(decided, world) or decided


def _publishes(decided: Decided) -> bool:
    steps = decided.plan.staging.stage
    return any(isinstance(each, PublishFunction | PublishEntry) for each in steps)


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
