"""The embedded EventBridge Scheduler: schedules that really fire, as their role.

`Scheduler(cloud)` is the part that the cloud puts together; `RULES` are AWS's rules that it keeps,
`NOT_EMULATED` is what it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.local.scheduler.firing import Firing
from runner.local.scheduler.groups import Groups
from runner.local.scheduler.rules import NOT_EMULATED, RULES
from runner.local.scheduler.schedules import Schedules
from runner.local.scheduler.store import Store
from runner.local.wire import Host, Operation, Service

__all__ = ["NOT_EMULATED", "RULES", "Scheduler"]

_PRINCIPAL = "scheduler.amazonaws.com"


class Scheduler:
    """The part and its one service."""

    name = "scheduler"

    def __init__(self, cloud: Any) -> None:
        self._store = Store(cloud.account)

        def trusted(role: str, group: str) -> bool:
            context = {"aws:SourceArn": group, "aws:SourceAccount": cloud.account}
            return bool(cloud.identity.ready(role, _PRINCIPAL, context=context))

        def lock() -> Any:
            return cloud.overlay.lock

        firing = Firing(
            store=self._store,
            clock=cloud.clock,
            account=cloud.account,
            metrics=cloud.compute.metrics,
            outlet=lambda: cloud.events.deliveries,
            trusted=trusted,
            lock=lock,
        )
        schedules = Schedules(self._store, cloud.clock, firing=firing, trusted=trusted)
        groups = Groups(self._store, cloud.clock, lock=lock)
        self._operations = {**schedules.operations(), **groups.operations()}
        self.services: Sequence[Service] = (self,)
        self.hosts: Sequence[Host] = ()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        self._store.clear()

    def stop(self) -> None:
        """What it puts off ends with the cloud's timers."""

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of every group that has tags, for the tagging API."""
        return [(group.arn, dict(group.tags)) for group in self._store.all() if group.tags]
