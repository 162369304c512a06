"""EventBridge: rules that are matched and really delivered, and the way AWS's own events come in.

`Events(cloud)` is the part that the cloud puts together; `cloud.events.emit(...)` publishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.local.events.bus import EventBus
from runner.local.events.deliveries import Deliveries
from runner.local.wire import Host, Service

__all__ = ["Events"]


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
        self.services: Sequence[Service] = ()
        self.hosts: Sequence[Host] = ()

    def stop(self) -> None:
        """What it puts off ends with the cloud's timers."""
