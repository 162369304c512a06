"""Lambda's Runtime API for one execution environment: hands out one event at a time.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes". One port each,
because runtime clients take a host and a port, no path.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue

from runner.execution.program import Event

_RUNTIME = "/2018-06-01/runtime/"
_ACCEPTED = b'{"status":"OK"}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came from the runtime. `kind`: ready, response, error, init-error; or exit, from us."""

    kind: str
    body: bytes = b""
    error_type: str = ""
    content_type: str = "application/json"
    request_id: str = ""


class RuntimeApi:
    """`said` is what the runtime tells; `offer` gives it the next event."""

    def __init__(self) -> None:
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._events: SimpleQueue[tuple[Event, int] | None] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 3600}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

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

    def take(self) -> tuple[Event, int] | None:
        return self._events.get()

    def close(self) -> None:
        self._events.put(None)
        self._server.end()
        self._thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def end(self) -> None:
        """Wakes the loop, which sleeps long so that hundreds of environments cost no CPU."""
        asked = threading.Thread(target=self.shutdown, daemon=True)
        asked.start()
        self._knock()
        asked.join(timeout=5)
        self.server_close()

    def _knock(self) -> None:
        import socket

        with socket.socket() as knock:
            knock.settimeout(1)
            knock.connect_ex(("127.0.0.1", self.server_port))

    def handle_error(self, request: object, client_address: object) -> None:
        """A runtime that dies in the middle of a request is told by its exit, not here."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one packet

        def do_GET(self) -> None:
            if self.path != f"{_RUNTIME}invocation/next":
                return self._answer(404)
            api.tell(Said(kind="ready"))
            taken = api.take()
            if taken is None:
                return self._answer(410)
            event, deadline = taken
            return self._answer(200, event.payload, _headers(event, deadline))

        def do_POST(self) -> None:
            body = self._body()
            kind, request_id = _kind(self.path)
            if not kind:
                return self._answer(404)
            said = Said(
                kind=kind,
                body=body,
                error_type=self.headers.get("Lambda-Runtime-Function-Error-Type", ""),
                content_type=self.headers.get("Content-Type", "application/json"),
                request_id=request_id,
            )
            # Answered first: the runtime must be back at `next` when the caller comes again.
            self._answer(202, _ACCEPTED)
            return api.tell(said)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b""):
                pass  # trailers: a stream that failed says so there
            return b"".join(parts)

        def _answer(
            self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
        ) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler


def _kind(path: str) -> tuple[str, str]:
    """What a POST says, and of which request."""
    if path == f"{_RUNTIME}init/error":
        return "init-error", ""
    parts = path.removeprefix(f"{_RUNTIME}invocation/").split("/")
    if path.startswith(_RUNTIME) and len(parts) == 2 and parts[1] in ("response", "error"):
        return parts[1], parts[0]
    return "", ""


def _headers(event: Event, deadline_ms: int) -> tuple[tuple[str, str], ...]:
    told = (
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", event.arn),
        ("Lambda-Runtime-Trace-Id", event.trace_id),
        ("Lambda-Runtime-Client-Context", event.client_context),
    )
    return tuple((name, value) for name, value in told if value)
