"""Event buses: what is published is matched by the rules, and delivered to their targets.

Rules and targets are moto's store. Source: EventBridge user guide, "Amazon EventBridge events",
"How EventBridge retries delivering events", "Using dead-letter queues to process undelivered
events".
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from runner.local.clock import Clock
from runner.local.compute.metrics import Metrics
from runner.local.events import inputs, patterns
from runner.local.letters import Letter, Outlet, Sender, UndeliveredError

NAMESPACE = "AWS/Events"
SERVICE = "events.amazonaws.com"

Event = Mapping[str, Any]


class EventBus:
    """Every bus of the account. `backend` gives moto's events of a region."""

    def __init__(
        self,
        *,
        account: str,
        clock: Clock,
        metrics: Metrics,
        backend: Callable[[str], Any],
        deliveries: Callable[[], Outlet],
    ) -> None:
        self._account = account
        self._clock = clock
        self._metrics = metrics
        self._backend = backend
        self._deliveries = deliveries

    def emit(
        self,
        source: str,
        detail_type: str,
        *,
        detail: Mapping[str, Any],
        resources: Sequence[str] = (),
        region: str,
        bus: str = "default",
        at: float | None = None,
    ) -> str:
        """Publishes an event and returns its id; targets get it in threads of their own.

        `at` is what the event says of its time, in cloud seconds; else the present.
        """
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._account,
            "time": stamp(self._clock.now() if at is None else at),
            "region": region,
            "resources": list(resources),
            "detail": dict(detail),
        }
        self.publish(region, bus, event)
        return str(event["id"])

    def publish(self, region: str, bus: str, event: Event) -> None:
        """Matches the event with the rules as they are now. Nothing is sent in a replay."""
        found = self._backend(region).event_buses.get(bus)
        if found is None or not self._clock.timers.live:
            return
        for rule in list(found.rules.values()):
            if rule.state == "DISABLED" or (rule.scheduled_expression and not _pattern(rule)):
                continue
            if patterns.matches(_pattern(rule), event):
                self._count("MatchedEvents", rule)
                self.trigger(rule, event)

    def trigger(self, rule: Any, event: Event) -> None:
        """Sends an event to all targets of a rule."""
        self._count("TriggeredRules", rule)
        for target in list(rule.targets):
            deliver = functools.partial(self._deliver, rule, target, event)
            self._clock.timers.at(self._clock.now(), deliver)

    def _deliver(self, rule: Any, target: Mapping[str, Any], event: Event) -> None:
        arn = str(target["Arn"])
        letter = Letter(
            body=inputs.body(target, event),
            group=(target.get("SqsParameters") or {}).get("MessageGroupId", ""),
            event=event,
        )
        role = target.get("RoleArn") or ""
        # Queues, topics and functions are asked by their own policies, whatever the role.
        sender = Sender(role=role if ":events:" in arn else "", service=SERVICE, source=rule.arn)
        self._count("Invocations", rule)
        try:
            self._deliveries().send(arn, letter, sender=sender)
        except UndeliveredError as refused:
            self._count("FailedInvocations", rule)
            self._dead(rule, target, letter=letter, refused=refused)

    def _dead(
        self, rule: Any, target: Mapping[str, Any], *, letter: Letter, refused: UndeliveredError
    ) -> None:
        """A target that is not there, or may not be used, is not tried again.

        Source: "How EventBridge retries delivering events".
        """
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": ("String", str(rule.arn)),
            "TARGET_ARN": ("String", str(target["Arn"])),
            "ERROR_CODE": ("String", _code(refused)),
            "ERROR_MESSAGE": ("String", refused.message),
            "RETRY_ATTEMPTS": ("String", "0"),
        }
        dead = Letter(body=letter.body, attributes=attributes)
        sender = Sender(service=SERVICE, source=rule.arn)
        try:
            self._deliveries().send(queue, dead, sender=sender)
        except UndeliveredError:
            self._count("InvocationsFailedToBeSentToDlq", rule)
        else:
            self._count("InvocationsSentToDlq", rule)

    def _count(self, metric: str, rule: Any) -> None:
        named = (("RuleName", str(rule.name)),)
        self._metrics.add(NAMESPACE, metric, 1, region=rule.region_name, dimensions=named)


def stamp(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pattern(rule: Any) -> Mapping[str, Any]:
    text = rule.event_pattern.dump() if rule.event_pattern else None
    found: Mapping[str, Any] = json.loads(text) if text else {}
    return found


def _code(refused: UndeliveredError) -> str:
    """Source: "Using dead-letter queues to process undelivered events"."""
    return "NO_PERMISSIONS" if refused.code == "AccessDenied" else "NO_RESOURCE"
