"""Runs one shell command and hands its output on, line by line.

No environment of ours, no terminal, no input, no new privileges. Whatever ends the wait (the
command's end, an error in `echo`, Ctrl-C, SIGTERM) ends all that the command started, daemons as
well (runner/build/warden.py).
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

Echo = Callable[[str], None]
LINE_LIMIT = 16_384  # characters: a bundle printed without a line break must not fill the memory
_WARDEN = Path(__file__).with_name("warden.py")
_TIDYING = 1.5  # seconds for the warden to end the command: a second of grace, and then by force
POLL = 0.1  # seconds: only matters when a child of the command keeps its output open
_BREAK = re.compile(r"\r\n|\r|\n")


def run(command: str, root: Path, *, environment: Mapping[str, str], echo: Echo) -> int:
    """The exit status of `/bin/sh -c command` in `root`; negative for a signal."""
    with _terminable():
        process = subprocess.Popen(
            # Where no locale is set Python sets one for itself and its children (PEP 538).
            [sys.executable, "-I", "-S", str(_WARDEN), command, *({"LC_CTYPE"} - {*environment})],
            cwd=root,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _stream(process, echo)
            return process.wait()
        finally:
            _end(process)


def _stream(process: subprocess.Popen[bytes], echo: Echo) -> None:
    """Output until it is closed, or until the command ended and what is left is silent."""
    assert process.stdout is not None
    lines = Lines(echo)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if selector.select(POLL):
                data = os.read(process.stdout.fileno(), 65_536)
                if not data:
                    break
                lines.feed(data)
            elif ended:
                break
    lines.close()


class Lines:
    """Cuts bytes into lines; a bare carriage return (a progress bar) ends one too."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decoder.decode(data)
        held = "\r" if text.endswith("\r") else ""  # its line feed may still come
        *lines, self._rest = _BREAK.split(text.removesuffix(held))
        self._rest += held
        for line in lines:
            self._say(line)
        if len(self._rest) > LINE_LIMIT:
            self._say(self._rest)
            self._rest = ""

    def close(self) -> None:
        if rest := (self._rest + self._decoder.decode(b"", final=True)).removesuffix("\r"):
            self._say(rest)
        self._rest = ""

    def _say(self, line: str) -> None:
        for start in range(0, len(line) or 1, LINE_LIMIT):
            self._echo(line[start : start + LINE_LIMIT])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Has the warden end what is left, kindly first."""
    assert process.stdout is not None
    try:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TIDYING)
    finally:  # a second Ctrl-C shortens the grace
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TIDYING)
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into KeyboardInterrupt where nobody else handles them.

    Python's default would end us at once and leave the group running.
    """
    taken: list[signal.Signals] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _interrupt)
                taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
