"""Asks one URL again and again over kept connections, as fast as it answers, and times each answer.

An event loop over plain sockets with a parser in C: one process, no threads.
"""

from __future__ import annotations

import selectors
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httptools

PATIENCE = 60.0  # seconds
_SERVER = """require("http").createServer((request, answer) => answer.end("hello"))
  .listen(0, "127.0.0.1", function () { console.log(this.address().port); });
"""


@dataclass
class _Connection:
    """The parser calls `on_message_complete`; the server must keep the connection open."""

    socket: socket.socket
    request: bytes
    asked: float = 0.0
    answered: bool = False
    parser: httptools.HttpResponseParser = field(init=False)

    def __post_init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        self.answered = True

    def ask(self) -> None:
        self.answered = False
        self.asked = time.perf_counter()
        self.socket.sendall(self.request)

    def read(self) -> bool:
        """Whether the answer is whole. Raises where it is none, or not a good one."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed a connection that was to be kept")
        self.parser.feed_data(data)
        if not self.answered:
            return False
        if self.parser.get_status_code() != 200:
            raise ConnectionError(f"answered with {self.parser.get_status_code()}")
        self.parser = httptools.HttpResponseParser(self)
        return True


@dataclass(frozen=True)
class Load:
    """Milliseconds at two percentiles, and answers a second."""

    p50_ms: float
    p99_ms: float
    per_second: float


def load(url: str, connections: int, *, seconds: float, answers: int = 2) -> Load:
    """For `seconds`, and on until there are `answers`: a server may have to warm up."""
    took: list[float] = []
    with selectors.DefaultSelector() as waiting:
        opened = [_connect(url) for _ in range(connections)]
        try:
            for each in opened:
                waiting.register(each.socket, selectors.EVENT_READ, each)
                each.ask()
            begun = time.perf_counter()
            while time.perf_counter() < begun + seconds or len(took) < answers:
                if time.perf_counter() > begun + PATIENCE:
                    raise TimeoutError(f"{url}: {len(took)} answers in {PATIENCE} s")
                _turn(waiting, took)
            lasted = time.perf_counter() - begun
        finally:
            for each in opened:
                each.socket.close()
    cuts = statistics.quantiles(took, n=100)
    return Load(p50_ms=cuts[49] * 1000, p99_ms=cuts[98] * 1000, per_second=len(took) / lasted)


def _connect(url: str) -> _Connection:
    parts = urlsplit(url)
    opened = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
    return _Connection(opened, request.encode())


def _turn(waiting: selectors.BaseSelector, took: list[float]) -> None:
    for key, _ in waiting.select(timeout=1):
        connection: _Connection = key.data
        if connection.read():
            took.append(time.perf_counter() - connection.asked)
            connection.ask()


@contextmanager
def bare_server(node: Path) -> Iterator[str]:
    """The address of Node's HTTP server, which answers at once."""
    command = [str(node), "-e", _SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.terminate()
