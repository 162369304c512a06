"""The cloud's clock: AWS's seconds, which may pass faster than ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Clock:
    """`now()` is in epoch seconds of the cloud; `speed` cloud seconds pass in one of ours."""

    def __init__(self, speed: float = 1.0, *, start: float | None = None) -> None:
        self.speed = speed
        self._origin = time.monotonic()
        self._start = time.time() if start is None else start

    def now(self) -> float:
        return self._start + (time.monotonic() - self._origin) * self.speed

    def sleep(self, seconds: float) -> None:
        """Waits `seconds` of the cloud's time."""
        time.sleep(seconds / self.speed)  # noqa: TID251 -- this is the clock that others are given

    def later(self, seconds: float, action: Callable[[], None]) -> threading.Timer:
        """Runs `action` once, `seconds` of the cloud's time from now, in a thread of its own."""
        timer = threading.Timer(seconds / self.speed, action)
        timer.daemon = True
        timer.start()
        return timer
