"""The command `jam-deploy cloud`: a cloud in the foreground, until it is told to end."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from runner.errors import site_error
from runner.local.cloud import Cloud


def run_cloud(
    port: int, state: Path | None, *, speed: float = 1.0, emit: Callable[[str], None]
) -> None:
    """Emits one JSON line when it is ready and returns after SIGINT or SIGTERM.

    `endpoint` is for AWS clients, `data_plane` for visitors: they send the host that they want, or
    put its first label before `.localhost`. Raises JamError for a port in use and for a state
    folder that cannot be used.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    cloud = _started(port, state, speed=speed)
    try:
        emit(json.dumps({"endpoint": cloud.endpoint, "data_plane": cloud.endpoint}))
        ended.wait()
    finally:
        cloud.stop()


def _started(port: int, state: Path | None, *, speed: float) -> Cloud:
    try:
        cloud = Cloud(speed=speed, port=port, state=state)
    except OSError as error:
        raise site_error(
            "JAM-STATE-UNUSABLE",
            f"The state folder {state} cannot be used: {error}",
            hint="Name a folder that you may write to with --state.",
        ) from error
    try:
        return cloud.start()
    except OSError as error:
        cloud.stop()
        raise site_error(
            "JAM-PORT-TAKEN",
            f"Port {port} cannot be listened on: {error}",
            hint="End what uses it, or choose another with --port (0 takes a free one).",
        ) from error
