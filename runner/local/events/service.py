"""EventBridge's PutEvents and TestEventPattern; all other operations are moto's, behind the layer.

Source: EventBridge API reference, PutEvents, PutEventsRequestEntry, TestEventPattern.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.local.constraints import check as check_limits
from runner.local.events import patterns
from runner.local.events.bus import EventBus
from runner.local.quotas import EVENT
from runner.local.scheduler.refusals import seconds
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_OWN = "aws."  # sources that only AWS publishes as
_STAMP = 14  # bytes that an entry's time counts


class EventsService:
    """The service object for `events`."""

    name = "events"

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def operations(self) -> Mapping[str, Operation]:
        return {"PutEvents": self.put_events, "TestEventPattern": self.test_pattern}

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        """It keeps nothing."""

    def put_events(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        entries = parameters["Entries"]
        if sum(map(_size, entries)) > EVENT.limit:
            raise AwsError("ValidationException", "Total size of the entries in the request is "
                           "over the limit.")  # fmt: skip
        answers = [self._put(entry, call) for entry in entries]
        failed = sum("ErrorCode" in each for each in answers)
        return {"FailedEntryCount": failed, "Entries": answers}

    def _put(self, entry: Mapping[str, Any], call: Call) -> Result:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _failed("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} "
                               "is a required argument.")  # fmt: skip
        if entry["Source"].startswith(_OWN):
            return _failed("NotAuthorizedForSource", "Not authorized for the source.")
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return _failed("MalformedDetail", "Detail is malformed.")
        if not isinstance(detail, dict):
            return _failed("MalformedDetail", "Detail is malformed.")
        identity = self._bus.emit(
            entry["Source"],
            entry["DetailType"],
            detail=detail,
            resources=entry.get("Resources") or (),
            region=call.region,
            bus=(entry.get("EventBusName") or "default").rpartition("/")[2],
            at=seconds(entry.get("Time")),
        )
        return {"EventId": identity}

    def test_pattern(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        try:
            event = json.loads(parameters["Event"])
        except ValueError:
            raise AwsError("ValidationException", "Parameter Event is not valid.") from None
        return {"Result": patterns.matches(pattern_of(parameters["EventPattern"]), event)}


def pattern_of(text: str) -> dict[str, Any]:
    """Raises InvalidEventPatternException."""
    try:
        return patterns.parse(text)
    except ValueError as wrong:
        raise AwsError(
            "InvalidEventPatternException", f"Event pattern is not valid. Reason: {wrong}"
        ) from None


def _size(entry: Mapping[str, Any]) -> int:
    """Source: EventBridge user guide, "Calculating PutEvents event entry size"."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail")]
    texts += entry.get("Resources") or []
    return sum(len((each or "").encode()) for each in texts) + (_STAMP if entry.get("Time") else 0)


def _failed(code: str, message: str) -> Result:
    return {"ErrorCode": code, "ErrorMessage": message}
