"""Lambda's Runtime API for one execution environment: hands out one event at a time.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes". One port each,
because runtime clients take a host and a port, no path.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from runner.execution.http_line import Connection, Received
from runner.execution.program import Event

_RUNTIME = "/2018-06-01/runtime/"
_ACCEPTED = b'{"status":"OK"}\n'
_JSON = "application/json"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came from the runtime. `kind`: ready, response, error, init-error; or exit, from us."""

    kind: str
    body: bytes = b""
    error_type: str = ""
    content_type: str = _JSON
    request_id: str = ""


class RuntimeApi:
    """`hear` is what the runtime tells; `offer` gives it the next event."""

    def __init__(self) -> None:
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._events: SimpleQueue[tuple[Event, int] | None] = SimpleQueue()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def offer(self, event: Event, deadline_ms: int) -> None:
        self._events.put((event, deadline_ms))

    def tell(self, said: Said) -> None:
        self._said.put(said)

    def hear(self, seconds: float) -> Said | None:
        """The next thing said, or None if it takes longer than `seconds`."""
        try:
            return self._said.get(timeout=max(seconds, 0))
        except Empty:
            return None

    def close(self) -> None:
        """Ends the port; who waits for an event gets none."""
        if self._closed:
            return
        self._closed = True
        self._events.put(None)
        with contextlib.suppress(OSError), socket.create_connection(self._socket.getsockname()):
            pass  # wakes `accept`
        self._thread.join(timeout=5)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                opened, _ = self._socket.accept()
            except OSError:
                return
            if self._closed:
                opened.close()
                return
            threading.Thread(target=self._serve, args=(opened,), daemon=True).start()

    def _serve(self, opened: socket.socket) -> None:
        # A runtime that dies in the middle of a request is told by its exit, not here.
        with contextlib.suppress(OSError, ValueError), Connection(opened) as connection:
            while received := connection.receive():
                if not self._handle(connection, received):
                    return

    def _handle(self, connection: Connection, received: Received) -> bool:
        """Answers one request; False once there will be no more events."""
        if received.method == "GET" and received.path == f"{_RUNTIME}invocation/next":
            return self._next(connection)
        kind, request_id = _kind(received)
        if not kind:
            connection.answer(404, b"", ())
            return True
        said = Said(
            kind=kind,
            body=received.body,
            error_type=received.headers.get("lambda-runtime-function-error-type", ""),
            content_type=received.headers.get("content-type", _JSON),
            request_id=request_id,
        )
        # Answered first: the runtime must be back at `next` when the caller comes again.
        connection.answer(202, _ACCEPTED, ())
        self.tell(said)
        return True

    def _next(self, connection: Connection) -> bool:
        self.tell(Said(kind="ready"))
        taken = self._events.get()
        if taken is None:
            connection.answer(410, b"", ())
            return False
        event, deadline = taken
        connection.answer(200, event.payload, _headers(event, deadline))
        return True


def _kind(received: Received) -> tuple[str, str]:
    """What a POST says, and of which request."""
    if received.method != "POST":
        return "", ""
    if received.path == f"{_RUNTIME}init/error":
        return "init-error", ""
    parts = received.path.removeprefix(f"{_RUNTIME}invocation/").split("/")
    if len(parts) == 2 and parts[1] in ("response", "error"):
        return parts[1], parts[0]
    return "", ""


def _headers(event: Event, deadline_ms: int) -> Pairs:
    told = (
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", event.arn),
        ("Lambda-Runtime-Trace-Id", event.trace_id),
        ("Lambda-Runtime-Client-Context", event.client_context),
    )
    return tuple((name, value) for name, value in told if value)
