"""Runs one shell command, and ends with all of it: no process that it started is left, no daemon.

A program of its own, `python -I -S warden.py COMMAND [UNSET...]`, of the standard library alone.
The command's environment is its own, without the variables that it is told to unset. On Linux the
orphans among its descendants become its children (PR_SET_CHILD_SUBREAPER), so that it has ended
them all when it has none; elsewhere it ends the command's process group. SIGTERM ends the command,
kindly first; SIGINT at once. Its status is the command's, its signal too.
Sources: prctl(2), PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG; proc(5), stat.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

GRACE = 1.0  # seconds between SIGTERM and SIGKILL: an interrupted deploy has two in all
_PAUSE = 0.01  # seconds between two looks at what is left
_LOOKS = 500
_HEARD = (signal.SIGTERM, signal.SIGINT)
_PDEATHSIG, _CHILD_SUBREAPER, _NO_NEW_PRIVS = 1, 36, 38  # linux/prctl.h


class _Asked(Exception):  # noqa: N818 -- no error: somebody wants the command to end
    """SIGTERM; `at_once` for SIGINT."""

    def __init__(self, at_once: bool) -> None:
        super().__init__()
        self.at_once = at_once


def main(command: str, unset: list[str]) -> int:
    """The command's status as `os.waitpid` tells it."""
    _prepare()
    for name in unset:
        os.environ.pop(name, None)  # noqa: TID251 -- to be handed on, not to be read
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # no command that nobody knows of
    child = _started(command)
    try:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            return os.waitpid(child, 0)[1]
        except _Asked as asked:
            return signal.SIGTERM if asked.at_once else _ended(child)
    except _Asked:
        return signal.SIGTERM
    finally:
        for number in _HEARD:
            signal.signal(number, signal.SIG_IGN)
        _leave_nothing(child)


def _prepare() -> None:
    for number in _HEARD:
        signal.signal(number, _ask)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def _ask(number: int, _frame: FrameType | None) -> None:
    raise _Asked(at_once=number == signal.SIGINT)


def _started(command: str) -> int:
    child = os.fork()
    if not child:
        _become(command)
    return child


def _become(command: str) -> NoReturn:
    # What Python changed, and what our own caller may have: a command begins as a shell's does.
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
    os.setsid()
    os.execv("/bin/sh", ["/bin/sh", "-c", command])  # noqa: S606 -- the command is a shell's


def _ended(child: int) -> int:
    """The command's status when it was asked to end, and given a moment."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGTERM)
    for _ in range(int(GRACE / _PAUSE)):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        select.select([], [], [], _PAUSE)
    return signal.SIGKILL


def _leave_nothing(child: int) -> None:
    """Kills until there is no child left to wait for: none of the descendants is, then."""
    for _ in range(_LOOKS):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for process in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        select.select([], [], [], _PAUSE)


def _descendants(ancestor: int) -> set[int]:
    """By /proc, so on Linux alone; the process group is all that is known elsewhere."""
    parents = dict(_parents())
    found: set[int] = {ancestor}
    while more := {each for each, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {ancestor}


def _parents() -> list[tuple[int, int]]:
    pairs = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The second field is the program's name in brackets, which may hold anything.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            pairs.append((int(folder.name), int(fields[1])))
    return pairs


if __name__ == "__main__":
    ended = main(sys.argv[1], sys.argv[2:])
    if os.WIFSIGNALED(ended):
        if os.WTERMSIG(ended) != signal.SIGKILL:
            signal.signal(os.WTERMSIG(ended), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(ended))
    os._exit(os.waitstatus_to_exitcode(ended))
