"""What was asked of the cloud, call by call: tests count and order calls by it. In memory only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Calls kept; older ones go, so that a cloud that runs for days does not grow.
CAPACITY = 200_000

_READS = (
    "Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet", "TransactGet", "Lookup",
    "Select", "Search", "Simulate", "Validate", "Test", "Filter", "Estimate", "Detect", "Decode",
)  # fmt: skip
# Invoke changes nothing by itself: what the function then asks of AWS is journalled on its own.
_NEITHER = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})


def writes(operation: str) -> bool:
    """Whether the operation changes the cloud's state, by AWS's naming of operations."""
    return bool(operation) and not operation.startswith(_READS) and operation not in _NEITHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call: `status` 0 means that the answer was lost; `parameters` are the scalar ones."""

    number: int
    at: float
    service: str
    operation: str
    region: str
    access_key: str
    status: int
    error: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def write(self) -> bool:
        return writes(self.operation)


class Journal:
    """The calls in the order in which they ended."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._number = 0
        self._lock = threading.Lock()

    def add(self, **fields: Any) -> Entry:
        with self._lock:
            self._number += 1
            entry = Entry(number=self._number, **fields)
            self._entries.append(entry)
            return entry

    def entries(self, *, since: int = 0) -> tuple[Entry, ...]:
        """All entries with a number above `since`."""
        with self._lock:
            return tuple(entry for entry in self._entries if entry.number > since)

    def writes(self, *, since: int = 0) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries(since=since) if entry.write)

    def count(self, service: str = "", operation: str = "", *, since: int = 0) -> int:
        return sum(
            service in ("", entry.service) and operation in ("", entry.operation)
            for entry in self.entries(since=since)
        )

    @property
    def last(self) -> int:
        """The newest entry's number: pass it as `since` later."""
        return self._number

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def scalars(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters worth a line: texts, numbers and flags, cut at 200 characters."""
    return {
        name: str(value)[:200]
        for name, value in parameters.items()
        if isinstance(value, str | int | float | bool)
    }
