"""HTTP/1.1 as runtime clients speak it, on one connection: fast, and no more of it than they use.

Not for the open network: it listens to a process that we started.
"""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass
from http import HTTPStatus

import httptools

_CHUNK = 1 << 16  # more is mapped anew for every read, which costs more than reading
_CONTINUE_SECONDS = 1.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What client.mjs sends where all went well: an answer and, in the same piece, what asks for more.
_RETURNED = re.compile(
    rb"POST /2018-06-01/runtime/invocation/([\w-]+)/response HTTP/1\.1\r\n"
    rb"host: [^\r]*\r\ncontent-type: application/json\r\ncontent-length: (\d+)\r\n\r\n"
)
_ASKED = re.compile(rb"GET /2018-06-01/runtime/invocation/next HTTP/1\.1\r\nhost: [^\r]*\r\n\r\n")
_STATUS = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n" for it in HTTPStatus}
_ACCEPTED = b'{"status":"OK"}\n'
# Source: Lambda developer guide, "Building a custom runtime for AWS Lambda", response streaming.
_MODE = "lambda-runtime-function-response-mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request; header names are lower case.

    `part` is empty for a whole one. A streamed one comes as `head`, `part`s and `end`, whose
    headers have the trailers too.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """An answer whose sender has asked for the next event already."""

    request_id: str
    body: bytes


class Line:
    """Requests in, answers out. Raises OSError, or ValueError for what is no HTTP."""

    def __init__(self, opened: socket.socket) -> None:
        if opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # One call of the system for each piece: with a time-out Python asks `poll` before.
        opened.setblocking(False)
        self._socket = opened
        self._parser = httptools.HttpRequestParser(self)
        self._received: list[Received] = []
        self._held = b""
        self.on_message_begin()
        self._between = True  # two requests: nothing of the next one has come

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> list[Received] | Returned | None:
        """The requests, or parts of streamed ones, that can be read now; None when the other side
        has closed. What is `Returned` was accepted, which goes out with the next answer."""
        try:
            chunk = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return []
        if not chunk:
            return None
        if self._between and (returned := _returned(chunk)):
            self._held += _ACCEPTANCE
            return returned
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise ValueError(str(error)) from error
        whole, self._received = self._received, []
        return whole

    def accept(self, *, seconds: float, held: bool = False) -> None:
        """A `held` one goes out together with the next answer: it is for who did not wait for it to
        ask on."""
        self._held += _ACCEPTANCE
        if not held:
            self._send(b"", seconds=seconds)

    def refuse(self, status: int, *, seconds: float) -> None:
        """An answer without a body."""
        self._send(_answer(status, b""), seconds=seconds)

    def hand(self, body: bytes, lines: str, *, seconds: float) -> None:
        """An event; `lines` are its headers. OSError too if the other side does not read for so
        long."""
        self._send(_answer(200, body, lines), seconds=seconds)

    def _send(self, data: bytes, *, seconds: float) -> None:
        data, self._held = self._held + data, b""
        sent = 0
        with contextlib.suppress(BlockingIOError):
            sent = self._socket.send(data)
        if sent < len(data):
            self._socket.settimeout(max(seconds, 0.001))
            try:
                self._socket.sendall(memoryview(data)[sent:])
            finally:
                self._socket.setblocking(False)

    # What httptools calls, by its names.

    def on_message_begin(self) -> None:
        self._between = False
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._streams = False

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        if "expect" in self._headers:
            self._send(_CONTINUE, seconds=_CONTINUE_SECONDS)
        self._streams = self._headers.get(_MODE) == "streaming"
        if self._streams:
            self._take("head")

    def on_body(self, body: bytes) -> None:
        if self._streams:
            self._take("part", body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._between = True
        if self._streams:
            self._take("end")
        else:
            self._take("", b"".join(self._body))

    def _take(self, part: str, body: bytes = b"") -> None:
        received = Received(
            method=self._parser.get_method().decode("latin-1"),
            path=self._path.decode("latin-1"),
            headers=self._headers,
            body=body,
            part=part,
        )
        self._received.append(received)


def _answer(status: int, body: bytes, lines: str = "") -> bytes:
    head = (
        f"{_STATUS[status]}{lines}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_ACCEPTANCE = _answer(202, _ACCEPTED)


def _returned(chunk: bytes) -> Returned | None:
    head = _RETURNED.match(chunk)
    if head is None:
        return None
    end = head.end() + int(head[2])
    if _ASKED.fullmatch(chunk, end) is None:
        return None
    return Returned(head[1].decode(), chunk[head.end() : end])
