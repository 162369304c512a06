"""EventBridge Scheduler's errors, and what it refuses of a schedule. Pure but for what is asked.

Source: EventBridge Scheduler API reference, CreateSchedule; user guide, "Setting up an execution
role", "Managing targets".
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from runner.local.events.expressions import Expression, parse
from runner.local.scheduler.store import Settings
from runner.local.wire import AwsError

_LATE = 300.0  # seconds that StartDate may lie back
_JSON_TARGETS = ("lambda", "events")  # "a well-formed JSON": API reference, Target, `Input`
_TARGETS = ("lambda", "sqs", "sns", "events")


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, status=409)


def absent(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, status=404)


def expression_of(settings: Settings) -> Expression:
    """Raises ValidationException for what is no expression or no time zone."""
    text = settings["ScheduleExpression"]
    try:
        return parse(text, settings.get("ScheduleExpressionTimezone") or "UTC")
    except ValueError:
        raise invalid(f"Invalid Schedule Expression {text}.") from None


def seconds(value: Any) -> float | None:
    """A timestamp as moto's parser or a replay gives it, in epoch seconds."""
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return zoned.timestamp()
    return float(value)


def check(settings: Settings, *, now: float) -> None:
    """Raises ValidationException for what the model's own limits do not show."""
    expression = expression_of(settings)
    _check_window(settings["FlexibleTimeWindow"])
    if not expression.once:  # "ignores StartDate for one-time schedules"
        _check_dates(settings, now=now)
    _check_target(settings["Target"])


def _check_window(window: Settings) -> None:
    minutes = window.get("MaximumWindowInMinutes")
    if window["Mode"] == "FLEXIBLE" and minutes is None:
        raise invalid("MaximumWindowInMinutes must be provided when Mode is FLEXIBLE.")
    if window["Mode"] == "OFF" and minutes is not None:
        raise invalid("MaximumWindowInMinutes must not be provided when Mode is OFF.")


def _check_dates(settings: Settings, *, now: float) -> None:
    begin, end = seconds(settings.get("StartDate")), seconds(settings.get("EndDate"))
    if begin is not None and begin < now - _LATE:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end <= now:
        raise invalid("The EndDate you specify must be in the future.")
    if begin is not None and end is not None and end <= begin:
        raise invalid("The EndDate you specify must come after the StartDate.")


def _check_target(target: Settings) -> None:
    arn = target["Arn"]
    if not arn.startswith("arn:") or arn.count(":") < 5:
        raise invalid("Provided Arn is not in correct format.")
    kind = arn.split(":")[2]
    if kind not in _TARGETS:
        raise AwsError("NotImplemented", f"Targets like {arn} are not emulated.", status=501)
    if kind == "events" and "EventBridgeParameters" not in target:
        raise invalid("EventBridgeParameters must be provided for EventBridge targets.")
    if arn.endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise invalid("MessageGroupId must be provided for FIFO queues.")
    if kind in _JSON_TARGETS and target.get("Input"):
        _check_json(target["Input"])


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        raise invalid("The Input you provide must be well-formed JSON.") from None
