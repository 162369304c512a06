"""Hashing and scanning a site of 10,000 files beside reading them: `python -m bench.scan`.

All files lie in the page cache. `again` is what a folder costs whose files have been seen: listed,
judged by name, read, hashed; `first` searches them for credentials as well, and copies each one
into the content store. Beside both: reading alone, and reading with a digest of each file.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.entry import Aim, Entry, Readings
from bench.suite import Report, Run, main, progress
from runner.build import publish

OURS, READING, DIGESTS = "jam-deploy", "reading alone", "reading and sha256"
TIMES = 1.5  # as long as reading alone, at most
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "window", "style")
FOLDERS = 100


def measure(run: Run) -> Report:
    files = 500 if run.quick else 10_000
    folder = run.scratch / "site"
    size = make_site(folder, files)
    readings = Readings()
    for number in range(-1, run.rounds):  # the first one fills the page cache
        progress(f"scan: round {number + 1} of {run.rounds}")
        for (what, who), way in ways(folder, run.scratch / f"store-{number}").items():
            seconds, cpu = cost(way)
            if number >= 0:
                add(readings, what, who, seconds=seconds, cpu=cpu)
    return Report(entries(readings, files), {"files": files, "bytes": size})


def ways(folder: Path, store: Path) -> dict[tuple[str, str], Callable[[], object]]:
    """The `store` is a new one: where another was deleted right before, a file system that
    discards what was freed makes new files three times as slowly."""
    return {
        ("", READING): lambda: sum(map(len, contents(folder))),
        ("", DIGESTS): lambda: [hashlib.sha256(data).digest() for data in contents(folder)],
        ("first", OURS): lambda: publish.read(folder, store),
        ("again", OURS): lambda: publish.read(folder, store),
    }


def add(readings: Readings, what: str, who: str, *, seconds: float, cpu: float) -> None:
    """What the peers do is the same for both of ours."""
    for each in (what,) if what else ("first", "again"):
        readings.add(f"{each}, seconds", who, seconds)
        readings.add(f"{each}, cpu", who, cpu)


def make_site(folder: Path, files: int) -> int:
    """Pages of 1 to 120 KB, 25 in the mean; the seed is fixed. Their bytes."""
    chance, size = random.Random(7), 0
    for number in range(files):
        wanted = int(math.exp(chance.uniform(math.log(1_000), math.log(120_000))))
        lines = [f"<p>{' '.join(chance.choices(WORDS, k=8))} {number}</p>" for _ in range(20)]
        text = "\n".join(lines)
        page = (text * (wanted // len(text) + 1))[:wanted]
        place = folder / str(number % FOLDERS) / f"{number}.html"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(page)
        size += len(page)
    return size


def contents(folder: Path) -> Iterator[bytes]:
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:  # noqa: PTH118, PTH123 -- as fast as reading goes
                yield file.read()


def cost(way: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the wall and of the processor."""
    begun, used = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - begun, time.process_time() - used


def entries(readings: Readings, files: int) -> list[Entry]:
    def entry(what: str, kind: str, unit: str) -> Entry:
        seen = "seen before" if what == "again" else "not seen before"
        found = f"{what}, {kind}"
        return Entry(
            name=f"scanning {files} files {seen}" + (", processor time" if kind == "cpu" else ""),
            unit=unit, ours=readings.of(found)[OURS], peers=readings.peers(found, OURS),
            aim=Aim(over=(READING,), times=1 / TIMES),
        )  # fmt: skip

    return [
        entry(what, kind, unit)
        for what in ("again", "first")
        for kind, unit in (("seconds", "s"), ("cpu", "CPU s"))
    ]


if __name__ == "__main__":
    main(measure, __doc__)
