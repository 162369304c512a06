"""EventBridge: rules that are matched and really delivered, and the way AWS's own events come in.

`Events(cloud)` is the part that the cloud puts together; `cloud.events.emit(...)` publishes.
`RULES` are AWS's rules that it keeps, `NOT_EMULATED` is what it has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.local.events.bus import EventBus
from runner.local.events.deliveries import Deliveries
from runner.local.events.layer import EventsLayer
from runner.local.events.rules import NOT_EMULATED, RULES
from runner.local.events.service import EventsService
from runner.local.wire import Host, Service

__all__ = ["NOT_EMULATED", "RULES", "Events"]


class Events:
    """`emit` publishes an event of AWS's; `deliveries` sends for whoever has something to send."""

    def __init__(self, cloud: Any) -> None:
        compute = cloud.compute
        self.bus = EventBus(
            account=cloud.account,
            clock=cloud.clock,
            metrics=compute.metrics,
            backend=lambda region: cloud.moto("events", region),
            deliveries=lambda: self.deliveries,
        )
        self.emit = self.bus.emit
        self.deliveries = Deliveries(
            account=cloud.account,
            roles=compute.roles,
            moto=cloud.moto,
            lock=lambda: cloud.overlay.lock,
            functions=compute.store,
            run=compute.invoker.queue.accept,
            publish=self.bus.publish,
        )
        self.layer = EventsLayer(
            self.bus,
            cloud.clock,
            backend=lambda region: cloud.moto("events", region),
            lock=lambda: cloud.overlay.lock,
        )
        self.services: Sequence[Service] = (EventsService(self.bus),)
        self.hosts: Sequence[Host] = ()

    def stop(self) -> None:
        """What it puts off ends with the cloud's timers."""
