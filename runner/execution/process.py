"""A child process of its own group, its output as log lines, its memory, its end.

Ends with all that it started itself: the group is killed, never a process by name.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_CHUNK = 1 << 16
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_OWN = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)
# Longer lines are cut. Source: CloudWatch Logs user guide, "CloudWatch Logs quotas", event size.
_LONGEST_LINE = 1024 * 1024 - 26


class Process:
    """`said` gets each line of output, `ended` the exit status as subprocess counts it. `passed`
    are numbers of files that it has under the same numbers.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        said: Callable[[str], None],
        ended: Callable[[int], None],
        passed: Sequence[int] = (),
    ) -> None:
        self._said = said
        self._ended = ended
        self._rest = b""
        self._reading = threading.Lock()
        self._source, target = os.pipe()
        self._poll = _poll_of(self._source)  # only with `_reading` held
        try:
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError:
            os.close(self._source)
            raise
        finally:
            os.close(target)
        self._threads = [
            threading.Thread(target=self._follow, daemon=True),
            threading.Thread(target=self._await, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def drain(self) -> None:
        """Hands on all output that there is by now: before the end of an invocation is told."""
        with self._reading:
            while self._source >= 0 and self._poll.poll(0):
                if not self._read():
                    return

    def peak(self) -> int:
        """The most memory that it held so far, in MB; 0 where the system does not tell."""
        return self._kilobytes(_PEAK) // 1024

    def own(self) -> int:
        """What it holds now beyond mapped files, in MB; 0 where the system does not tell."""
        return self._kilobytes(_OWN) // 1024

    def kill(self) -> None:
        """Ends it and what it started; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=2)

    def _kilobytes(self, pattern: re.Pattern[str]) -> int:
        try:
            found = pattern.search(Path(f"/proc/{self._child.pid}/status").read_text())
        except OSError:
            return 0
        return int(found[1]) if found else 0

    def _follow(self) -> None:
        waiting = _poll_of(self._source)
        while True:
            waiting.poll()
            with self._reading:
                # `drain` may have been faster: never wait for output with the lock held.
                if not self._poll.poll(0):
                    continue
                if not self._read():
                    os.close(self._source)
                    self._source = -1
                    return

    def _read(self) -> bool:
        """Reads once; False at the end of the output."""
        chunk = os.read(self._source, _CHUNK)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk and self._rest:
            lines, self._rest = [self._rest], b""
        for line in lines:
            self._said(_text(line))
        if len(self._rest) > _LONGEST_LINE:
            self._said(_text(self._rest))
            self._rest = b""
        return bool(chunk)

    def _await(self) -> None:
        status = self._child.wait()
        # What it started would hold the output open, and outlive it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._threads[0].join(timeout=1)
        self._ended(status)


def _poll_of(source: int) -> select.poll:
    """By `poll`: `select` takes no descriptor above 1,023, and a long-lived cloud has more."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return poll


def _text(line: bytes) -> str:
    """Runtime clients write `\\r` where a message of several lines goes on."""
    return line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip("\r").replace("\r", "\n")
