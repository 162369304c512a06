"""The live view on a terminal: a line per stage with counts, bytes and times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from runner.plan.steps import Plan, Step
from runner.report.watch import PREFIX, size_of


class Terminal:
    """Watches with rich. Use as a context manager; text from outside is never markup."""

    def __init__(self, console: Console) -> None:
        self._view = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("[bold]{task.description:<8}[/]"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
        )
        self._lock = threading.Lock()
        self._current: TaskID | None = None
        self._total = self._done = self._files = self._bytes = 0

    def __enter__(self) -> Terminal:
        self._view.start()
        return self

    def __exit__(self, *caught: object) -> None:
        self._view.stop()

    @contextmanager
    def _staged(self, name: str) -> Iterator[None]:
        task = self._current = self._view.add_task(name, total=1, detail="")
        try:
            yield
        except BaseException:
            self._view.update(task, detail="[red]failed[/]")
            raise
        else:
            self._view.update(task, completed=1)
        finally:
            self._view.stop_task(task)

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self._staged(name)

    def note(self, text: str) -> None:
        self._detail(text)

    def output(self, line: str) -> None:
        self._view.console.print(f"[dim]{PREFIX}{escape(line)}[/]", highlight=False)

    def planned(self, plan: Plan) -> None:
        self._total = sum(1 for _ in plan)
        self._done = self._files = self._bytes = 0

    def started(self, step: Step) -> None:
        self._detail(f"{self._counts()} {step} …")

    def moved(self, step: Step, *, files: int, size: int) -> None:
        with self._lock:
            self._files += files
            self._bytes += size
        self._detail(f"{self._counts()} {step} …")

    def finished(self, step: Step, *, seconds: float) -> None:
        with self._lock:
            self._done += 1
        self._detail(f"{self._counts()} {step}")

    def failed(self, step: Step) -> None:
        self._detail(f"failed: {step}")

    def _counts(self) -> str:
        moved = f", {self._files} files, {size_of(self._bytes)}" if self._files else ""
        return f"{self._done}/{self._total} steps{moved} ·"

    def _detail(self, text: str) -> None:
        if self._current is not None:
            self._view.update(self._current, detail=escape(text))
