"""Which rights a function's calls of SQS, SNS and EventBridge need. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from runner.local.protocol import Incoming
from runner.local.sqs_layer import name_of


def sqs(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    """A batch needs the action of its single form.

    Source: SQS developer guide, "Amazon SQS API permissions: Actions and resource reference".
    """
    name = name_of(incoming.parameters)
    yield f"sqs:{incoming.operation.removesuffix('Batch')}", f"arn:aws:sqs:{here}:{name or '*'}"


def sns(incoming: Incoming, _here: str) -> Iterator[tuple[str, str]]:
    asked = incoming.parameters
    arn = asked.get("TopicArn") or asked.get("TargetArn") or "*"
    yield f"sns:{incoming.operation.removesuffix('Batch')}", arn


def events(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    """Source: Service authorization reference, "Actions, resources, and condition keys for Amazon
    EventBridge", rule-on-default-event-bus and rule-on-custom-event-bus.
    """
    entries = incoming.parameters.get("Entries") or ()
    buses = {each.get("EventBusName") or "default" for each in entries}
    for name in sorted(buses) if incoming.operation == "PutEvents" else ():
        arn = name if name.startswith("arn:") else f"arn:aws:events:{here}:event-bus/{name}"
        yield "events:PutEvents", arn
    if incoming.operation != "PutEvents":
        yield f"events:{incoming.operation}", _rule(incoming, here)


def _rule(incoming: Incoming, here: str) -> str:
    """The rule that a call is about; `*` where it is about something else."""
    asked, operation = incoming.parameters, incoming.operation
    name = asked.get("Rule") or (operation.endswith("Rule") and asked.get("Name"))
    if not name:
        return "*"
    bus = str(asked.get("EventBusName") or "default").rpartition("/")[2]
    return f"arn:aws:events:{here}:rule/{name if bus == 'default' else f'{bus}/{name}'}"
