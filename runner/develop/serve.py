"""The commands `functions` and `dev`: one port, until they are told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runner.develop.http import Answer, Elsewhere, Front, Server
from runner.develop.local import HOST, Load, Local
from runner.develop.machine import Machine
from runner.errors import site_error


def serve_functions(load: Load, machine: Machine, *, port: int) -> None:
    """Serves the functions alone until SIGINT or SIGTERM. Raises JamError for a port in use."""
    ended = _ending()
    with (
        _local(load, machine) as local,
        _listening(local, machine, port=port, answer=local.serving.answer),
    ):
        ended.wait()


def _ending() -> threading.Event:
    """Set by Ctrl-C and SIGTERM, which are the ordinary end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    return ended


@contextmanager
def _local(load: Load, machine: Machine) -> Iterator[Local]:
    local = Local(load(), load, machine)
    try:
        yield local
    finally:
        local.close()


@contextmanager
def _listening(
    local: Local,
    machine: Machine,
    *,
    port: int,
    answer: Answer,
    elsewhere: Elsewhere = lambda _path: None,
) -> Iterator[None]:
    front = Front(answer=answer, elsewhere=elsewhere, now=machine.now)
    try:
        server = Server(front, host=HOST, port=port)
    except OSError as error:
        raise site_error(
            "JAM-PORT-TAKEN",
            f"Port {port} cannot be listened on: {error}",
            hint="End what uses it, or choose another with --port (0 takes a free one).",
        ) from error
    local.port = server.port
    machine.emit(f"http://localhost:{server.port}", server.port)
    threading.Thread(target=local.warm_up, daemon=True).start()
    try:
        yield
    finally:
        server.close()
