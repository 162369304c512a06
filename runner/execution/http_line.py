"""HTTP/1.1 as runtime clients speak it, on one connection: fast, and no more of it than they use.

Not for the open network: it listens to a process that we started.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http import HTTPStatus

import httptools

_CHUNK = 1 << 16  # more is mapped anew for every read, which costs more than reading
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n" for it in HTTPStatus}
# Source: Lambda developer guide, "Building a custom runtime for AWS Lambda", response streaming.
_MODE = "lambda-runtime-function-response-mode"
Pairs = tuple[tuple[str, str], ...]


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


class Line:
    """Requests in, answers out. Raises OSError, or ValueError for what is no HTTP."""

    def __init__(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._parser = httptools.HttpRequestParser(self)
        self._received: list[Received] = []
        self._held = b""
        self.on_message_begin()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> list[Received] | None:
        """The requests, or parts of streamed ones, that can be read now; None when the other side
        has closed."""
        chunk = self._socket.recv(_CHUNK)
        if not chunk:
            return None
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise ValueError(str(error)) from error
        whole, self._received = self._received, []
        return whole

    def answer(
        self, status: int, body: bytes, headers: Pairs, *, seconds: float, held: bool = False
    ) -> None:
        """OSError too if the other side does not read for so long. A `held` one goes out together
        with the next: it is for who did not wait for it to ask on."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        head = (
            f"{_STATUS[status]}{lines}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._held += head.encode() + body
        if not held:
            self._socket.settimeout(max(seconds, 0.001))
            sent, self._held = self._held, b""
            self._socket.sendall(sent)

    # What httptools calls, by its names.

    def on_message_begin(self) -> None:
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
            self._socket.sendall(_CONTINUE)
        self._streams = self._headers.get(_MODE) == "streaming"
        if self._streams:
            self._take("head")

    def on_body(self, body: bytes) -> None:
        if self._streams:
            self._take("part", body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
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
