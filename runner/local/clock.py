"""The cloud's clock: AWS's seconds, which may pass faster than ours."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Clock:
    """`now()` is in epoch seconds of the cloud; `speed` cloud seconds pass in one of ours.

    While recorded calls are replayed it stands still (`jump`), and what falls due runs at once.
    """

    def __init__(self, speed: float = 1.0, *, start: float | None = None) -> None:
        self.speed = speed
        self._origin = time.monotonic()
        self._start = time.time() if start is None else start
        self._standing: float | None = None
        self._due: list[tuple[float, int, threading.Timer]] = []
        self._order = itertools.count()

    def now(self) -> float:
        if self._standing is not None:
            return self._standing
        return self._start + (time.monotonic() - self._origin) * self.speed

    def sleep(self, seconds: float) -> None:
        """Waits `seconds` of the cloud's time."""
        if self._standing is None:
            time.sleep(seconds / self.speed)  # the clock that others are given

    def later(self, seconds: float, action: Callable[[], None]) -> threading.Timer:
        """Runs `action` once, `seconds` of the cloud's time from now, in a thread of its own."""
        timer = threading.Timer(seconds / self.speed, action)
        timer.daemon = True
        if self._standing is None:
            timer.start()
        else:
            heapq.heappush(self._due, (self._standing + seconds, next(self._order), timer))
        return timer

    def jump(self, moment: float) -> None:
        """Stands still at `moment`, after running here what was due before it."""
        while self._due and self._due[0][0] <= moment:
            due, _, timer = heapq.heappop(self._due)
            self._standing = due
            if not timer.finished.is_set():  # not cancelled meanwhile
                timer.function()
        self._standing = moment

    def run(self, moment: float) -> None:
        """Goes on from `moment`; what is due later gets its thread."""
        self.jump(moment)
        self._origin, self._start, self._standing = time.monotonic(), moment, None
        for due, _, timer in self._due:
            timer.interval = (due - moment) / self.speed
            if not timer.finished.is_set():
                timer.start()
        self._due = []
