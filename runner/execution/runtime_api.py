"""Lambda's Runtime API for one execution environment: hands out one event at a time.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes". One port each,
because runtime clients take a host and a port, no path. It has no thread: whoever waits for the
runtime reads and writes by himself, because changing threads costs more than a warm invocation.
"""

from __future__ import annotations

import base64
import contextlib
import json
import select
import socket
import threading
from collections import deque
from dataclasses import dataclass
from itertools import zip_longest

from runner.execution.http_line import Line, Received, Returned
from runner.execution.program import Event, Now

_RUNTIME = "/2018-06-01/runtime/"
_NEXT = f"{_RUNTIME}invocation/next"
_JSON = "application/json"
_STREAM = "application/octet-stream"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"
_READ_SECONDS = 5.0  # in which a runtime takes a short answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came from the runtime. `kind`: ready, response, error, init-error; or exit, from us.

    A streamed answer is a head, parts, and a response (without a body) or an error.
    """

    kind: str
    body: bytes = b""
    error_type: str = ""
    content_type: str = _JSON
    request_id: str = ""


_READY = Said(kind="ready")


class RuntimeApi:
    """`hear` is what the runtime tells; `offer` gives it the next event. These two belong to one
    thread at a time, `tell` and `close` to any.
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._said: deque[Said] = deque()
        self._told: deque[Said] = deque()
        self._lines: dict[int, Line] = {}
        self._asking: Line | None = None  # the connection that waits for the next event
        self._offered: tuple[Event, int] | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._bell, self._ringer = socket.socketpair()
        self._poll = select.poll()
        for opened in (self._socket, self._bell):
            self._poll.register(opened, select.POLLIN)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._closed = False
        self._hearing = threading.Lock()

    def near(self) -> socket.socket:
        """The other end of a connection, for a runtime that inherits it: the caller's to close. A
        packet through it costs both sides a third of what it costs through TCP."""
        ours, theirs = socket.socketpair()
        self._take_in(ours)
        return theirs

    def offer(self, event: Event, deadline_ms: int) -> None:
        """The runtime gets it at once, or when it next asks."""
        self._offered = event, deadline_ms
        if self._asking:
            self._hand_over(self._asking)

    def tell(self, said: Said) -> None:
        """Something about the runtime that it cannot say itself."""
        self._told.append(said)
        self._ring()

    def hear(self, seconds: float) -> Said | None:
        """The next thing said, or None if it takes longer than `seconds`."""
        until = self._now() + seconds
        with self._hearing:
            while not (self._said or self._closed):
                # What a process said before it ended comes before its end.
                left = 0.0 if self._told else until - self._now()
                if not self._exchange(max(left, 0.0)):
                    break
            if self._said:
                return self._said.popleft()
            return self._told.popleft() if self._told else None

    def close(self) -> None:
        """Ends the port. May be called twice."""
        self._closed = True
        self._ring()
        with self._hearing:
            for line in self._lines.values():
                line.close()
            self._lines.clear()
            for opened in (self._socket, self._bell, self._ringer):
                opened.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # it is closed: nobody hears any more
            self._ringer.send(b"!")

    def _exchange(self, seconds: float) -> bool:
        """Takes in what is there or comes within `seconds`; False if nothing did."""
        found = self._poll.poll(seconds * 1000)
        for number, _ in found:
            if line := self._lines.get(number):
                self._read(line)
            elif number == self._bell.fileno():
                self._bell.recv(64)
            else:
                self._accept()
        return bool(found)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            self._take_in(self._socket.accept()[0])

    def _take_in(self, opened: socket.socket) -> None:
        line = Line(opened)
        self._lines[line.fileno()] = line
        self._poll.register(line, select.POLLIN)

    def _read(self, line: Line) -> None:
        # A runtime that dies in the middle of a request is told by its exit, not here.
        try:
            received = line.receive()
            if isinstance(received, Returned):
                self._take_back(line, received)
                return
            for each, then in zip_longest(received or (), (received or ())[1:]):
                self._handle(line, each, asks_on=then is not None and then.path == _NEXT)
        except (OSError, ValueError):
            received = None
        if received is None:
            self._hang_up(line)

    def _take_back(self, line: Line, returned: Returned) -> None:
        self._said.append(Said(kind="response", body=returned.body, request_id=returned.request_id))
        self._await_event(line)

    def _await_event(self, line: Line) -> None:
        self._asking = line
        self._said.append(_READY)
        if self._offered:
            self._hand_over(line)

    def _hang_up(self, line: Line) -> None:
        self._poll.unregister(line)
        del self._lines[line.fileno()]
        line.close()
        if self._asking is line:
            self._asking = None

    def _handle(self, line: Line, received: Received, *, asks_on: bool) -> None:
        if received.method == "GET" and received.path == _NEXT:
            self._await_event(line)
            return
        kind, request_id = _kind(received)
        if not kind:
            line.refuse(404, seconds=_READ_SECONDS)
            return
        if received.part in ("", "end"):
            # Answered first: the runtime must be back at `next` when the caller comes again.
            line.accept(seconds=_READ_SECONDS, held=asks_on)
        self._said.append(_streamed(received, request_id) or _said(kind, received, request_id))

    def _hand_over(self, line: Line) -> None:
        assert self._offered is not None
        (event, deadline), self._offered, self._asking = self._offered, None, None
        seconds = deadline / 1000 - self._now()
        with contextlib.suppress(OSError):  # it ended, or does not read until its time is over
            line.hand(event.payload, _lines(event, deadline), seconds=seconds)


def _said(kind: str, received: Received, request_id: str) -> Said:
    return Said(
        kind=kind,
        body=received.body,
        error_type=received.headers.get(_ERROR_TYPE, ""),
        content_type=received.headers.get("content-type", _JSON),
        request_id=request_id,
    )


def _streamed(received: Received, request_id: str) -> Said | None:
    """What a part of a streamed answer says; an error in the middle comes in trailers.

    Source: Lambda developer guide, "Building a custom runtime for AWS Lambda", response streaming.
    """
    if not received.part:
        return None
    if received.part != "end":
        content_type = received.headers.get("content-type", _STREAM)
        return Said(
            kind=received.part,
            body=received.body,
            content_type=content_type,
            request_id=request_id,
        )
    error = received.headers.get(_ERROR_TYPE, "")
    if not error:
        return Said(kind="response", request_id=request_id)
    told = json.dumps({"errorType": error, "errorMessage": ""}).encode()
    encoded = received.headers.get(_ERROR_BODY, "")
    body = base64.b64decode(encoded) if encoded else told
    return Said(kind="error", body=body, error_type=error, request_id=request_id)


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


def _lines(event: Event, deadline_ms: int) -> str:
    lines = (
        f"Lambda-Runtime-Aws-Request-Id: {event.request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {event.arn}\r\n"
    )
    if event.trace_id:
        lines += f"Lambda-Runtime-Trace-Id: {event.trace_id}\r\n"
    if event.client_context:
        lines += f"Lambda-Runtime-Client-Context: {event.client_context}\r\n"
    return lines
