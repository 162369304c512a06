"""Reads log events of a function, page by page, oldest first. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.aws.refusals import explained
from runner.aws.session import Aws

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event of a function's log; `at` in epoch milliseconds, `message` as it was written."""

    id: str
    at: int
    version: str
    message: str


# `2026/11/21/[3]0123456789abcdef0123456789abcdef`.
# Source: Lambda developer guide, "Viewing CloudWatch logs for Lambda functions".
_STREAM = re.compile(r"\[(\$LATEST|[0-9]+)\]")


def events(aws: Aws, function: str, *, since: int) -> Iterator[LogEvent]:
    """The events of the Lambda function since `since` (epoch milliseconds), as they are sorted."""
    return events_of(aws, f"/aws/lambda/{function}", since=since)


def events_of(aws: Aws, group: str, *, since: int) -> Iterator[LogEvent]:
    """The events of a log group.

    None where there is no log group: nothing was ever logged. Pages may be empty and yet have a
    successor. Source: CloudWatch Logs API reference, FilterLogEvents.
    """
    pages = aws.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=since,
        interleaved=True,  # what AWS takes for granted since 2019, said to whatever stands in
    )
    with explained():
        try:
            for page in pages:
                yield from map(_event, page["events"])
        except aws.logs.exceptions.ResourceNotFoundException:
            return


def _event(found: FilteredLogEventTypeDef) -> LogEvent:
    stream = _STREAM.search(found.get("logStreamName", ""))
    return LogEvent(
        id=found.get("eventId", ""),
        at=found.get("timestamp", 0),
        version=stream[1] if stream else "",
        message=found.get("message", ""),
    )
