"""The log lines of several functions as one stream: what was, and what comes.

Reads through what it is given: no AWS, no clock of its own.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from runner.aws.deployed import Deployed
from runner.aws.log_events import LogEvent
from runner.errors import JamError, Turn, site_error
from runner.together import at_once

Look = Callable[[Deployed, int], Iterator[LogEvent]]
"""The events of a function since a moment (epoch milliseconds), oldest first."""

# FilterLogEvents: 5 calls a second for an account and region, with nobody's quota to be raised.
# Source: AWS Knowledge Center, "How do I troubleshoot throttling errors in CloudWatch Logs?".
CALLS_A_SECOND = 5
LOOKS = 4  # at once
SHORTEST, LONGEST = 1.0, 10.0  # seconds between two looks
TROUBLE = 15 * 60.0  # seconds without an answer until following ends
# Events become visible late and out of order: each look goes back so far.
LATE = 60_000  # milliseconds

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event, with the site's name of the function that wrote it."""

    function: str
    event: LogEvent


def seconds_of(text: str) -> int:
    """`90s`, `10m`, `2h`, `1d` in seconds. Raises JAM-DURATION."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if not found:
        raise site_error(
            "JAM-DURATION",
            f"{text!r} is no span of time.",
            hint="Write a number and a unit: 90s, 10m, 2h or 1d.",
        )
    return int(found[1]) * _UNITS[found[2]]


def recent(functions: Sequence[Deployed], look: Look, *, since: int) -> Iterator[Line]:
    """The lines of all functions since `since`, by time; later pages are fetched as needed."""
    with at_once(LOOKS) as pool:
        streams = list(pool.map(lambda each: _begun(_lines(each, look, since=since)), functions))
    yield from heapq.merge(*streams, key=lambda line: line.event.at)


def _lines(function: Deployed, look: Look, *, since: int) -> Iterator[Line]:
    return (Line(function=function.name, event=event) for event in look(function, since))


def _begun(lines: Iterator[Line]) -> Iterable[Line]:
    """The same lines, the first of them fetched already: so that first pages come at once."""
    return chain(list(islice(lines, 1)), lines)


@dataclass(kw_only=True)
class Following:
    """Lines as they come, until somebody interrupts.

    `renew` gives a `Look` with whatever credentials there are now; `say` hears of trouble. What
    passes (expired credentials, throttling, the network) is waited for; all else is raised.
    """

    functions: Sequence[Deployed]
    renew: Callable[[], Look]
    say: Callable[[str], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    since: int
    _newest: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)  # ids that a look may give again, by time

    def __iter__(self) -> Iterator[Line]:
        look, pause, trouble = self.renew(), SHORTEST, _Trouble(self.say, self.clock)
        while True:
            try:
                lines = self._look(look)
            except JamError as error:
                trouble.met(error)
                pause = LONGEST
            else:
                trouble.over()
                yield from lines
                pause = SHORTEST if lines else min(pause * 1.5, LONGEST)
            self.sleep(max(pause, len(self.functions) / CALLS_A_SECOND))
            if trouble.since is not None:
                look = self.renew()

    def _look(self, look: Look) -> list[Line]:
        """What is new, by time; nothing is taken as seen before all have answered."""
        with at_once(LOOKS) as pool:
            found = list(pool.map(lambda each: self._of(each, look), self.functions))
        lines = [line for some in found for line in some if line.event.id not in self._seen]
        for line in lines:
            before = self._newest.get(line.function, 0)
            self._newest[line.function] = max(line.event.at, before)
            self._seen[line.event.id] = line.event.at
        self._forget()
        return sorted(lines, key=lambda line: line.event.at)

    def _of(self, function: Deployed, look: Look) -> list[Line]:
        return list(_lines(function, look, since=self._start(function.name)))

    def _start(self, function: str) -> int:
        return max(self.since, self._newest.get(function, 0) - LATE)

    def _forget(self) -> None:
        oldest = min((self._start(each.name) for each in self.functions), default=0)
        self._seen = {key: at for key, at in self._seen.items() if at >= oldest}


class _Trouble:
    """Said once when it begins and once when it is over; `since` is None while there is none."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._say = say
        self._clock = clock
        self._code = ""
        self.since: float | None = None

    def met(self, error: JamError) -> None:
        if error.turn is not Turn.AGAIN:
            raise error
        self.since = self._clock() if self.since is None else self.since
        if self._clock() - self.since > TROUBLE:
            raise error
        if error.code != self._code:
            self._say(f"{error} {error.hint} Trying on; Ctrl-C ends it.")
        self._code = error.code

    def over(self) -> None:
        if self.since is not None:
            self._say("The log goes on.")
        self.since, self._code = None, ""
