"""Which right of which rule a function's call of EventBridge needs."""

from __future__ import annotations

import json

import pytest

from runner.local import message_rights
from runner.local.protocol import incoming
from runner.local.wire import Request

HERE = "eu-central-1:123456789012"
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/events/aws4_request, Signature=0"


@pytest.mark.parametrize(
    ("operation", "asked", "resource"),
    [
        ("DisableRule", {"Name": "jam-notes-clock"}, "rule/jam-notes-clock"),
        ("DisableRule", {"Name": "a", "EventBusName": "mine"}, "rule/mine/a"),
        ("EnableRule", {"Name": "a", "EventBusName": "default"}, "rule/a"),
        ("PutTargets", {"Rule": "a", "Targets": []}, "rule/a"),
        ("ListTargetsByRule", {"Rule": "a"}, "rule/a"),
        ("PutEvents", {"Entries": [{"Source": "a"}]}, "event-bus/default"),
        ("ListRules", {}, "*"),
        ("CreateEventBus", {"Name": "a"}, "*"),
    ],
)
def test_a_call_is_about_the_rule_that_it_names(
    operation: str, asked: dict[str, object], resource: str
) -> None:
    request = Request(
        method="POST",
        host="events.eu-central-1.amazonaws.com",
        path="/",
        query="",
        headers=(
            ("authorization", SIGNED),
            ("x-amz-target", f"AWSEvents.{operation}"),
            ("content-type", "application/x-amz-json-1.1"),
        ),
        body=json.dumps(asked).encode(),
    )
    arn = resource if resource == "*" else f"arn:aws:events:{HERE}:{resource}"
    assert list(message_rights.events(incoming(request), HERE)) == [(f"events:{operation}", arn)]
