"""A distance on loopback: `python -m bench.proxy PORT SECONDS` prints its own port and passes on.

Each piece of data is held back for half of SECONDS, in both directions: a round trip takes them all
more. It is a process of its own, so that it takes no time from the client's. Connecting costs
nothing: a client pays for what it says, not for how it begins.
"""

from __future__ import annotations

import asyncio
import sys


class Side(asyncio.Protocol):
    """What arrives here leaves at `other`, later, in its order."""

    def __init__(self, hold: float) -> None:
        self.hold = hold
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.early.append(data)
        else:
            self._later(data)

    def joined(self, other: Side) -> None:
        self.other = other
        for data in self.early:
            self._later(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._later(None)

    def _later(self, data: bytes | None) -> None:
        # Timers of one length end in the order in which they began.
        asyncio.get_running_loop().call_later(self.hold, self._pass, data)

    def _pass(self, data: bytes | None) -> None:
        sink = self.other.transport if self.other else None
        if sink is None:
            return
        if data is None:
            sink.close()
        elif not sink.is_closing():
            sink.write(data)


async def serve(target: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def join(near: Side) -> None:
        _, far = await loop.create_connection(lambda: Side(seconds / 2), "127.0.0.1", target)
        near.joined(far)
        far.joined(near)

    def accepted() -> Side:
        near = Side(seconds / 2)
        task = loop.create_task(join(near))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return near

    server = await loop.create_server(accepted, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
