"""Which time a command lives in: the machine's, or the embedded cloud's where it works on one.

The cloud's may pass faster, and be moved. Leases, rollouts and deadlines follow it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIRST, _LATER = 10, 2  # seconds for an answer from this machine
_LONGEST = 0.5  # seconds of ours without a look: the cloud's clock may be moved meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """`now` gives seconds of the epoch, `sleep` waits as many of the same, of which `speed` pass in
    one of the machine's.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]
    speed: Callable[[], float] = lambda: 1.0


def times_of(environment: Mapping[str, str]) -> Times:
    """The embedded cloud's time if `AWS_ENDPOINT_URL` leads to one, else the machine's."""
    endpoint = environment.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if urlsplit(endpoint).hostname in _LOOPBACK:
        clock = _CloudClock(f"{endpoint}/_jam/clock")
        if clock.is_there():
            return Times(now=clock.now, sleep=clock.sleep, speed=clock.speed)
    return Times(now=time.time, sleep=time.sleep)


class _CloudClock:
    """Between two looks the cloud's time goes on as it went; also where it is too busy to say."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._last = (0.0, 0.0, 1.0)  # this machine's time, the cloud's, its speed
        self._latest = 0.0

    def is_there(self) -> bool:
        """Whether this is a cloud of ours: other stand-ins have no clock."""
        try:
            self._last = self._told(_FIRST)
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def now(self) -> float:
        return self._read()[0]

    def speed(self) -> float:
        return self._read()[1]

    def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while True:
            now, speed = self._read()
            if now >= until:
                return
            time.sleep(min((until - now) / speed, _LONGEST))

    def _read(self) -> tuple[float, float]:
        if time.monotonic() - self._last[0] > _LONGEST:
            with suppress(OSError):
                self._last = self._told(_LATER)
        mine, theirs, speed = self._last
        # How long an answer was under way differs: no lease sees the time go back for that.
        self._latest = max(self._latest, theirs + (time.monotonic() - mine) * speed)
        return self._latest, speed

    def _told(self, patience: float) -> tuple[float, float, float]:
        """Source: a cloud of ours alone, so plain HTTP on this machine."""
        import urllib.request  # a third of what `--version` would wait for

        with urllib.request.urlopen(self._address, timeout=patience) as answer:  # noqa: S310
            told = json.load(answer)
        return time.monotonic(), float(told["now"]), float(told["speed"])
