"""The cloud's one HTTP port: cheroot in front of a function from request to response.

Keeps connections alive, answers many at once, and can reset one without an answer.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from cheroot.server import Gateway, HTTPConnection, HTTPServer

from runner.execution.streaming import CutError
from runner.local.faults import ConnectionLost
from runner.local.wire import Request, Response

LOG = logging.getLogger("runner.local")

# A function that calls AWS back holds one thread while it needs another.
THREADS = 64
_BACKLOG = 512
# An uploader keeps as many connections as it has threads; cheroot would keep ten, for ten seconds.
_KEPT = 1024
_IDLE_SECONDS = 60

Answer = Callable[[Request], Response]


class Server:
    """Listens on the loopback interface only."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self._server = _Listener(
            ("127.0.0.1", port), _gateway(answer), minthreads=THREADS, maxthreads=THREADS
        )
        self._server.request_queue_size = _BACKLOG
        self._server.shutdown_timeout = 1
        self._server.keep_alive_conn_limit = _KEPT
        self._server.timeout = _IDLE_SECONDS
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.bind_addr[1])

    def start(self) -> None:
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True, name="cloud")
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        if self._thread:
            self._thread.join(timeout=5)


class _Connection(HTTPConnection):
    """cheroot ends a connection with a FIN; `dropped` makes it a RST."""

    dropped = False

    def _close_kernel_socket(self) -> None:
        if not self.dropped:
            super()._close_kernel_socket()  # type: ignore[misc]  # its stub leaves it out
            return
        with contextlib.suppress(OSError):  # closing a socket that lingers for zero seconds
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Listener(HTTPServer):
    ConnectionClass = _Connection

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """cheroot would print to standard error; clients that go away are no news."""
        LOG.debug(msg, exc_info=traceback)


def _gateway(answer: Answer) -> type[Gateway]:
    class Bound(Gateway):
        def respond(self) -> None:
            try:
                response = answer(_request(self.req))
            except ConnectionLost:
                _drop(self.req)
                return
            _write(self.req, response)

    return Bound


def _request(req: Any) -> Request:
    parts = urlsplit(req.uri.decode("latin-1")) if b"://" in req.uri[:8] else None
    target = req.uri.decode("latin-1")
    if parts:  # a proxy's absolute form
        target = parts.path + (f"?{parts.query}" if parts.query else "")
    path, _, query = target.partition("?")
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in req.inheaders.items()
    )
    host = dict(headers).get("host", "")
    return Request(
        method=req.method.decode("ascii"),
        host=host.rpartition(":")[0] or host if host.rpartition(":")[2].isdigit() else host,
        path=path or "/",
        query=query,
        headers=headers,
        body=req.rfile.read() if _has_body(req) else b"",
        client=req.conn.remote_addr or "127.0.0.1",
    )


def _has_body(req: Any) -> bool:
    return bool(req.chunked_read or int(req.inheaders.get(b"Content-Length", 0)))


class _Headers(list[tuple[bytes, bytes]]):
    """cheroot would add its own name as `Server`: what AWS sends is in the response already."""

    def append(self, item: tuple[bytes, bytes]) -> None:
        if item[0] != b"Server":
            super().append(item)


def _write(req: Any, response: Response) -> None:
    req.outheaders = _Headers(req.outheaders)
    reason = HTTPStatus(response.status).phrase if response.status in _KNOWN else "Unknown"
    req.status = f"{response.status} {reason}".encode("latin-1")
    bare = req.method == b"HEAD" or response.status in (204, 304) or response.status < 200
    sized = any(name == "content-length" for name, _ in response.headers)
    if not sized and response.parts is None and not (bare and req.method != b"HEAD"):
        req.outheaders.append((b"content-length", str(len(response.body)).encode()))
    req.outheaders.extend(
        (name.encode("latin-1"), value.encode("utf-8", "surrogateescape"))
        for name, value in response.headers
        if name not in ("connection", "transfer-encoding")
    )
    req.ensure_headers_sent()
    if response.parts is not None:
        _write_parts(req, response.parts, bare=bare)
    elif response.body and not bare:
        req.write(response.body)


def _write_parts(req: Any, parts: Iterator[bytes], *, bare: bool) -> None:
    """Each part as it comes; a body that is cut off ends without the last, empty chunk.

    Source: RFC 9112, section 8, "Handling Incomplete Messages".
    """
    try:
        for part in () if bare else parts:
            req.write(part)
    except CutError as error:
        LOG.info("a streamed answer was cut off: %s", error)
        req.close_connection = True
        req.chunked_write = False


_KNOWN = frozenset(int(status) for status in HTTPStatus)


def _drop(req: Any) -> None:
    req.conn.dropped = True
    req.close_connection = True
    req.sent_headers = True  # cheroot would else send headers for us
