"""The front end's own development server: started, listened to, found by what it prints, ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

_ADDRESS = re.compile(
    r"https?://(?P<host>localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(?P<port>\d{2,5})"
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PATIENCE = 60.0  # seconds until it must have printed where it listens
_GRACE = 3.0  # seconds to end by itself
# Who listens on all addresses is asked on loopback.
_NAMES = {"0.0.0.0": "127.0.0.1", "[::]": "localhost", "[::1]": "localhost"}  # noqa: S104 -- read, not bound


class FrontEnd:
    """`say` prints a line of its output. It may take its time: `address` waits for it."""

    def __init__(
        self,
        command: str,
        root: Path,
        *,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self.command = command
        self._say = say
        self._address: tuple[str, int] | None = None
        self._known = threading.Event()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=root,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def address(self) -> tuple[str, int] | None:
        """Where it listens (host, port); None if it ended or says nothing for a minute."""
        self._known.wait(_PATIENCE)
        return self._address

    def close(self) -> None:
        """Ends it and all that it started."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=1)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            self._say(line)
            found = None if self._address else _ADDRESS.search(_COLOUR.sub("", line))
            if found:
                host = _NAMES.get(found["host"], found["host"])
                self._address = host, int(found["port"])
                self._known.set()
        self._address = None
        self._known.set()
        self._say(f"`{self.command}` ended with status {self._process.wait()}")
