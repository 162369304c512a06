"""The cloud's clock: AWS's seconds, which may pass faster than ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runner.local.timers import Timer, Timers


class Clock:
    """`now()` is in epoch seconds of the cloud; `speed` cloud seconds pass in one of ours.

    While recorded calls are replayed it stands still (`jump`), and what falls due runs at once.
    """

    def __init__(self, speed: float = 1.0, *, start: float | None = None) -> None:
        self.speed = speed
        self._origin = time.monotonic()
        self._start = time.time() if start is None else start
        self._standing: float | None = None
        self._moving = threading.RLock()
        self.timers = Timers(self)

    @property
    def running(self) -> bool:
        return self._standing is None

    def now(self) -> float:
        standing = self._standing
        if standing is not None:
            return standing
        return self._start + (time.monotonic() - self._origin) * self.speed

    def sleep(self, seconds: float) -> None:
        """Waits `seconds` of the cloud's time."""
        if self._standing is None:
            time.sleep(seconds / self.speed)  # the clock that others are given

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Runs `action` once, `seconds` of the cloud's time from now."""
        return self.timers.at(self.now() + seconds, action)

    def jump(self, moment: float) -> None:
        """Stands still at `moment`, after running here what was due before it."""
        with self._moving:
            self._standing = self.now()
            while timer := self.timers.due(moment):
                self._standing = max(self._standing, timer.when)
                self.timers.run(timer)
            self._standing = moment

    def hasten(self, speed: float) -> None:
        """Goes on from now at another speed."""
        with self._moving:
            self.jump(self.now())  # standing: the new speed must not count for what has passed
            self.speed = speed
            self.run(self.now())

    def run(self, moment: float) -> None:
        """Goes on from `moment`, after what was due before it."""
        with self._moving:
            self.jump(moment)
            self._origin, self._start, self._standing = time.monotonic(), moment, None
            self.timers.wake()
