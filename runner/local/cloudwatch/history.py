"""What happened to alarms, kept for two weeks (AWS: "Alarms history").

Source: CloudWatch API reference, DescribeAlarmHistory, AlarmHistoryItem.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.evaluation import long_stamp

_KEPT = 14 * 86_400  # seconds
_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    region: str
    name: str
    at: float
    kind: str  # ConfigurationUpdate, StateUpdate or Action
    summary: str
    data: str

    def shown(self) -> dict[str, Any]:
        return {
            "AlarmName": self.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": self.at,
            "HistoryItemType": self.kind,
            "HistorySummary": self.summary,
            "HistoryData": self.data,
        }


class History:
    """Outlives its alarms."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._items: deque[Item] = deque(maxlen=_MOST)

    def configured(self, alarm: Alarm, verb: str) -> None:
        """`verb` is created, updated or deleted."""
        data = {"version": "1.0", "type": verb.removesuffix("d").title()}
        self._add(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', data)

    def moved(self, alarm: Alarm, before: Mapping[str, Any]) -> None:
        data = {"version": "1.0", "oldState": before, "newState": state_of(alarm)}
        summary = f"Alarm updated from {before['stateValue']} to {alarm.state}"
        self._add(alarm, "StateUpdate", summary, data)

    def acted(self, alarm: Alarm, arn: str, *, failure: str = "") -> None:
        summary = f"Failed to execute action {arn}" if failure else (
            f"Successfully executed action {arn}"
        )  # fmt: skip
        data: dict[str, Any] = {"actionState": "Failed" if failure else "Succeeded",
                                "stateUpdateTimestamp": int(alarm.updated * 1000),
                                "notificationResource": arn}  # fmt: skip
        self._add(alarm, "Action", summary, data | ({"error": failure} if failure else {}))

    def items(self, region: str, wanted: Mapping[str, Any]) -> Iterable[Item]:
        """Newest first, unless the call asks otherwise."""
        since = max(_seconds(wanted.get("StartDate"), 0.0), self._now() - _KEPT)
        until = _seconds(wanted.get("EndDate"), float("inf"))
        found = [
            item
            for item in list(self._items)
            if item.region == region
            and wanted.get("AlarmName") in (None, "", item.name)
            and wanted.get("HistoryItemType") in (None, "", item.kind)
            and since <= item.at <= until
        ]
        return found if wanted.get("ScanBy") == "TimestampAscending" else reversed(found)

    def clear(self) -> None:
        self._items.clear()

    def _add(self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        text = json.dumps(data, separators=(",", ":"))
        self._items.append(
            Item(region=alarm.watch.region, name=alarm.name, at=self._now(), kind=kind,
                 summary=summary, data=text)
        )  # fmt: skip


def state_of(alarm: Alarm) -> dict[str, Any]:
    made: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    if alarm.data:
        made["stateReasonData"] = json.loads(alarm.data)
    return made | {"stateUpdated": long_stamp(alarm.updated)}


def _seconds(given: Any, default: float) -> float:
    if given is None:
        return default
    return float(given.timestamp() if hasattr(given, "timestamp") else given)
