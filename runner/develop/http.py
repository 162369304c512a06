"""HTTP/1.1 on one port: some requests are answered here, the others go to another server.

For this machine alone: it listens on loopback. A connection that was handed over stays with the
other server to its end, so that streams and WebSockets pass through untouched.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import httptools

from runner.develop.http_answers import opening, refusal, whole
from runner.execution.http_messages import Request, Response
from runner.execution.streaming import CutError

Answer = Callable[[Request], Response]
Elsewhere = Callable[[str], tuple[str, int] | None]
"""From a path to the server (host, port) that answers it; None: we do."""

_LARGEST = 11 * 1024 * 1024  # bytes of a body that we answer ourselves; `Answer` refuses from 10 MB
_CHUNK = 1 << 16
_HOP = (b"connection", b"keep-alive", b"proxy-connection")
_SECONDS = 5.0  # in which the other server must take a connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What all connections share: who answers what; `now` gives epoch seconds."""

    answer: Answer
    elsewhere: Elsewhere
    now: Callable[[], float]


class Server:
    """Listens on loopback, with a thread for each connection: a function's answer is then waited
    for where it is needed, and no request changes threads."""

    def __init__(self, front: Front, *, host: str, port: int) -> None:
        self._front = front
        self._socket = socket.create_server((host, port), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes no more connections; those that are open end with the process."""
        self._closed = True
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=2)

    def _accept(self) -> None:
        while not self._closed:
            try:
                opened, peer = self._socket.accept()
            except OSError:
                return
            connection = Connection(self._front, opened, peer[0])
            threading.Thread(target=connection.serve, daemon=True).start()


class Connection:
    """One visitor's connection."""

    def __init__(self, front: Front, opened: socket.socket, client: str) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._front = front
        self._socket = opened
        self._client = client
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: list[tuple[Request, bool]] = []
        self._other: socket.socket | None = None
        self._raw = False
        self.on_message_begin()

    def serve(self) -> None:
        """Until either side has closed."""
        try:
            while (data := self._socket.recv(_CHUNK)) and self._take(data):
                if self._other:
                    self._pass_on(self._other)
                    return
        except OSError:
            pass  # the visitor has gone
        finally:
            self._socket.close()
            if self._other:
                self._other.close()

    def _take(self, data: bytes) -> bool:
        """Parses and answers; False when the connection is over."""
        if self._raw and self._other:
            self._other.sendall(data)
            return True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._raw = self._other is not None
            if self._other:
                self._other.sendall(data[upgrade.args[0] :])
        except _NoServerError as error:
            self._socket.sendall(refusal(502, f"the front-end server does not answer: {error}"))
            return False
        except httptools.HttpParserError:
            self._socket.sendall(refusal(400, "this is no HTTP request"))
            return False
        return self._answered()

    def _answered(self) -> bool:
        """Answers what came, in order: a client may send the next request before the answer."""
        stays = True
        while self._waiting and stays:
            request, stays = self._waiting.pop(0)
            response = self._front.answer(request)
            if response.parts is None:
                self._socket.sendall(whole(request, response, stays=stays, now=self._front.now()))
            else:
                stays = self._streamed(request, response, stays=stays) and stays
        return stays

    def _streamed(self, request: Request, response: Response, *, stays: bool) -> bool:
        """Sends each part as it comes; False for a body that was cut off, and ends without its
        last, empty chunk. Source: RFC 9112, section 8, "Handling Incomplete Messages"."""
        chunked = self._parser.get_http_version() == "1.1"
        body = "transfer-encoding: chunked" if chunked else ""
        now = self._front.now()
        self._socket.sendall(opening(response, stays=stays and chunked, now=now, body=body))
        try:
            for part in () if request.method == "HEAD" else response.parts or ():
                self._socket.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        except CutError:
            return False
        if chunked and request.method != "HEAD":
            self._socket.sendall(b"0\r\n\r\n")
        return chunked

    def _pass_on(self, other: socket.socket) -> None:
        """Both directions, until the other server closes."""
        poll = select.poll()
        for opened in (self._socket, other):
            poll.register(opened, select.POLLIN)
        head = _Head(upgrades=self._raw)
        while True:
            for number, _ in poll.poll():
                from_visitor = number == self._socket.fileno()
                data = (self._socket if from_visitor else other).recv(_CHUNK)
                if not data or (from_visitor and not self._take(data)):
                    return
                if not from_visitor:
                    self._socket.sendall(head.told(data))

    # What httptools calls, by its names.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        server = self._front.elsewhere(self._path())
        if server:
            self._other = _connected(server)
            self._other.sendall(self._head())
        elif b"expect" in dict(self._headers):
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._other:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if self._chunked() else body
            self._other.sendall(chunk)
            return
        self._size += len(body)
        if self._size <= _LARGEST:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._other is None:
            self._waiting.append((self._request(), self._parser.should_keep_alive()))
        elif self._chunked():
            self._other.sendall(b"0\r\n\r\n")

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
        headers = [(str(name, "latin-1"), str(value, "latin-1")) for name, value in self._headers]
        host = next((value for name, value in headers if name == "host"), "localhost")
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            host=host,
            path=path,
            query=query,
            # As the router tells it: the host that the visitor asked for.
            headers=(*headers, ("x-forwarded-host", host)),
            body=b"".join(self._body),
            client=self._client,
            scheme="http",
        )


class _Head:
    """Says in the other server's answer that the connection ends with it, as it does.

    A visitor who is not told may send the next request into a connection that is being closed.
    Source: RFC 9112, section 9.6, "Tear-down".
    """

    def __init__(self, *, upgrades: bool) -> None:
        self._passed = upgrades
        self._held = b""

    def told(self, data: bytes) -> bytes:
        """What to pass on now: nothing while the head is not whole."""
        if self._passed:
            return data
        self._held += data
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return b""
        status, *lines = head.split(b"\r\n")
        if status.split(b" ")[1:2] == [b"100"]:  # not the answer yet
            self._held = rest
            return head + end + self.told(b"")
        self._passed = True
        kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in _HOP]
        return b"\r\n".join([status, *kept, b"connection: close"]) + end + rest


class _NoServerError(Exception):
    """The other server cannot be reached."""


def _connected(server: tuple[str, int]) -> socket.socket:
    try:
        other = socket.create_connection(server, timeout=_SECONDS)
    except OSError as error:
        raise _NoServerError(str(error)) from error
    other.settimeout(None)
    return other
