"""What SQS refuses and moto would take, and the metrics that SQS sends of its queues.

Source: SQS API reference, CreateQueue, DeleteQueue; SQS developer guide, "Available CloudWatch
metrics for Amazon SQS".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from runner.local.clock import Clock
from runner.local.compute.metrics import Metrics
from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Parameters, Response, Rule

NAMESPACE = "AWS/SQS"
_DELETED = 60.0  # seconds for which a deleted queue's name cannot be used
_MINUTE = 60.0
# A queue that holds nothing and that nobody asks is no longer active.
_ACTIVE = 6 * 3600.0
# Source: SQS API reference, CreateQueue, `Attributes`.
_RANGES = {
    "DelaySeconds": range(901),
    "MaximumMessageSize": range(1024, 1_048_577),
    "MessageRetentionPeriod": range(60, 1_209_601),
    "ReceiveMessageWaitTimeSeconds": range(21),
    "VisibilityTimeout": range(43_201),
    "KmsDataKeyReusePeriodSeconds": range(60, 86_401),
}

_Queue = tuple[str, str]  # region and name


class SqsLayer:
    """Around moto's queues. `backend` gives moto's of a region, `lock` the control plane's lock."""

    name = "sqs"

    def __init__(
        self,
        clock: Clock,
        metrics: Callable[[], Metrics],
        *,
        backend: Callable[[str], Any],
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._backend = backend
        self._lock = lock
        self._asked: dict[_Queue, float] = {}
        self._deleted: dict[_Queue, float] = {}
        self._measuring = False

    def reset(self) -> None:
        self._asked.clear()
        self._deleted.clear()
        self._measuring = False

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        operation, parameters = incoming.operation, incoming.parameters
        queue = (incoming.caller.region, name_of(parameters))
        now = self._clock.now()
        if operation == "CreateQueue" and now < self._deleted.get(queue, 0):
            raise AwsError(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another "
                "with the same name.",
            )
        if operation in ("CreateQueue", "SetQueueAttributes"):
            _check(parameters.get("Attributes") or {})
        response = forward(incoming)
        if response.status < 400 and queue[1]:
            self._note(operation, queue)
        return response

    def _note(self, operation: str, queue: _Queue) -> None:
        now = self._clock.now()
        if operation == "DeleteQueue":
            self._deleted[queue] = now + _DELETED
            self._asked.pop(queue, None)
            return
        self._asked[queue] = now
        if operation in ("SendMessage", "SendMessageBatch"):
            self._metrics().add(
                NAMESPACE, "NumberOfMessagesSent", 1, region=queue[0], dimensions=_named(queue)
            )
        if not self._measuring:
            self._measuring = True
            self._clock.timers.at(_next(now), self._measure)

    def _measure(self) -> None:
        with self._lock():
            for queue, asked in list(self._asked.items()):
                found = self._backend(queue[0]).queues.get(queue[1])
                if found:
                    self._count(queue, found, idle=self._clock.now() - asked > _ACTIVE)
        self._clock.timers.at(_next(self._clock.now()), self._measure)

    def _count(self, queue: _Queue, found: Any, *, idle: bool) -> None:
        counts = {
            "ApproximateNumberOfMessagesVisible": found.approximate_number_of_messages,
            "ApproximateNumberOfMessagesNotVisible":
                found.approximate_number_of_messages_not_visible,
            "ApproximateNumberOfMessagesDelayed": found.approximate_number_of_messages_delayed,
        }  # fmt: skip
        if idle and not any(counts.values()):
            return
        for metric, value in counts.items():
            self._metrics().add(NAMESPACE, metric, value, region=queue[0], dimensions=_named(queue))


def _next(now: float) -> float:
    """A second before the end of a minute: what is measured then is that minute's."""
    end = now - now % _MINUTE + _MINUTE - 1
    return end if end > now else end + _MINUTE


def name_of(parameters: Parameters) -> str:
    """The queue that a call names, by name or by URL."""
    named = parameters.get("QueueName") or (parameters.get("QueueUrl") or "").rpartition("/")[2]
    return str(named)


def _named(queue: _Queue) -> tuple[tuple[str, str], ...]:
    return (("QueueName", queue[1]),)


def _check(attributes: Parameters) -> None:
    for name, allowed in _RANGES.items():
        value = str(attributes.get(name, allowed[0]))
        if not value.isdigit() or int(value) not in allowed:
            raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    managed = str(attributes.get("SqsManagedSseEnabled", "")).lower() == "true"
    if managed and attributes.get("KmsMasterKeyId"):
        raise AwsError(
            "InvalidAttributeValue",
            "You can use one type of server-side encryption (SSE) at one time. You can either "
            "enable KMS SSE or SQS SSE.",
        )


_GUIDE = "SQS developer guide, "
RULES: tuple[Rule, ...] = (
    Rule(service="sqs", rule="a deleted queue's name is free after 60 s",
         page="SQS API reference, CreateQueue, DeleteQueue"),
    Rule(service="sqs", rule="attributes have their ranges; encryption is SQS's own or a KMS key's",
         page="SQS API reference, CreateQueue"),
    Rule(service="sqs", rule="ApproximateNumberOfMessages... in AWS/SQS every minute while a queue "
         "holds messages or was used within six hours; NumberOfMessagesSent",
         page=f'{_GUIDE}"Available CloudWatch metrics for Amazon SQS", "Creating CloudWatch alarms '
         'for Amazon SQS metrics"'),
)  # fmt: skip
