"""An alarm: what it watches, the state it is in, how AWS shows it.

Source: CloudWatch API reference, MetricAlarm.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.local.cloudwatch.missing_data import State
from runner.local.cloudwatch.queries import Query, Stat

_MINUTE = 60
_DAY = 86_400
_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What PutMetricAlarm said, checked. `given` is how it is shown again.

    Either `stat` or `queries` with the id of the `watched` one.
    """

    name: str
    region: str
    given: Mapping[str, Any]
    period: int  # seconds
    periods: int
    to_alarm: int
    comparison: str
    threshold: float
    missing: str
    low_samples: str
    stat: Stat | None = None
    queries: tuple[Query, ...] = ()
    watched: str = ""

    @property
    def interval(self) -> int:
        """Seconds between two evaluations.

        Source: CloudWatch user guide, "Alarm evaluation": each minute, each 10 seconds for periods
        below one, each hour for alarms that look back for more than a day.
        """
        if self.period < _MINUTE:
            return 10
        return _HOUR if self.period * self.periods > _DAY else _MINUTE


@dataclass(slots=True, kw_only=True)
class Alarm:
    """`updated` is when the state was last set, `moved` when it last became another."""

    watch: Watch
    arn: str
    configured: float
    state: State = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    data: str = ""
    updated: float = 0.0
    moved: float = 0.0
    actions_enabled: bool = True
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.watch.name

    def next_evaluation(self, now: float) -> float:
        """Each alarm has its own second of the minute, which AWS does not tell."""
        interval = self.watch.interval
        offset = zlib.crc32(self.arn.encode()) % interval
        return float((int(now - offset) // interval + 1) * interval + offset)

    def actions(self, state: State) -> list[str]:
        key = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(state, "InsufficientDataActions")
        return list(self.watch.given.get(key) or ())

    def shown(self) -> dict[str, Any]:
        """A MetricAlarm."""
        made: dict[str, Any] = {
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "ActionsEnabled": self.actions_enabled,
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": self.updated,
            "StateTransitionedTimestamp": self.moved,
        }
        if self.data:
            made["StateReasonData"] = self.data
        lists = ("OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions")
        return made | {key: [] for key in lists} | dict(self.watch.given)
