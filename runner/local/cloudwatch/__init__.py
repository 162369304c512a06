"""The embedded CloudWatch: metrics that come from requests, and alarms that are evaluated on them.

`CloudWatch(cloud)` is the part that the cloud puts together; `RULES` are AWS's rules that it keeps,
`NOT_EMULATED` is what it has not. Dashboards are moto's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.execution.program import Line
from runner.local.cloudwatch import embedded, traffic
from runner.local.cloudwatch.actions import Actions
from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.alarms import Alarms
from runner.local.cloudwatch.describing import Describing
from runner.local.cloudwatch.history import History
from runner.local.cloudwatch.missing_data import State
from runner.local.cloudwatch.publishing import Publishing
from runner.local.cloudwatch.reading import Reading
from runner.local.cloudwatch.rules import NOT_EMULATED, RULES
from runner.local.cloudwatch.settings import Settings
from runner.local.cloudwatch.store import Metric, Sample, Store
from runner.local.cloudwatch.topics import Topics
from runner.local.wire import Host, Operation, Service

__all__ = ["NOT_EMULATED", "RULES", "CloudWatch", "Metric", "Sample", "Settings", "Store"]


class CloudWatch:
    """`store` counts; `alarms` has what is watched; `settings` are delays, for tests to change."""

    def __init__(self, cloud: Any) -> None:
        self.settings = Settings()
        self._now = cloud.clock.now
        self.store = Store(cloud.clock.now, self.settings)
        history = History(cloud.clock.now)
        topics = Topics(
            account=cloud.account,
            sns=lambda region: cloud.moto("sns", region),
            lock=lambda: cloud.overlay.lock,
        )
        actions = Actions(
            account=cloud.account,
            history=history,
            outlet=lambda: cloud.events.deliveries,
            publish=topics.publish,
            emit=lambda alarm, source, kind, detail: _emit(cloud, alarm, source, kind, detail),
        )
        self.alarms = Alarms(
            account=cloud.account,
            clock=cloud.clock,
            store=self.store,
            history=history,
            actions=actions,
            lock=lambda: cloud.overlay.lock,
        )
        self._service = _Service(self, (
            Publishing(self.store, cloud.clock.now),
            Reading(self.store, cloud.clock.now),
            self.alarms,
            Describing(self.alarms, history),
        ))  # fmt: skip
        self.services: Sequence[Service] = (self._service,)
        self.hosts: Sequence[Host] = ()

    def state(self, region: str, name: str) -> State | None:
        """An alarm's state; None if there is no such alarm."""
        alarm = self.alarms.alarms.get((region, name))
        return alarm.state if alarm else None

    def api_request(self, at: float, told: traffic.ApiRequest) -> None:
        """A listener of the HTTP APIs' host."""
        self.store.count(at, told, traffic.of_api)

    def edge_request(self, at: float, told: traffic.EdgeRequest) -> None:
        """A listener of CloudFront's edge."""
        self.store.count(at, told, traffic.of_edge)

    def log_lines(self, region: str, group: str, lines: Sequence[Line]) -> None:
        """A listener of functions' logs: metrics that are embedded in lines."""
        for line in lines:
            if embedded.MARK in line.text:
                self._embedded(region, group, line.text)

    def _embedded(self, region: str, group: str, text: str) -> None:
        try:
            for each in embedded.found(text, region, now=self._now()):
                self.store.put(each.metric, each.point, at=each.at, unit=each.unit,
                               resolution=each.resolution)  # fmt: skip
        except embedded.WrongFormatError:
            named = Metric(region, "AWS/Logs", "EMFValidationErrors", (("LogGroupName", group),))
            self.store.count(self._now(), Sample(named, 1), lambda one: (one,))

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The admin API's body: some of the settings."""
        return self.settings.change(wanted)

    def inspect(self) -> dict[str, Any]:
        """For the admin API."""
        return {"metrics": len(self.store), "alarms": len(self.alarms.alarms),
                **self.settings.shown()}  # fmt: skip

    def stop(self) -> None:
        """What it puts off ends with the cloud's timers."""


class _Service:
    """The service "cloudwatch" as the control plane sees it."""

    name = "cloudwatch"

    def __init__(self, whole: CloudWatch, groups: Iterable[Any]) -> None:
        self._whole = whole
        self._operations: dict[str, Operation] = {}
        for group in groups:
            self._operations |= group.operations()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        self._whole.store.clear()
        self._whole.alarms.clear()
        self._whole.settings.change(Settings().shown())

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of every alarm that has tags, for the tagging API."""
        for alarm in list(self._whole.alarms.alarms.values()):
            if alarm.tags:
                yield alarm.arn, dict(alarm.tags)


def _emit(cloud: Any, alarm: Alarm, source: str, kind: str, detail: Mapping[str, Any]) -> None:
    cloud.events.emit(source, kind, detail=detail, resources=[alarm.arn], region=alarm.watch.region)
