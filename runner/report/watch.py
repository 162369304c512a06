"""How a deploy is watched: the stages of the line, the steps of a plan, the build's own output.

Two watchers: plain lines for logs, a live view for terminals (runner/report/terminal.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from runner.plan.steps import Plan, Step

Clock = Callable[[], float]
PREFIX = "  │ "  # keeps a build's lines apart, and off the start of the line in a CI log


def size_of(size: int) -> str:
    """Bytes for people: `1.2 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


class Watcher(Protocol):
    """Hears of everything; the methods of `runner.apply.Progress` come from several threads."""

    def stage(self, name: str) -> AbstractContextManager[None]: ...

    def note(self, text: str) -> None: ...

    def output(self, line: str) -> None: ...

    def planned(self, plan: Plan) -> None: ...

    def started(self, step: Step) -> None: ...

    def moved(self, step: Step, *, files: int, size: int) -> None: ...

    def finished(self, step: Step, *, seconds: float) -> None: ...

    def failed(self, step: Step) -> None: ...


class Lines:
    """Plain lines, one per thing that ended; groups where the log can fold them."""

    def __init__(self, write: Callable[[str], None], clock: Clock, *, groups: bool = False) -> None:
        self._write = write
        self._clock = clock
        self._groups = groups
        self._lock = threading.Lock()

    @contextmanager
    def _staged(self, name: str) -> Iterator[None]:
        start = self._clock()
        self._line(f"::group::{name}" if self._groups else f"{name} …")
        try:
            yield
        except BaseException:
            self._end(f"{name} failed after {self._clock() - start:.1f} s")
            raise
        self._end(f"{name} done in {self._clock() - start:.1f} s")

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self._staged(name)

    def note(self, text: str) -> None:
        self._line(f"  {text}")

    def output(self, line: str) -> None:
        self._line(PREFIX + line)

    def planned(self, plan: Plan) -> None:
        """Nothing: each step says itself when it has ended."""

    def started(self, step: Step) -> None:
        """Nothing: a log needs no word of what has not ended yet."""

    def moved(self, step: Step, *, files: int, size: int) -> None:
        """Nothing: the step's own text has the totals."""

    def finished(self, step: Step, *, seconds: float) -> None:
        self._line(f"  {step} ({seconds:.1f} s)")

    def failed(self, step: Step) -> None:
        self._line(f"  FAILED: {step}")

    def _end(self, text: str) -> None:
        if self._groups:
            self._line("::endgroup::")
        self._line(text)

    def _line(self, text: str) -> None:
        with self._lock:
            self._write(text)
