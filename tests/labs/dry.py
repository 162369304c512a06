"""What nothing befell: each experiment played undisturbed, for its points; its troubles count.

Both are kept after each experiment, so that whatever ends the process leaves what it had found, and
a hunt that is resumed measures the rest.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.local.cloud import Cloud
from tests.labs.checks import Trouble
from tests.labs.crash import Point
from tests.labs.jobs import Points, measured

Play = Callable[[str], tuple[Points, list[Trouble]]]


@dataclass(frozen=True, slots=True)
class Dry:
    """The folder in which it is kept: `points.json` by experiment, and `dry.json`."""

    folder: Path

    def forget(self) -> None:
        for kept in (self._points, self._troubles):
            kept.unlink(missing_ok=True)

    def points(self) -> dict[str, Points]:
        """Of the experiments that were played."""
        kept = json.loads(self._points.read_text()) if self._points.exists() else {}
        return {name: tuple(Point(**each) for each in its) for name, its in kept.items()}

    def troubles(self) -> tuple[Trouble, ...]:
        kept = json.loads(self._troubles.read_text()) if self._troubles.exists() else []
        return tuple(Trouble(**each) for each in kept)

    def play(self, chosen: Iterable[str], play: Play) -> None:
        """One that raises is a finding as well, and the next is played."""
        for name in chosen:
            its, troubles = _played(name, play)
            known = [*self.troubles(), *troubles]
            _write(self._troubles, [asdict(each) for each in known])
            every = self.points() | {name: its}
            _write(self._points, {each: [asdict(p) for p in ps] for each, ps in every.items()})

    @property
    def _points(self) -> Path:
        return self.folder / "points.json"

    @property
    def _troubles(self) -> Path:
        return self.folder / "dry.json"


Work = Callable[[Dry, Sequence[str]], int | None]
"""Plays those that were chosen; the status that it ended with."""


def in_a_process(dry: Dry, chosen: Sequence[str]) -> int | None:
    """The status of a process of its own, for a process has one cloud."""
    worker = multiprocessing.get_context("spawn").Process(target=_on_a_cloud, args=(dry, chosen))
    worker.start()
    worker.join()
    return worker.exitcode


def found(
    dry: Dry, chosen: Sequence[str], *, work: Work
) -> tuple[dict[str, Points], tuple[Trouble, ...]]:
    """The points of those that were chosen, measured once in a hunt; and what went wrong."""
    todo = [name for name in chosen if name not in dry.points()]
    status = work(dry, todo) if todo else 0
    its = dry.points()
    died = tuple(
        Trouble("loss", f"not played: the process ended with {status}", _where(name))
        for name in chosen
        if name not in its
    )
    return {name: its.get(name, ()) for name in chosen}, (*dry.troubles(), *died)


def _on_a_cloud(dry: Dry, chosen: Sequence[str]) -> None:
    with Cloud(speed=50.0) as cloud, tempfile.TemporaryDirectory() as folder:
        dry.play(chosen, lambda name: measured(name, cloud, Path(folder)))


def _played(name: str, play: Play) -> tuple[Points, list[Trouble]]:
    try:
        its, troubles = play(name)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
        its, troubles = (), [Trouble("loss", f"{type(error).__name__}: {error}")]
    return its, [Trouble(each.kind, each.what, _where(name)) for each in troubles]


def _where(name: str) -> str:
    return f"{name}, undisturbed"


def _write(path: Path, content: object) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.rename(path)
