"""Hands what a service sends to its target: a queue, a topic, a function, an event bus.

Who sends is a role, whose policies decide, or a service itself: then the target's own policy does.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from moto.core.exceptions import ServiceException

from runner.local.compute import permissions, reference
from runner.local.letters import Attributes, Letter, Sender, UndeliveredError
from runner.local.policy import allows
from runner.local.wire import AwsError


class RolePolicies(Protocol):
    def allows(self, arn: str, action: str, resource: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """`moto` gives a backend of service and region, `lock` the control plane's lock; `run` takes
    an event for a function, `publish` one for a bus: (region, bus, event).
    """

    account: str
    roles: RolePolicies
    moto: Callable[[str, str], Any]
    lock: Callable[[], contextlib.AbstractContextManager[Any]]
    functions: Any
    run: Callable[[Any, str, bytes], None]
    publish: Callable[[str, str, Mapping[str, Any]], None]

    def send(self, arn: str, letter: Letter, *, sender: Sender) -> None:
        """Raises UndeliveredError."""
        kind = arn.split(":")[2] if arn.count(":") >= 5 else ""
        ways = {
            "sqs": self._queue,
            "sns": self._topic,
            "lambda": self._function,
            "events": self._bus,
        }
        if kind not in ways:
            raise UndeliveredError(
                "InvalidTarget", f"The embedded cloud does not deliver to {arn}."
            )
        ways[kind](arn, letter, sender)

    def exists(self, arn: str) -> bool:
        """Whether there is such a queue, topic, function or bus."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[4] != self.account:
            return False
        _, _, kind, region, _, name = parts
        if kind == "lambda":
            return self._function_of(arn) is not None
        if kind == "sqs":
            return name in self.moto("sqs", region).queues
        if kind == "sns":
            return arn in self.moto("sns", region).topics
        buses = self.moto("events", region).event_buses if kind == "events" else {}
        return name.removeprefix("event-bus/") in buses

    def may(self, arn: str, action: str, *, sender: Sender, policy: Any = None) -> bool:
        """Whether the sender's role, or else the target's policy, lets it."""
        if sender.role and self.roles.allows(sender.role, action, arn):
            return True
        if not policy:
            return False
        context = {"aws:SourceArn": sender.source, "aws:SourceAccount": self.account}
        who = sender.role or sender.service
        return allows(policy, principal=who, action=action, resource=arn, context=context)

    def _queue(self, arn: str, letter: Letter, sender: Sender) -> None:
        region, name = arn.split(":")[3], arn.split(":")[5]
        with self.lock():
            backend = self.moto("sqs", region)
            queue = backend.queues.get(name)
            if queue is None:
                raise UndeliveredError(
                    "AWS.SimpleQueueService.NonExistentQueue",
                    "The specified queue does not exist for this wsdl version.",
                )
            if not self.may(arn, "sqs:SendMessage", sender=sender, policy=queue.policy):
                raise _refused(sender, "sqs:SendMessage", arn)
            with _told():
                backend.send_message(
                    name,
                    letter.body,
                    message_attributes=_message_attributes(letter.attributes),
                    group_id=letter.group or None,
                )

    def _topic(self, arn: str, letter: Letter, sender: Sender) -> None:
        with self.lock():
            backend = self.moto("sns", arn.split(":")[3])
            topic = backend.topics.get(arn)
            if topic is None:
                raise UndeliveredError("NotFound", "Topic does not exist")
            if not self.may(arn, "sns:Publish", sender=sender, policy=topic.policy):
                raise _refused(sender, "sns:Publish", arn)
            attributes = {
                name: {"Type": kind, "Value": value}
                for name, (kind, value) in letter.attributes.items()
            }
            with _told():
                backend.publish(letter.body, arn=arn, message_attributes=attributes)

    def _function(self, arn: str, letter: Letter, sender: Sender) -> None:
        function = self._function_of(arn)
        if function is None:
            raise UndeliveredError("ResourceNotFoundException", f"Function not found: {arn}")
        qualifier = reference.parse(arn, region="").qualifier
        action = "lambda:InvokeFunction"
        allowed = self.may(arn, action, sender=sender) or permissions.permits(
            function,
            qualifier,
            principal=sender.role or sender.service,
            action=action,
            context={"AWS:SourceArn": sender.source, "AWS:SourceAccount": self.account},
        )
        if not allowed:
            raise _refused(sender, action, arn)
        with _told():
            self.run(function, qualifier, letter.body.encode())

    def _bus(self, arn: str, letter: Letter, sender: Sender) -> None:
        name = arn.split(":")[5].removeprefix("event-bus/")
        if not self.exists(arn):
            raise UndeliveredError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        if not self.may(arn, "events:PutEvents", sender=sender):
            raise _refused(sender, "events:PutEvents", arn)
        self.publish(arn.split(":")[3], name, letter.event or json.loads(letter.body))

    def _function_of(self, arn: str) -> Any:
        """The function, if it has the version or alias that the ARN names."""
        wanted = reference.parse(arn, region="")
        found = self.functions.find(wanted.region, wanted.name)
        try:
            reference.version_of(found, wanted.qualifier) if found else None
        except AwsError:
            return None
        return found


@contextlib.contextmanager
def _told() -> Any:
    """A target's own refusal, as what it means to the sender."""
    try:
        yield
    except ServiceException as error:
        raise UndeliveredError(str(error.code), str(error.message)) from error


def _message_attributes(attributes: Attributes) -> dict[str, Any]:
    return {
        name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()
    }


def _refused(sender: Sender, action: str, arn: str) -> UndeliveredError:
    who = sender.role or sender.service
    return UndeliveredError(
        "AccessDenied", f"{who} is not authorized to perform: {action} on resource: {arn}"
    )
