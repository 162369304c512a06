"""A run that is cancelled: GitHub is told, and the process ends, whatever hangs.

The runner sends SIGINT, SIGTERM after 7.5 s and ends the container's client 2.5 s later; Python is
process 1 there, which no signal ends by default.
Source: docs.github.com, "Workflow cancellation reference".
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from runner.errors import JamError, Turn

LONGEST = 4.0  # seconds after the signal until GitHub is told without waiting for what hangs
CANCELLED = JamError(
    "JAM-CANCELLED",
    "interrupted: no further step was begun",
    hint="Nothing is lost; run the job again. A rollout that is open goes on without it.",
    turn=Turn.CANCELLED,
)


@dataclass(slots=True)
class Cancellation:
    """`tell` may be called once, by whoever comes first; `wait` sleeps seconds of the machine."""

    wait: Callable[[float], None]
    tell: Callable[[JamError], None] = field(default=lambda _: None)
    _begun: bool = False
    _once: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, *_: object) -> None:
        """The handler of SIGINT and SIGTERM; the second signal says nothing new."""
        if self._begun:
            return
        self._begun = True
        threading.Thread(target=self._end_anyway, daemon=True).start()
        raise KeyboardInterrupt

    def end(self) -> int:
        """Tells it; the exit status."""
        if self._once.acquire(blocking=False):
            self.tell(CANCELLED)
        return Turn.CANCELLED

    def _end_anyway(self) -> NoReturn:
        self.wait(LONGEST)
        with suppress(Exception):  # nobody is left who could hear of it
            self.end()
        sys.stdout.flush()
        os._exit(Turn.CANCELLED)
