"""What visitors saw, counted by release. Safe from several threads; knows no network, no clock.

Mixed is a page whose parts come from two releases though its browser asked for one. Skewed is one
that asked for another release than its own because a later tab moved the browser's pin.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Tally:
    """Sessions and views of one play; `sessions` and `failures` are counted by release."""

    begun: int = 0
    ended: int = 0
    requests: int = 0
    views: int = 0
    mixed: int = 0
    skewed: int = 0
    unreachable: int = 0
    sessions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    builds: dict[str, str] = field(default_factory=dict)
    calls: list[float] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def session(self, *, ended: bool = False) -> None:
        """A session began, or ended."""
        with self._lock:
            self.begun += not ended
            self.ended += ended

    def shown(self, release: str, *, first: bool) -> None:
        """A page of the release was shown, to this session for the first time or not."""
        with self._lock:
            self.views += 1
            self.sessions[release] += first

    def failed(self, release: str) -> None:
        """A session saw its first failure, on a page of the release."""
        with self._lock:
            self.failures[release] += 1

    def torn(self, *, skew: bool, told: str) -> None:
        """A page has parts of two releases."""
        with self._lock:
            self.skewed += skew
            self.mixed += not skew
            if not skew:
                self.examples.append(told)

    def asked(self) -> None:
        """A request was sent, of whatever kind."""
        with self._lock:
            self.requests += 1

    def took(self, milliseconds: float) -> None:
        """A function answered after so long."""
        with self._lock:
            self.calls.append(milliseconds)

    def lost(self) -> None:
        """The cloud did not answer a visitor: nothing is known of that session's rest."""
        with self._lock:
            self.unreachable += 1

    def build_of(self, release: str, build: str) -> str:
        """The build that this release is known to be; `build` where none is."""
        with self._lock:
            return self.builds.setdefault(release, build)
