"""Operations on alarms, and their evaluation on the cloud's clock.

Source: CloudWatch API reference, the pages of these operations; CloudWatch user guide, "Using
Amazon CloudWatch alarms".
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.local.clock import Clock
from runner.local.cloudwatch import alarm_checks, evaluation, messages, refusals
from runner.local.cloudwatch.actions import Actions
from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.history import History, state_of
from runner.local.cloudwatch.missing_data import State
from runner.local.cloudwatch.store import Store
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_STATES: tuple[State, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
_NAMES = 100
_REASON = 1023
_REASON_DATA = 4000


@dataclass(kw_only=True)
class Alarms:
    """`lock` is the control plane's; evaluations hold it, actions do not."""

    account: str
    clock: Clock
    store: Store
    history: History
    actions: Actions
    lock: Callable[[], contextlib.AbstractContextManager[Any]]

    def __post_init__(self) -> None:
        self.alarms: dict[tuple[str, str], Alarm] = {}

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutMetricAlarm": self.put,
            "DeleteAlarms": self.delete,
            "SetAlarmState": self.set_state,
            "EnableAlarmActions": lambda parameters, call: self._enable(parameters, call, on=True),
            "DisableAlarmActions": lambda parameters, call: self._enable(
                parameters, call, on=False
            ),
            "PutCompositeAlarm": _no_composites,
            "PutLogAlarm": _no_logs,
        }

    def put(self, parameters: Parameters, call: Call) -> Result:
        """An existing alarm keeps its state until it is evaluated, and its tags."""
        watch = alarm_checks.watch(parameters, call.region)
        tags = {each["Key"]: each["Value"] for each in parameters.get("Tags") or ()}
        now = self.clock.now()
        present = self.alarms.get((call.region, watch.name))
        arn = f"arn:aws:cloudwatch:{call.region}:{self.account}:alarm:{watch.name}"
        enabled = parameters.get("ActionsEnabled")
        alarm = present or Alarm(
            watch=watch, arn=arn, configured=now, updated=now, moved=now, tags=tags
        )
        alarm.watch, alarm.configured = watch, now
        alarm.actions_enabled = True if enabled is None else bool(enabled)
        self.alarms[call.region, watch.name] = alarm
        self.history.configured(alarm, "updated" if present else "created")
        if present is None:
            self._later(alarm)
        return {}

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """Those that exist are deleted even if others do not."""
        names = _names(parameters)
        found = [self.alarms.pop((call.region, name), None) for name in names]
        for alarm in found:
            if alarm:
                self.history.configured(alarm, "deleted")
        if None in found:
            absent = [name for name, alarm in zip(names, found, strict=True) if alarm is None]
            raise refusals.absent(f"Alarms {absent} do not exist.")
        return {}

    def set_state(self, parameters: Parameters, call: Call) -> Result:
        """Until the next evaluation. Actions follow as if it had been one."""
        alarm = self.alarms.get((call.region, parameters.get("AlarmName") or ""))
        if alarm is None:
            raise refusals.absent(f"Alarm {parameters.get('AlarmName')} does not exist.")
        state, reason = parameters.get("StateValue"), parameters.get("StateReason")
        if state not in _STATES:
            raise refusals.validation(f"Value '{state}' at 'stateValue' is not one of its values.")
        if reason is None or len(reason) > _REASON:
            raise refusals.validation(f"StateReason is required and has at most {_REASON} "
                                      "characters.")  # fmt: skip
        data = parameters.get("StateReasonData") or ""
        _check_json(data)
        before = self._set(alarm, evaluation.Finding(state=state, reason=reason, data=data))
        if before:
            self.clock.later(0, lambda: self._act(alarm, before))
        return {}

    def evaluate(self, alarm: Alarm) -> None:
        """Once; nothing happens for an alarm that is no more."""
        if not self._lives(alarm):
            return
        with self.lock():
            found = evaluation.found(alarm.watch, self.store, self.clock.now())
            before = self._set(alarm, found) if found and self._lives(alarm) else None
        if before:
            self._act(alarm, before)

    def of(self, region: str) -> Iterable[Alarm]:
        return [alarm for (where, _), alarm in sorted(self.alarms.items()) if where == region]

    def clear(self) -> None:
        self.alarms.clear()
        self.history.clear()

    def _set(self, alarm: Alarm, found: evaluation.Finding) -> messages.State | None:
        """The state before, if it became another."""
        before, told, now = messages.state(alarm), state_of(alarm), self.clock.now()
        moved = found.state != alarm.state
        if not moved and found.state == "OK" and alarm.data:
            return None  # a quiet alarm's reason stays that of its last transition
        alarm.state, alarm.reason, alarm.data = found.state, found.reason, found.data
        if not moved:
            return None
        alarm.updated = alarm.moved = now
        self.history.moved(alarm, told)
        return before

    def _act(self, alarm: Alarm, before: messages.State) -> None:
        if self.clock.timers.live:
            self.actions.changed(alarm, before)

    def _later(self, alarm: Alarm) -> None:
        """Evaluates from now on. In a replay, what was measured is not there to be judged."""

        def due() -> None:
            if self.clock.timers.live:
                self.evaluate(alarm)
            if self._lives(alarm):
                self._later(alarm)

        self.clock.timers.at(alarm.next_evaluation(self.clock.now()), due)

    def _lives(self, alarm: Alarm) -> bool:
        return self.alarms.get((alarm.watch.region, alarm.name)) is alarm

    def _enable(self, parameters: Parameters, call: Call, *, on: bool) -> Result:
        """Names that nobody has are passed over, as AWS does."""
        for name in _names(parameters):
            alarm = self.alarms.get((call.region, name))
            if alarm:
                alarm.actions_enabled = on
                self.history.configured(alarm, "updated")
        return {}


def _names(parameters: Parameters) -> Sequence[str]:
    names: list[str] = list(parameters.get("AlarmNames") or ())
    if not names or len(names) > _NAMES:
        raise refusals.validation(f"AlarmNames has 1 to {_NAMES} members.")
    return list(dict.fromkeys(names))


def _check_json(text: str) -> None:
    if len(text) > _REASON_DATA:
        raise refusals.validation(f"StateReasonData has at most {_REASON_DATA} characters.")
    try:
        json.loads(text or "{}")
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData was not valid JSON.") from None


def _no_composites(_parameters: Parameters, _call: Call) -> Result:
    raise refusals.missing("composite alarms")


def _no_logs(_parameters: Parameters, _call: Call) -> Result:
    raise refusals.missing("alarms on logs")
