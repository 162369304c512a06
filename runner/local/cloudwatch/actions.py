"""Carries out what an alarm does when its state changes: topics, functions, the event bus.

An alarm neither tries its actions beforehand nor stops at one that fails: its history says so.
Source: CloudWatch user guide, "Alarm actions", "Invoke a Lambda function from an alarm"; SNS
developer guide, "Example cases for Amazon SNS access control" (CloudWatch alarms).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.cloudwatch import messages
from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.history import History
from runner.local.letters import Letter, Outlet, Sender, UndeliveredError

_TOPICS = "cloudwatch.amazonaws.com"
_FUNCTIONS = "lambda.alarms.cloudwatch.amazonaws.com"
_SOURCE = "aws.cloudwatch"
_CHANGE = "CloudWatch Alarm State Change"

Emit = Callable[[Alarm, str, str, Mapping[str, Any]], None]
"""Publishes an event of an alarm: (alarm, source, detail type, detail)."""

Publish = Callable[[str, str, str, Sender], None]
"""Sends to a topic: (ARN, subject, message, sender). Raises UndeliveredError."""


@dataclass(frozen=True, kw_only=True)
class Actions:
    """`outlet` reaches functions."""

    account: str
    history: History
    outlet: Callable[[], Outlet]
    publish: Publish
    emit: Emit

    def changed(self, alarm: Alarm, before: messages.State) -> None:
        """Told after the alarm has its new state."""
        self.emit(alarm, _SOURCE, _CHANGE, messages.event(alarm, before))
        if not alarm.actions_enabled:
            return
        for arn in alarm.actions(alarm.state):
            try:
                self._act(alarm, arn, before)
            except UndeliveredError as refused:
                self.history.acted(alarm, arn, failure=f"{refused.code}: {refused.message}")
            else:
                self.history.acted(alarm, arn)

    def _act(self, alarm: Alarm, arn: str, before: messages.State) -> None:
        kind = arn.split(":")[2]
        if kind == "sns":
            text = messages.notice(alarm, before, account=self.account)
            sender = Sender(service=_TOPICS, source=alarm.arn)
            self.publish(arn, messages.subject(alarm), text, sender)
        elif kind == "lambda":
            text = messages.call(alarm, before, account=self.account)
            sender = Sender(service=_FUNCTIONS, source=alarm.arn)
            self.outlet().send(arn, Letter(body=text), sender=sender)
        else:
            raise UndeliveredError("NotImplemented", f"{kind} actions are not emulated")
