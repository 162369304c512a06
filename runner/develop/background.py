"""Functions without a waiting visitor, on this machine: a request is taken and run apart, a
schedule is run by hand. Pure but for the ids of runs.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from runner.acceptor.acceptor import RUN
from runner.execution.http_messages import Response
from runner.model import Background
from runner.names import Names

# Where a deploy's distribution has our own paths: no function of a site can be there.
BY_HAND = re.compile(r"/\.jam/run/(?P<name>.+)")
# Source: Lambda developer guide, "Lambda quotas", invocation payload, asynchronous.
LARGEST_EVENT = 1024 * 1024  # bytes


def accepted(run: str) -> Response:
    """What a deploy's acceptor answers: the run's id, and nothing of what will come of it."""
    body = json.dumps({"run": run}, separators=(",", ":")).encode()
    headers = (("content-type", "application/json"), ("cache-control", "no-store"), (RUN, run))
    return Response(status=202, headers=headers, body=body)


def scheduled(names: Names, function: str, *, now: float) -> bytes:
    """The event with which Scheduler runs a function.

    Source: Lambda developer guide, "Using Lambda with Amazon EventBridge Scheduler".
    """
    here = f"arn:{names.partition}:scheduler:{names.region}:{names.account}"
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": names.account,
        "time": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": names.region,
        "resources": [f"{here}:schedule/{names.schedules}/{names.function(function)}"],
        "detail": "{}",
    }
    return json.dumps(event, separators=(",", ":")).encode()


def announced(running: Mapping[str, Background], url: str) -> Iterator[str]:
    """What `dev` says of schedules: none of them runs by itself here."""
    for name, each in sorted(running.items()):
        if each.schedule:
            yield f"{name} │ runs by {each.schedule} when deployed; here at {url}/.jam/run/{name}"


def fate(background: Background) -> str:
    """What would become of an event that failed."""
    tries = {0: "not tried again", 1: "tried once more"}
    told = tries.get(background.retries, f"tried {background.retries} times more")
    return f"failed; deployed it is {told}, and then lies among the site's dead letters"


def by_schedule(running: Mapping[str, Background]) -> Iterable[str]:
    """The names of functions that a schedule runs."""
    return (name for name, each in running.items() if each.schedule)
