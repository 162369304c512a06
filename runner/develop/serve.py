"""The commands `functions` and `dev`: one port, until they are told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runner.develop.http import Answer, Connection, Elsewhere, Front
from runner.develop.local import HOST, Load, Local
from runner.develop.machine import Machine
from runner.errors import site_error


def serve_functions(load: Load, machine: Machine, *, port: int) -> None:
    """Serves the functions alone until SIGINT or SIGTERM. Raises JamError for a port in use."""
    asyncio.run(_functions_alone(load, machine, port))


async def _functions_alone(load: Load, machine: Machine, port: int) -> None:
    ended = _ending()
    async with (
        _local(load, machine) as local,
        _listening(local, machine, port, answer=local.serving.answer),
    ):
        await ended.wait()


def _ending() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM, which are the ordinary end."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


@asynccontextmanager
async def _local(load: Load, machine: Machine) -> AsyncIterator[Local]:
    local = Local(load(), load, machine)
    try:
        yield local
    finally:
        await asyncio.to_thread(local.close)


@asynccontextmanager
async def _listening(
    local: Local,
    machine: Machine,
    port: int,
    *,
    answer: Answer,
    elsewhere: Elsewhere = lambda _path: None,
) -> AsyncIterator[None]:
    front = Front(answer=answer, elsewhere=elsewhere, now=machine.now)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(front), HOST, port)
    except OSError as error:
        raise site_error(
            "JAM-PORT-TAKEN",
            f"Port {port} cannot be listened on: {error}",
            hint="End what uses it, or choose another with --port (0 takes a free one).",
        ) from error
    local.port = server.sockets[0].getsockname()[1]
    machine.emit(f"http://localhost:{local.port}", local.port)
    warming = loop.run_in_executor(None, local.warm_up)
    try:
        yield
    finally:
        server.close()
        for task in front.tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await warming
