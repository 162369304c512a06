"""HTTP/1.1 as runtime clients speak it, on one connection: fast, and no more of it than they use.

http.server reads headers through the parser for mail, which was nearly half of a warm invocation's
time. Not for the open network: it listens to a process that we started.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

_LONGEST_LINE = 1 << 21  # awslambdaric sends up to 1 MB of tracing in a header


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """Requests in, answers out. Raises OSError or ValueError for what is no HTTP."""

    def __init__(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._file = opened.makefile("rb", buffering=1 << 16)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._file.close()
        self._socket.close()

    def receive(self) -> Received | None:
        """The next request, or None when the other side has closed."""
        start = self._line()
        if not start:
            return None
        method, path, _ = start.split(" ", 2)
        headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Received(method=method, path=path, headers=headers, body=self._body(headers))

    def answer(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
        told = (
            *headers,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in told)
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n"
        self._socket.sendall(head.encode("utf-8") + body)

    def _line(self) -> str:
        return self._file.readline(_LONGEST_LINE).decode("latin-1").rstrip("\r\n")

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            whole: bytes = self._file.read(int(headers.get("content-length", 0)))
            return whole
        parts = []
        while size := int(self._line().partition(";")[0], 16):
            parts.append(self._file.read(size))
            self._line()
        while self._line():
            pass  # trailers: a stream that failed says so there
        return b"".join(parts)
