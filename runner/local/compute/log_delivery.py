"""Delivers lines of AWS's own services to CloudWatch Logs, in a thread of its own.

Source: CloudWatch Logs user guide, "Enabling logging from AWS services".
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from runner.local.wire import Call

_Event = tuple[str, str, str, float, str]


class LogDelivery:
    """`backend` gives moto's logs of a region, `lock` is that of the control plane."""

    def __init__(
        self,
        backend: Callable[[str], Any],
        *,
        may: Callable[[Call, str], bool],
        now: Callable[[], float],
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
    ) -> None:
        self._backend = backend
        self._may = may
        self._now = now
        self._lock = lock
        self._queue: SimpleQueue[_Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def has(self, region: str, group: str) -> bool:
        return group in self._backend(region).groups

    def may(self, call: Call, action: str) -> bool:
        return self._may(call, action)

    def deliver(self, region: str, group: str, stream: str, line: str) -> None:
        self._queue.put((region, group, stream, self._now(), line))

    def stop(self) -> None:
        """Returns when all lines told so far are written."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _carry(self) -> None:
        while (event := self._queue.get()) is not None:
            with self._lock():
                self._write(*event)

    def _write(self, region: str, group: str, stream: str, at: float, line: str) -> None:
        logs = self._backend(region)
        if group not in logs.groups:  # deleted meanwhile
            return
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(at * 1000), "message": line}])
