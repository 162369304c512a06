"""A distance on loopback: `python -m bench.proxy PORT SECONDS [LOG]` prints its port and passes on.

Each piece of data is held back for half of SECONDS, in both directions: a round trip takes them all
more. It is a process of its own, so that it takes no time from the client's. Connecting costs
nothing: a client pays for what it says, not for how it begins; nor does asking the embedded cloud
what time it is, which with AWS is a look at the machine's own clock. A LOG gets a line of JSON for
each request, once its answer has passed: `head` is how it began, `sent` and `told` are seconds of a
clock that goes steadily, when its first byte left the client and its answer's last one reached it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

HEAD = 4_096  # bytes of a request that are looked at
CLOCK = b"GET /_jam/clock "


class Log:
    """The requests of one connection, each over when the next one begins or the line is closed."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.head = b""
        self.sent = self.told = 0.0

    def asked(self, data: bytes, now: float) -> None:
        if self.told:
            self.over()
        if not self.head:
            self.sent = now
        if len(self.head) < HEAD:
            self.head += data[:HEAD]

    def answered(self, data: bytes, when: float) -> None:
        if not data.startswith(b"HTTP/1.1 100 "):  # the client has more to say, then
            self.told = when

    def over(self) -> None:
        if self.head and self.told:
            head = self.head.partition(b"\r\n\r\n")[0].decode("latin-1")
            told = {"head": head, "sent": self.sent, "told": self.told}
            print(json.dumps(told), file=self.out, flush=True)
        self.head, self.told = b"", 0.0


@dataclass
class Line:
    """One connection: how long each piece is held back, and where its requests are written down."""

    hold: float
    log: Log | None


class Side(asyncio.Protocol):
    """What arrives here leaves at `other`, later, in its order."""

    def __init__(self, line: Line, *, near: bool) -> None:
        self.line = line
        self.near = near
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        line = self.line
        if self.near and data.startswith(CLOCK):
            line.hold, line.log = 0.0, None
        now = asyncio.get_running_loop().time()
        if line.log and self.near:
            line.log.asked(data, now)
        elif line.log:
            line.log.answered(data, now + line.hold)
        if self.other is None:
            self.early.append(data)
        else:
            self._later(data)

    def joined(self, other: Side) -> None:
        self.other = other
        for data in self.early:
            self._later(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.line.log:
            self.line.log.over()
        self._later(None)

    def _later(self, data: bytes | None) -> None:
        # Timers of one length end in the order in which they began.
        asyncio.get_running_loop().call_later(self.line.hold, self._pass, data)

    def _pass(self, data: bytes | None) -> None:
        sink = self.other.transport if self.other else None
        if sink is None:
            return
        if data is None:
            sink.close()
        elif not sink.is_closing():
            sink.write(data)


async def serve(target: int, seconds: float, out: TextIO | None) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def join(near: Side) -> None:
        _, far = await loop.create_connection(
            lambda: Side(near.line, near=False), "127.0.0.1", target
        )
        near.joined(far)
        far.joined(near)

    def accepted() -> Side:
        near = Side(Line(seconds / 2, Log(out) if out else None), near=True)
        task = loop.create_task(join(near))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return near

    server = await loop.create_server(accepted, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with ExitStack() as stack:
        log = stack.enter_context(Path(sys.argv[3]).open("a")) if len(sys.argv) > 3 else None
        asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), log))
