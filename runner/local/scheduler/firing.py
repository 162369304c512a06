"""When schedules fall due, and what then happens: the target is called as the role, again and again
where it fails, and the dead-letter queue gets what stays undelivered.

Source: EventBridge Scheduler user guide, "Schedule types in EventBridge Scheduler", "Managing a
schedule", "Configuring a schedule's dead-letter queue", "Adding context attributes".
"""

from __future__ import annotations

import contextlib
import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.local.clock import Clock
from runner.local.compute.metrics import Metrics
from runner.local.events.bus import stamp
from runner.local.letters import Letter, Outlet, Sender, UndeliveredError
from runner.local.scheduler.refusals import expression_of, seconds
from runner.local.scheduler.store import Schedule, Settings, Store

NAMESPACE = "AWS/Scheduler"
RETRIES = 185
OLDEST = 86_400  # seconds
_LONGEST_PAUSE = 480.0  # seconds; AWS says "exponential backoff" and no number

Trusted = Callable[[str, str], bool]
"""Whether Scheduler may assume a role now, for schedules of a group: ARNs of both."""


@dataclass(kw_only=True)
class Occurrence:
    """One time that a schedule fell due, on its way to the target."""

    schedule: Schedule
    settings: Settings
    due: float  # what the expression says
    begun: float
    identity: str
    attempts: int = 0


class Firing:
    """Plans the next time of every schedule. Nothing is sent while calls are replayed: what fell
    due while the cloud was stopped is not made up for.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        account: str,
        metrics: Metrics,
        outlet: Callable[[], Outlet],
        trusted: Trusted,
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._account = account
        self._metrics = metrics
        self._outlet = outlet
        self._trusted = trusted
        self._lock = lock
        self._draw = draw

    def plan(self, schedule: Schedule, *, after: float) -> None:
        """Has the schedule fall due next, later than `after`."""
        settings = schedule.settings
        if settings["State"] != "ENABLED":
            return
        begin = seconds(settings.get("StartDate")) or schedule.created
        end = seconds(settings.get("EndDate"))
        expression = expression_of(settings)
        due = expression.due(after, begin)
        if due is None or (end is not None and due > end and not expression.once):
            self._completed(schedule, settings)
            return
        self._clock.timers.at(
            due + self._offset(settings), lambda: self._due(schedule, settings, due)
        )

    def _offset(self, settings: Settings) -> float:
        """Source: user guide, "Configuring flexible time windows"."""
        minutes = settings["FlexibleTimeWindow"].get("MaximumWindowInMinutes") or 0
        return self._draw() * minutes * 60

    def _due(self, schedule: Schedule, settings: Settings, due: float) -> None:
        with self._lock():
            # An update has other settings, and planned its own next time.
            if not self._store.holds(schedule) or schedule.settings is not settings:
                return
            self.plan(schedule, after=due)
        if self._clock.timers.live:
            self._attempt(
                Occurrence(
                    schedule=schedule,
                    settings=settings,
                    due=due,
                    begun=self._clock.now(),
                    identity=uuid.uuid4().hex[:16],
                )
            )

    def _completed(self, schedule: Schedule, settings: Settings) -> None:
        """Source: user guide, "Deleting a schedule", after completion."""
        if settings.get("ActionAfterCompletion") == "DELETE":
            self._store.remove(schedule)

    def _attempt(self, occurrence: Occurrence) -> None:
        occurrence.attempts += 1
        self._count("InvocationAttemptCount", occurrence)
        target = occurrence.settings["Target"]
        try:
            self._send(occurrence, target["Arn"], self._letter(occurrence))
        except UndeliveredError as refused:
            self._count("TargetErrorCount", occurrence)
            self._again(occurrence, refused)

    def _again(self, occurrence: Occurrence, refused: UndeliveredError) -> None:
        policy = occurrence.settings["Target"]["RetryPolicy"]
        pause = min(2.0 ** (occurrence.attempts - 1), _LONGEST_PAUSE)
        age = self._clock.now() + pause - occurrence.begun
        if occurrence.attempts > policy["MaximumRetryAttempts"]:
            self._dead(occurrence, refused, exhausted="MaximumRetryAttempts")
        elif age > policy["MaximumEventAgeInSeconds"]:
            self._dead(occurrence, refused, exhausted="MaximumEventAgeInSeconds")
        else:
            self._clock.later(pause, lambda: self._attempt(occurrence))

    def _send(self, occurrence: Occurrence, arn: str, letter: Letter) -> None:
        schedule = occurrence.schedule
        role, group = occurrence.settings["Target"]["RoleArn"], group_of(schedule)
        if not self._trusted(role, group):
            raise UndeliveredError(
                "AccessDeniedException", f"Scheduler is not authorized to assume the role {role}"
            )
        self._outlet().send(arn, letter, sender=Sender(role=role, source=group))

    def _letter(self, occurrence: Occurrence) -> Letter:
        target = occurrence.settings["Target"]
        body = self._body(occurrence)
        parameters = target.get("EventBridgeParameters")
        event = None
        if parameters:
            event = self._event(occurrence) | {
                "source": parameters["Source"],
                "detail-type": parameters["DetailType"],
                "resources": [],
                "detail": json.loads(body) if target.get("Input") else {},
            }
        group = (target.get("SqsParameters") or {}).get("MessageGroupId", "")
        return Letter(body=body, group=group, event=event)

    def _body(self, occurrence: Occurrence) -> str:
        given = occurrence.settings["Target"].get("Input")
        if not given:
            return json.dumps(self._event(occurrence))
        for name, value in (
            ("schedule-arn", occurrence.schedule.arn),
            ("scheduled-time", stamp(occurrence.due)),
            ("execution-id", occurrence.identity),
            ("attempt-number", str(occurrence.attempts)),
        ):
            given = given.replace(f"<aws.scheduler.{name}>", value)
        return str(given)

    def _event(self, occurrence: Occurrence) -> dict[str, Any]:
        """What a target gets for want of an Input; `detail` is a text there.

        Source: Lambda developer guide, "Using Lambda with Amazon EventBridge Scheduler".
        """
        schedule = occurrence.schedule
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self._account,
            "time": stamp(occurrence.due),
            "region": schedule.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }

    def _dead(self, occurrence: Occurrence, refused: UndeliveredError, *, exhausted: str) -> None:
        self._count("InvocationDroppedCount", occurrence)
        target = occurrence.settings["Target"]
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        told = {
            "ERROR_CODE": refused.code,
            "ERROR_MESSAGE": refused.message,
            "EXECUTION_ID": occurrence.identity,
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(occurrence.attempts - 1),
            "SCHEDULED_TIME": stamp(occurrence.due),
            "SCHEDULE_ARN": occurrence.schedule.arn,
            "TARGET_ARN": target["Arn"],
        }
        attributes = {name: ("String", value) for name, value in told.items()}
        letter = Letter(body=self._body(occurrence), attributes=attributes)
        try:
            self._send(occurrence, queue, letter)
        except UndeliveredError:
            self._count("InvocationsFailedToBeSentToDeadLetterCount", occurrence)
        else:
            self._count("InvocationsSentToDeadLetterCount", occurrence)

    def _count(self, metric: str, occurrence: Occurrence) -> None:
        schedule = occurrence.schedule
        for dimensions in ((), (("ScheduleGroup", schedule.group),)):
            self._metrics.add(NAMESPACE, metric, 1, region=schedule.region, dimensions=dimensions)


def group_of(schedule: Schedule) -> str:
    """The ARN that Scheduler names as the source when it assumes a role: the group's.

    Source: user guide, "Confused deputy prevention in EventBridge Scheduler".
    """
    return f"{schedule.arn.rpartition(':')[0]}:schedule-group/{schedule.group}"
