"""An asynchronous event on its way, and what destinations and dead-letter queues hear of its end.

Pure. Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runner.execution.program import Outcome
from runner.local.letters import Letter
from runner.local.wire import AwsError

_MESSAGE = 1024  # bytes of a dead letter's ErrorMessage


@dataclass(kw_only=True)
class Waiting:
    """One event: `at` is when it came, in cloud seconds; `attempts` counts runs, `failures` those
    that ended in the function's error, `throttles` those that could not begin.
    """

    region: str
    name: str
    arn: str  # of the function with what was called of it
    qualifier: str
    payload: bytes
    context: str
    request_id: str
    at: float
    attempts: int = 0
    failures: int = 0
    throttles: int = 0
    version: str = ""
    outcome: Outcome | None = None
    refusal: AwsError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an event ended. `count` is how often the function was called."""

    condition: str
    count: int
    status: int
    message: str = ""

    @property
    def well(self) -> bool:
        return self.condition == "Success"


def succeeded(event: Waiting) -> Ended:
    return Ended(condition="Success", count=event.attempts, status=200)


def exhausted(event: Waiting) -> Ended:
    status, message = _last(event)
    return Ended(condition="RetriesExhausted", count=event.attempts, status=status, message=message)


def expired(event: Waiting) -> Ended:
    status, message = _last(event)
    return Ended(condition="EventAgeExceeded", count=event.attempts, status=status, message=message)


def zero_concurrency(event: Waiting) -> Ended:
    message = "Function not invoked. Function is configured with zero reserved concurrency."
    return Ended(
        condition="ZeroReservedConcurrency", count=event.attempts, status=429, message=message
    )


def letter(event: Waiting, ended: Ended, destination: str, *, now: float) -> Letter:
    """The invocation record; a bus gets it as the detail of an event of Lambda's."""
    record = record_of(event, ended, now=now)
    if ":events:" not in destination:
        return Letter(body=json.dumps(record))
    result = "Success" if ended.well else "Failure"
    return Letter(
        body=json.dumps(record),
        event={
            "version": "0",
            "id": event.request_id,
            "detail-type": f"Lambda Function Invocation Result - {result}",
            "source": "lambda",
            "account": event.arn.split(":")[4],
            "time": f"{_stamp(now)[:19]}Z",
            "region": event.region,
            "resources": [destination, event.arn],
            "detail": record,
        },
    )


def record_of(event: Waiting, ended: Ended, *, now: float) -> dict[str, Any]:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": _stamp(now),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": event.arn,
            "condition": ended.condition,
            "approximateInvokeCount": ended.count,
        },
        "requestPayload": json.loads(event.payload),
    }
    outcome = event.outcome
    if outcome:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": event.version}
        record["responseContext"] = context | (
            {"functionError": "Unhandled"} if outcome.error else {}
        )
        record["responsePayload"] = _parsed(outcome.payload)
    return record


def dead_letter(event: Waiting, ended: Ended) -> Letter:
    """The older form: the event alone, and why, in three attributes.

    Source: the page above, "Adding a dead-letter queue".
    """
    attributes = {
        "RequestID": ("String", event.request_id),
        "ErrorCode": ("Number", str(ended.status)),
        "ErrorMessage": ("String", _cut(ended.message) or "Unhandled"),
    }
    return Letter(body=event.payload.decode(), attributes=attributes)


def _last(event: Waiting) -> tuple[int, str]:
    if event.outcome is None:
        refusal = event.refusal
        return (refusal.status, str(refusal.message)) if refusal else (429, "Rate Exceeded.")
    told = _parsed(event.outcome.payload)
    return 200, str(told.get("errorMessage", "")) if isinstance(told, dict) else ""


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")


def _cut(message: str) -> str:
    return message.encode()[:_MESSAGE].decode(errors="ignore")


def _stamp(moment: float) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
