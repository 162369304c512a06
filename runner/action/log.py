"""How a run's log reads: a group a stage, and what the build prints apart from all else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from runner.action.console import Console
from runner.report.watch import Clock, Lines

KEPT = 30  # last lines of a build that a comment may show


class Log(Lines):
    """A watcher that remembers what a report tells: seconds by stage, the build's last lines."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__(console.line, clock)
        self._console = console
        self._last: deque[str] = deque(maxlen=KEPT)
        self._stages: list[tuple[str, float]] = []

    @property
    def last_lines(self) -> tuple[str, ...]:
        return tuple(self._last)

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return tuple(self._stages)

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self._grouped(name)

    def output(self, line: str) -> None:
        self._last.append(line)
        self._console.foreign(line)

    @contextmanager
    def _grouped(self, name: str) -> Iterator[None]:
        begun = self._clock()
        self._console.group(name)
        ended = "failed"
        try:
            yield
            ended = "done"
        finally:
            seconds = self._clock() - begun
            self._stages.append((name, seconds))
            self._console.end_group()
            self._console.line(f"{name} {ended} in {seconds:.1f} s")
