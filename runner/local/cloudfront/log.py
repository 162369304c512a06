"""What the edges did, for tests to look at: the latest requests to origins, and counts."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from runner.local.cloudfront.view import Pairs

_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRequest:
    """One request that an origin got, as it was sent, and the status of its answer."""

    distribution: str
    origin: str  # the origin's id
    method: str
    host: str
    path: str
    query: str
    headers: Pairs
    status: int

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)


class EdgeLog:
    """Safe from several threads. Counts: requests, hit, miss, refreshhit, error, function_errors,
    origin_requests, bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.origin_requests: deque[OriginRequest] = deque(maxlen=_KEPT)
        self._counts: dict[str, Counter[str]] = {}

    def sent(self, request: OriginRequest) -> None:
        with self._lock:
            self.origin_requests.append(request)
            self._counter(request.distribution)["origin_requests"] += 1

    def answered(self, distribution: str, verdict: str, size: int) -> None:
        """`verdict` is the first word of X-Cache."""
        with self._lock:
            counter = self._counter(distribution)
            counter["requests"] += 1
            counter["bytes"] += size
            counter["function_errors" if verdict.startswith("Function") else verdict.lower()] += 1

    def counts(self, distribution: str) -> dict[str, int]:
        with self._lock:
            return dict(self._counter(distribution))

    def to(self, origin: str) -> list[OriginRequest]:
        """The requests that the origin of this id got, oldest first."""
        with self._lock:
            return [each for each in self.origin_requests if each.origin == origin]

    def shown(self) -> dict[str, Any]:
        """For the admin API: counts by distribution."""
        with self._lock:
            return {name: dict(counter) for name, counter in self._counts.items()}

    def clear(self) -> None:
        with self._lock:
            self.origin_requests.clear()
            self._counts.clear()

    def _counter(self, distribution: str) -> Counter[str]:
        return self._counts.setdefault(distribution, Counter())
