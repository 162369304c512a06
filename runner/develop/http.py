"""HTTP/1.1 on one port: some requests are answered here, the others go to another server.

For this machine alone: it listens on loopback. A connection that was handed over stays with the
other server to its end, so that streams and WebSockets pass through untouched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

import httptools

from runner.execution.http_messages import Request, Response

Answer = Callable[[Request], Awaitable[Response]]
Elsewhere = Callable[[str], tuple[str, int] | None]
"""From a path to the server (host, port) that answers it; None: we do."""

_LARGEST = 11 * 1024 * 1024  # bytes of a body that we answer ourselves; `Answer` refuses from 10 MB
_HOP = (b"connection", b"keep-alive", b"proxy-connection")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What all connections share: who answers what; `now` gives epoch seconds."""

    answer: Answer
    elsewhere: Elsewhere
    now: Callable[[], float]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Connection(asyncio.Protocol):
    """One visitor's connection."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._tunnel: _Tunnel | None = None
        self._waiting: list[tuple[Request, bool]] = []
        self._task: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._tunnel and self._tunnel.raw:
            self._tunnel.send(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            if not self._transport.is_closing():
                self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._tunnel:
            self._tunnel.close()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self._tunnel:
            self._tunnel.pause()

    def resume_writing(self) -> None:
        if self._tunnel:
            self._tunnel.resume()

    # What httptools calls, by its names.

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        server = self._front.elsewhere(self._path())
        if server:
            self._tunnel = _Tunnel(self._transport, server)
            self._tunnel.send(self._head())
        elif any(name == b"expect" for name, _ in self._headers):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._tunnel:
            self._tunnel.send(b"%x\r\n%b\r\n" % (len(body), body) if self._chunked() else body)
            return
        self._size += len(body)
        if self._size <= _LARGEST:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._tunnel:
            if self._chunked():
                self._tunnel.send(b"0\r\n\r\n")
            return
        self._waiting.append((self._request(), self._parser.should_keep_alive()))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._front.tasks.add(self._task)

    def _upgraded(self, rest: bytes) -> None:
        if self._tunnel:
            self._tunnel.raw = True
            self._tunnel.send(rest)

    async def _work(self) -> None:
        """Answers what came, in order; a client may send the next request before the answer."""
        try:
            while self._waiting:
                request, stays = self._waiting.pop(0)
                self._write(request, await self._front.answer(request), stays=stays)
        finally:
            if self._task:
                self._front.tasks.discard(self._task)
            self._task = None

    def _write(self, request: Request, response: Response, *, stays: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_bytes(request, response, stays=stays, now=self._front.now()))
        if not stays:
            self._transport.close()

    def _path(self) -> str:
        return self._url.partition(b"?")[0].decode("latin-1")

    def _chunked(self) -> bool:
        return any(name == b"transfer-encoding" for name, _ in self._headers)

    def _head(self) -> bytes:
        """The request as it came, for one exchange: then the other server closes."""
        upgrades = self._parser.should_upgrade()
        kept = [pair for pair in self._headers if upgrades or pair[0] not in _HOP]
        told = kept if upgrades else [*kept, (b"connection", b"close")]
        lines = b"".join(b"%b: %b\r\n" % pair for pair in told)
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (self._parser.get_method(), self._url, lines)

    def _request(self) -> Request:
        path, _, query = self._url.decode("latin-1").partition("?")
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers
        )
        host = next((value for name, value in headers if name == "host"), "localhost")
        peer = self._transport.get_extra_info("peername") or ("127.0.0.1",)
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            host=host,
            path=path,
            query=query,
            # As the router tells it: the host that the visitor asked for.
            headers=(*headers, ("x-forwarded-host", host)),
            body=b"".join(self._body),
            client=peer[0],
            scheme="http",
        )


class _Tunnel(asyncio.Protocol):
    """The other server's side of a connection; what is sent before it is open, waits."""

    def __init__(self, visitor: asyncio.Transport, server: tuple[str, int]) -> None:
        self.raw = False
        self._visitor = visitor
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._opening = asyncio.get_running_loop().create_task(self._open(*server))

    async def _open(self, host: str, port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        except OSError as error:
            text = f"the front-end server does not answer: {error}\n".encode()
            self._visitor.write(
                b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
                + text
            )
            self._visitor.close()

    def send(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)
        else:
            self._early.append(data)

    def close(self) -> None:
        self._opening.cancel()
        if self._transport:
            self._transport.close()

    def pause(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.writelines(self._early)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        self._visitor.write(data)

    def pause_writing(self) -> None:
        self._visitor.pause_reading()

    def resume_writing(self) -> None:
        self._visitor.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        self._visitor.close()


def _bytes(request: Request, response: Response, *, stays: bool, now: float) -> bytes:
    body = b"" if response.status in (204, 304) else response.body
    lines = [
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}",
        *(f"{name}: {value}" for name, value in response.headers if name != "content-length"),
        f"date: {formatdate(now, usegmt=True)}",
        f"connection: {'keep-alive' if stays else 'close'}",
    ]
    if response.status not in (204, 304):
        lines.append(f"content-length: {len(body)}")
    # A header with a line break in it would be two: refused by whoever reads it, not by us.
    head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    sent = head.encode("latin-1", "replace") + b"\r\n\r\n"
    return sent if request.method == "HEAD" else sent + body
