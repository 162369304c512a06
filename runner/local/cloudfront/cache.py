"""The edge's cache: what is stored under which key, until when, and who waits for whom."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from runner.local.cloudfront.forward import Key
from runner.local.cloudfront.pages import guide, rule
from runner.local.wire import Response

RULES = rule(
    guide("RequestAndResponseBehaviorCustomOrigin"),
    "simultaneous requests with one key share one request to the origin, unless caching is off, "
    "cookies are forwarded, or MinTTL is 0 and the origin says private, no-store or no-cache",
)

_MOST = 20_000  # objects; an edge evicts what is asked for seldom


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored response. `tag` is the origin's own ETag, before compression made it weak."""

    response: Response
    stored_at: float
    expires_at: float
    tag: str = ""
    modified: str = ""
    origin_status: int = 200

    def fresh(self, now: float) -> bool:
        return now < self.expires_at

    def until(self, moment: float) -> Entry:
        return replace(self, expires_at=moment)


class Cache:
    """Safe from several threads. One for all distributions: their ids are part of the key."""

    def __init__(self, gone: Callable[[Key, Entry], bool]) -> None:
        self._gone = gone  # whether an invalidation removed it
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._flights: dict[Key, Future[object]] = {}
        self._lock = threading.Lock()

    def find(self, key: Key) -> Entry | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._gone(key, entry):
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return entry

    def put(self, key: Key, entry: Entry) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > _MOST:
                self._entries.popitem(last=False)

    def drop(self, key: Key) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def lead(self, key: Key) -> tuple[bool, Future[object]]:
        """Whether the caller is the first to ask, and what the others wait for."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return False, flight
            flight = self._flights[key] = Future()
            return True, flight

    def landed(self, key: Key, flight: Future[object], result: object) -> None:
        """Tells those who wait; None means that each has to ask for itself."""
        with self._lock:
            self._flights.pop(key, None)
        flight.set_result(result)
