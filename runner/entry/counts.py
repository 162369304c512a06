"""What entry counts while a rollout is open, as metrics of candidate and baseline.

One line of CloudWatch's embedded metric format each; nothing is sent, nothing waits. A session is
counted once for each kind of trouble, so that one broken page is not a hundred errors. Runs inside
entry's zip: standard library only.
Source: CloudWatch user guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

NAMESPACE = "jam"
SESSIONS = "sessions"  # visitors who were drawn, by the release that they were given
FAILED = "failed"  # draws that entry answered with 5xx
MISSING = "missing"  # sessions in which an asset was missing
BROWSER = "browser"  # sessions in which a page reported an error
REPORT = "/.jam/report"

_PIN = re.compile(r"([0-9a-f]{32})\.([0-9a-z]{1,32})-([0-9A-Za-z]{1,32})")
_REMEMBERED = 10_000  # sessions, in one execution environment
_MOST_A_MINUTE = 600  # reports, in one execution environment: nobody may flood the log
_MINUTE = 60_000  # ms


class Pin(NamedTuple):
    """Where a rollout put a visitor, by the cookie that the router has checked."""

    release: str
    rollout: str
    session: str


def pin_of(event: Mapping[str, Any]) -> Pin | None:
    """The pin among a function URL's cookies, if it is of a rollout."""
    for cookie in event.get("cookies") or ():
        name, _, value = cookie.partition("=")
        found = _PIN.fullmatch(value) if name.strip() == "jam-pin" else None
        if found:
            return Pin(*found.groups())
    return None


class Counts:
    """Counts for one site; `write` takes each line. Times are in ms of the epoch."""

    def __init__(self, site: str, write: Callable[[str], object]) -> None:
        self._site = site
        self._write = write
        self._seen: dict[tuple[str, Pin], None] = {}
        self._minute = 0
        self._reports = 0

    def add(self, metric: str, release: str, *, at: int) -> None:
        """One more of `metric` for the release."""
        where = {"Namespace": NAMESPACE, "Dimensions": [["site", "release"]]}
        told = {"Timestamp": at, "CloudWatchMetrics": [{**where, "Metrics": [_named(metric)]}]}
        line = {"_aws": told, "site": self._site, "release": release, metric: 1}
        self._write(json.dumps(line, separators=(",", ":")))

    def once(self, metric: str, pin: Pin, *, at: int) -> None:
        """One more session with this trouble, unless it was counted already."""
        if (metric, pin) in self._seen or not self._allowed(at):
            return
        while len(self._seen) >= _REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        self._seen[metric, pin] = None
        self.add(metric, pin.release, at=at)

    def _allowed(self, at: int) -> bool:
        minute = at // _MINUTE
        if minute != self._minute:
            self._minute, self._reports = minute, 0
        self._reports += 1
        return self._reports <= _MOST_A_MINUTE


def _named(metric: str) -> dict[str, str]:
    return {"Name": metric, "Unit": "Count"}
