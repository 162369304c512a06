"""The API's access log as a log among others, and which releases a line is about.

A line has its api_stage, which releases with the same functions share; the record of the
environment says which those are, the newest first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.aws.deployed import Deployed
from runner.aws.log_events import LogEvent, events_of
from runner.aws.session import Aws
from runner.names import Names
from runner.operate.logs import Look
from runner.package.functions.discover import route_of

Stages = Mapping[str, tuple[str, ...]]


def access_log(names: Names) -> Deployed:
    """Stands for the log in what is made for logs of functions."""
    return Deployed(name="access", function=names.access_log, version="")


def look_of(aws: Aws, *, function: str, stage: str = "") -> Look:
    """Reads the log: all of it, or the requests for one of the site's functions; a preview's
    `stage` alone, for all previews write to one log."""
    route = route_of(function) if function else ""

    def look(log: Deployed, since: int) -> Iterator[LogEvent]:
        found = events_of(aws, log.function, since=since)
        mine = (each for each in found if not stage or request_of(each).get("stage") == stage)
        return (each for each in mine if not route or _is_for(each, route))

    return look


def request_of(event: LogEvent) -> dict[str, Any]:
    """The line's members; empty where a visitor's words broke it: nothing escapes them."""
    try:
        found = json.loads(event.message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Releases:
    """Which releases an api_stage has served; asks again for one that came since."""

    def __init__(self, known: Stages, renew: Callable[[], Stages]) -> None:
        self._known = dict(known)
        self._renew = renew

    def __call__(self, stage: str) -> tuple[str, ...]:
        if stage and stage not in self._known:
            self._known = {stage: (), **self._known, **self._renew()}
        return self._known.get(stage, ())


def _is_for(event: LogEvent, route: str) -> bool:
    """A route's key is `GET /.functions/notes`."""
    key = str(request_of(event).get("route", ""))
    return key.partition(" ")[2] == route
