"""Alarms, automatic rollback and triggers as a request gives them, checked. Pure.

Source: API reference, AlarmConfiguration, AutoRollbackConfiguration, TriggerConfig, and the errors
of CreateDeploymentGroup; CodeDeploy user guide, "CodeDeploy limits".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.local.codedeploy.values import ROLLBACK_EVENTS, Alarms, Rollback, Trigger
from runner.local.wire import AwsError, Parameters, Result

MOST_ALARMS = 10
MOST_TRIGGERS = 10
_LONGEST_NAME = 255
TRIGGER_EVENTS = (
    "DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop",
    "DeploymentRollback", "DeploymentReady", "InstanceStart", "InstanceSuccess",
    "InstanceFailure", "InstanceReady",
)  # fmt: skip

Existing = Callable[[Sequence[str]], frozenset[str]]
"""Which of these alarms CloudWatch knows."""


def alarms(given: Parameters, existing: Existing) -> Alarms:
    """Raises InvalidAlarmConfigException and AlarmsLimitExceededException."""
    listed = given.get("alarms") or []
    names = tuple((each or {}).get("name") or "" for each in listed)
    enabled = bool(given.get("enabled"))
    if enabled and not names:
        raise _no_alarms("The alarm configuration is enabled, but the alarm list is empty")
    if any(not 1 <= len(name) <= _LONGEST_NAME for name in names):
        raise _no_alarms(f"An alarm's name has 1 to {_LONGEST_NAME} characters")
    if len(set(names)) != len(names):
        raise _no_alarms("Two alarms with the same name have been specified")
    if len(names) > MOST_ALARMS:
        raise AwsError(
            "AlarmsLimitExceededException",
            f"The maximum number of alarms for a deployment group ({MOST_ALARMS}) was exceeded.",
        )
    unknown = sorted(set(names) - existing(names)) if names else []
    if unknown:
        raise _no_alarms(f"The following alarms do not exist: {', '.join(unknown)}")
    ignored = bool(given.get("ignorePollAlarmFailure"))
    return Alarms(enabled=enabled, ignored=ignored, names=names)


def rollback(given: Parameters) -> Rollback:
    """Raises InvalidAutoRollbackConfigException."""
    events = tuple(given.get("events") or ())
    unknown = [each for each in events if each not in ROLLBACK_EVENTS]
    if unknown:
        raise _no_rollback(f"{unknown[0]} is no event that triggers a rollback")
    if given.get("enabled") and not events:
        raise _no_rollback("Automatic rollback is enabled, but no event types were listed")
    return Rollback(enabled=bool(given.get("enabled")), events=events)


def triggers(given: Sequence[Parameters]) -> tuple[Trigger, ...]:
    """Raises InvalidTriggerConfigException and TriggerTargetsLimitExceededException."""
    if len(given) > MOST_TRIGGERS:
        raise AwsError(
            "TriggerTargetsLimitExceededException",
            "The maximum allowed number of triggers was exceeded.",
        )
    made = tuple(_trigger(each) for each in given)
    if len({each.name for each in made}) != len(made):
        raise AwsError("InvalidTriggerConfigException", "Two triggers have the same name")
    return made


def _trigger(given: Parameters) -> Trigger:
    name, topic = given.get("triggerName") or "", given.get("triggerTargetArn") or ""
    events = tuple(given.get("triggerEvents") or ())
    if not name or topic.split(":")[2:3] != ["sns"] or not events:
        raise AwsError(
            "InvalidTriggerConfigException", "A trigger needs a name, a topic's ARN and events"
        )
    if any(each not in TRIGGER_EVENTS for each in events):
        raise AwsError("InvalidTriggerConfigException", "The trigger has an unknown event")
    return Trigger(name=name, topic=topic, events=events)


def shown_alarms(each: Alarms) -> Result:
    return {
        "enabled": each.enabled,
        "ignorePollAlarmFailure": each.ignored,
        "alarms": [{"name": name} for name in each.names],
    }


def shown_rollback(each: Rollback) -> Result:
    return {"enabled": each.enabled, "events": list(each.events)}


def shown_trigger(each: Trigger) -> Result:
    return {
        "triggerName": each.name,
        "triggerTargetArn": each.topic,
        "triggerEvents": list(each.events),
    }


def _no_alarms(message: str) -> AwsError:
    return AwsError("InvalidAlarmConfigException", message)


def _no_rollback(message: str) -> AwsError:
    return AwsError("InvalidAutoRollbackConfigException", message)
