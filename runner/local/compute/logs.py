"""Carries functions' log lines to CloudWatch Logs, in a thread of its own, as the role may.

Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs": without the
permissions of AWSLambdaBasicExecutionRole there are no logs.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from runner.execution.program import Line, Program
from runner.local.compute.roles import Roles

_Batch = tuple[Program, str, tuple[Line, ...]]


class Logs:
    """`backend` gives moto's logs of a region; `lock` is the control plane's; `written` is told of
    the lines that were taken: (region, group, lines).
    """

    def __init__(
        self,
        backend: Callable[[str], Any],
        roles: Roles,
        *,
        account: str,
        now: Callable[[], float],
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
        written: Callable[[str, str, Sequence[Line]], None] = lambda *_told: None,
    ) -> None:
        self._backend = backend
        self._roles = roles
        self._account = account
        self._now = now
        self._lock = lock
        self._written = written
        self._queue: SimpleQueue[_Batch | threading.Event] = SimpleQueue()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def sink(self, program: Program, stream: str, lines: tuple[Line, ...]) -> None:
        at = self._now()  # the cloud's time: CloudWatch refuses what is far from it
        self._queue.put((program, stream, tuple(Line(at, line.text) for line in lines)))

    def settle(self, seconds: float) -> None:
        """Returns when all lines told so far are written, or after so many of our seconds."""
        self._settle(threading.Event(), seconds)

    def stop(self) -> None:
        """As `settle`, and the thread ends."""
        self._settle(self._end, 5)

    def _settle(self, written: threading.Event, seconds: float) -> None:
        self._queue.put(written)
        written.wait(seconds)

    def _carry(self) -> None:
        written = None
        while written is not self._end:
            batches, written = self._waiting()
            with self._lock():
                for program, stream, lines in batches:
                    self._write(program, stream, lines)
            if written:
                written.set()

    def _waiting(self) -> tuple[list[_Batch], threading.Event | None]:
        """All that is there, after waiting for the first: joined by stream; who waits for it."""
        joined: dict[tuple[str, str], _Batch] = {}
        while True:
            batch = self._queue.get()
            if isinstance(batch, threading.Event):
                return list(joined.values()), batch
            program, stream, lines = batch
            before = joined.get((program.identity, stream), (program, stream, ()))[2]
            joined[program.identity, stream] = (program, stream, before + lines)
            if self._queue.empty():
                return list(joined.values()), None

    def _write(self, program: Program, stream: str, lines: tuple[Line, ...]) -> None:
        logs = self._backend(program.region)
        group = program.log_group
        arn = f"arn:aws:logs:{program.region}:{self._account}:log-group:{group}"
        if group not in logs.groups:
            if not self._may(program, "logs:CreateLogGroup", arn):
                return
            logs.create_log_group(group, {})
        within = f"{arn}:log-stream:{stream}"
        if stream not in logs.groups[group].streams:
            if not self._may(program, "logs:CreateLogStream", within):
                return
            logs.create_log_stream(group, stream)
        if self._may(program, "logs:PutLogEvents", within):
            events = [{"timestamp": int(line.at * 1000), "message": line.text} for line in lines]
            events.sort(key=lambda event: int(str(event["timestamp"])))
            logs.put_log_events(group, stream, events)
            self._written(program.region, group, lines)

    def _may(self, program: Program, action: str, resource: str) -> bool:
        return self._roles.allows(program.role, action, resource)
