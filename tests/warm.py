"""Commands in processes of their own that need not import anything: forked from one that has.

A command's process has the arguments, environment, folder, streams and end that it would have if
it were started afresh; what it shares with the one before is code alone. Two such sources take
turns, each with its own seed of hashes: an order that depends on the seed differs from one command
to the next, as it does for users.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
SEEDS = (1, 2)
MESSAGE = 1 << 17  # bytes: arguments and environment of one command


@dataclass(frozen=True)
class Running:
    """A command under way: whoever has its line hears how it ends."""

    pid: int
    line: socket.socket = field(repr=False)

    def wait(self) -> int:
        """Its exit status, negative for a signal, as subprocess tells it."""
        with self.line:
            try:
                said = self.line.recv(MESSAGE)
            except BaseException:  # a test that took too long leaves nobody at work
                os.kill(self.pid, signal.SIGKILL)
                self.line.recv(MESSAGE)
                raise
        assert said, "the source of processes is gone"
        return int(said)


@dataclass(frozen=True)
class Source:
    """A process that forks one of its kind for each message; it ends with its line."""

    process: subprocess.Popen[bytes]
    line: socket.socket = field(repr=False)

    def begin(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        out: IO[bytes],
        log: IO[bytes],
    ) -> Running:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = json.dumps([list(words), str(folder), dict(environment)]).encode()
        with theirs:
            files = [theirs.fileno(), out.fileno(), log.fileno()]
            socket.send_fds(self.line, [asked], files)
        said = ours.recv(MESSAGE)
        assert said, f"the source of processes ended: {self.process.poll()}"
        return Running(int(said), ours)


@cache
def _source(kind: str, seed: int) -> Source:
    """One for this process of ours; it ends with it, when its line is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_source", kind, str(theirs.fileno())],
            cwd=ROOT,
            env={**environment, "PYTHONHASHSEED": str(seed)},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    atexit.register(_end, process, ours)
    return Source(process, ours)


def _end(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    line.close()
    process.wait(60)


_turns = cycle(SEEDS)


def run(
    words: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run([python, "-m", "runner", *words], capture_output=True, text=True)`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        source = _source("command", next(_turns))
        running = source.begin(words, folder=folder, environment=environment, out=out, log=log)
        status = running.wait()
        said = [_read(each) for each in (out, log)]
    return subprocess.CompletedProcess(list(words), status, *said)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def cloud(environment: Mapping[str, str], *, log: Path, speed: float = 1.0) -> Iterator[str]:
    """As `runner.rehearsal.stage.cloud`: gives the endpoint of one that is ended afterwards."""
    words = ("cloud", "--port", "0", "--speed", str(speed))
    reading, writing = os.pipe()
    with log.open("wb") as errors, os.fdopen(writing, "wb") as out:
        running = _source("cloud", SEEDS[0]).begin(
            words, folder=ROOT, environment=environment, out=out, log=errors
        )
    try:
        with os.fdopen(reading) as said:
            line = said.readline()
            assert line, f"the embedded cloud did not start: {log.read_text()[-2000:]}"
            yield str(json.loads(line)["endpoint"])
    finally:
        os.kill(running.pid, signal.SIGTERM)
        running.wait()
