"""Lambda's queue of asynchronous events: runs them, tries again, tells destinations of the end.

Sources: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
invocation", "Capturing records of Lambda asynchronous invocations", "Types of metrics for Lambda
functions".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runner.execution.program import Outcome
from runner.local.compute import records
from runner.local.compute.desk import Desk
from runner.local.compute.records import Ended, Waiting
from runner.local.compute.store import LATEST, Function, Version
from runner.local.letters import Letter, Sender, UndeliveredError
from runner.local.wire import AwsError

RETRIES = 2
OLDEST = 6 * 3600  # cloud seconds
_RETRIES_AFTER = (60.0, 120.0)  # cloud seconds
_LONGEST_PAUSE = 300.0  # after throttling: doubles from one second up to five minutes


class Run(Protocol):
    """Runs one event; raises AwsError if it may not run now."""

    def __call__(
        self,
        function: Function,
        qualifier: str,
        payload: bytes,
        *,
        version: Version,
        context: str,
        request_id: str,
    ) -> Outcome: ...


Measure = Callable[[str, Waiting, float], None]
"""Counts a metric of an event: its name, the event, the value."""


@dataclass(frozen=True, slots=True)
class _Limits:
    retries: int
    age: float


class Queue:
    """Events on their way; kept in the clock's timers alone, so that a reset forgets them."""

    def __init__(
        self, desk: Desk, *, run: Run, pick: Callable[[Function, str], Version], measure: Measure
    ) -> None:
        self._desk = desk
        self._run = run
        self._pick = pick
        self._measure = measure

    def accept(
        self, function: Function, qualifier: str, payload: bytes, *, context: str = ""
    ) -> str:
        """Takes an event in and returns its request id; it runs in a thread of its own."""
        event = Waiting(
            region=function.region,
            name=function.name,
            arn=function.qualified(qualifier or LATEST),
            qualifier=qualifier,
            payload=payload,
            context=context,
            request_id=str(uuid.uuid4()),
            at=self._desk.clock.now(),
        )
        self._measure("AsyncEventsReceived", event, 1)
        self._desk.clock.later(0, lambda: self._attempt(event))
        return event.request_id

    def _attempt(self, event: Waiting) -> None:
        function = self._desk.store.find(event.region, event.name)
        if function is None:  # deleted meanwhile, and its settings with it
            return
        limits = _limits(function, event.qualifier)
        age = self._desk.clock.now() - event.at
        if function.reserved == 0:
            self._end(function, event, records.zero_concurrency(event))
        elif age >= limits.age:
            self._end(function, event, records.expired(event))
        else:
            self._measure("AsyncEventAge", event, age * 1000)
            self._try(function, event, limits)

    def _try(self, function: Function, event: Waiting, limits: _Limits) -> None:
        event.attempts += 1
        try:
            version = self._pick(function, event.qualifier)
            event.version = version.number
            event.outcome = self._run(
                function, event.qualifier, event.payload,
                version=version, context=event.context, request_id=event.request_id,
            )  # fmt: skip
        except AwsError as refused:
            self._refused(function, event, refused=refused, limits=limits)
            return
        if not event.outcome.error:
            self._end(function, event, records.succeeded(event))
            return
        event.failures += 1
        if event.failures > limits.retries:
            self._end(function, event, records.exhausted(event))
        else:
            self._again(event, _RETRIES_AFTER[event.failures - 1], limits)

    def _refused(
        self, function: Function, event: Waiting, *, refused: AwsError, limits: _Limits
    ) -> None:
        """Throttled, or the service is at fault: back to the queue, with growing pauses."""
        event.refusal = refused
        if refused.status in (404, 501):  # the version is gone, or can never run here
            self._end(function, event, records.exhausted(event))
            return
        event.throttles += 1
        self._again(event, min(2.0 ** (event.throttles - 1), _LONGEST_PAUSE), limits)

    def _again(self, event: Waiting, pause: float, limits: _Limits) -> None:
        left = event.at + limits.age - self._desk.clock.now()
        self._desk.clock.later(min(pause, max(left, 0)), lambda: self._attempt(event))

    def _end(self, function: Function, event: Waiting, ended: Ended) -> None:
        config = _config(function, event.qualifier).get("DestinationConfig") or {}
        side = "OnSuccess" if ended.well else "OnFailure"
        destination = (config.get(side) or {}).get("Destination")
        if not ended.well:
            self._measure("AsyncEventsDropped", event, 1)
        if destination:
            letter = records.letter(event, ended, destination, now=self._desk.clock.now())
            self._send(function, event, destination, letter=letter,
                       lost="DestinationDeliveryFailures")  # fmt: skip
        dead = _version(function, event).settings.get("DeadLetterConfig", {}).get("TargetArn")
        if dead and not ended.well:
            letter = records.dead_letter(event, ended)
            self._send(function, event, dead, letter=letter, lost="DeadLetterErrors")

    def _send(
        self, function: Function, event: Waiting, arn: str, *, letter: Letter, lost: str
    ) -> None:
        sender = Sender(role=_version(function, event).settings["Role"], source=function.arn)
        try:
            self._desk.outlet().send(arn, letter, sender=sender)
        except UndeliveredError:
            self._measure(lost, event, 1)


def _version(function: Function, event: Waiting) -> Version:
    return function.version(event.version or LATEST) or function.latest


def _config(function: Function, qualifier: str) -> Mapping[str, Any]:
    return function.event_configs.get(qualifier or LATEST, {})


def _limits(function: Function, qualifier: str) -> _Limits:
    config = _config(function, qualifier)
    retries = config.get("MaximumRetryAttempts")
    return _Limits(
        retries=RETRIES if retries is None else retries,
        age=config.get("MaximumEventAgeInSeconds") or OLDEST,
    )
