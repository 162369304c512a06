"""`make hunt`: every point of every experiment, race, kill and saboteur, into `hunt/report.json`.

First each experiment is played undisturbed: what a run calls says at which points it may die. Then
each job has a process of its own: one that raises, dies or hangs is a finding, and the hunt goes
on. The report is written after each; `--resume` plays what an earlier hunt had not, at the points
that it had measured.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.labs import dry
from tests.labs.checks import Trouble
from tests.labs.dry import Dry, Work, in_a_process
from tests.labs.jobs import EXPERIMENTS, Found, Job, Points, jobs, played

WORKERS = 2
LONGEST = 1800.0  # seconds of a job on a busy machine


@dataclass
class Hunt:
    """What has been found so far, and where it is kept."""

    report: Path
    begun: float
    points: int = 0
    missed: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    caught: dict[str, str] = field(default_factory=dict)
    before: float = 0.0  # seconds of the hunts that this one resumes

    def parts(self) -> Path:
        return self.report.parent / "parts"

    def part(self, job: Job) -> Path:
        """Where a job's findings lie once it is over."""
        return self.parts() / f"{sha256(repr(job).encode()).hexdigest()[:16]}.json"

    def dry(self) -> Dry:
        return Dry(self.report.parent)

    def add(self, found: Found) -> None:
        self.points += found.points
        self.missed += found.missed
        self.troubles += found.troubles
        self.caught |= dict(found.caught)
        for each in found.troubles:
            print(f"{each.kind}: {each.where}: {each.what}", flush=True)
        for missed in found.missed:
            print(f"missed: {missed}", flush=True)
        for name, how in found.caught:
            print(f"{name}: {how or 'GOT AWAY'}", flush=True)
        self.write()

    def write(self) -> None:
        self.report.write_text(json.dumps(self.document(), indent=1) + "\n")

    def document(self) -> dict[str, Any]:
        caught = sum(bool(how) for how in self.caught.values())
        return {
            "points": self.points,
            "missed": len(self.missed),
            "orphans": self._count("orphan"),
            "losses": self._count("loss"),
            "mixed": self._count("mixed"),
            "saboteurs": {"planted": len(self.caught), "caught": caught},
            "seconds": round(self.before + time.time() - self.begun, 1),
        }

    def _count(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.troubles)


def work_off(job: Job, part: Path) -> None:
    """In the job's own process; its findings appear whole or not at all."""
    threading.Thread(target=_end_with_the_hunt, daemon=True).start()
    found = played(job)
    draft = part.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(found)))
    draft.rename(part)


def _end_with_the_hunt() -> None:
    """Whoever resumes a hunt that was killed plays alone."""
    hunt = multiprocessing.parent_process()
    assert hunt
    hunt.join()
    os._exit(1)


def read(part: Path) -> Found:
    kept = json.loads(part.read_text())
    return Found(
        points=kept["points"],
        missed=tuple(kept["missed"]),
        troubles=tuple(Trouble(**each) for each in kept["troubles"]),
        caught=tuple((name, how) for name, how in kept["caught"]),
    )


def measure(hunt: Hunt, chosen: Sequence[str], *, work: Work = in_a_process) -> dict[str, Points]:
    """The points by experiment; trouble of a run that nothing befell is a finding."""
    its, troubles = dry.found(hunt.dry(), chosen, work=work)
    hunt.add(Found(troubles=troubles))
    return its


def play(hunt: Hunt, todo: Iterable[Job], *, until: float, workers: int) -> None:
    """All of them, so many at a time; none begins after `until`."""
    spawn = multiprocessing.get_context("spawn")
    waiting = deque(todo)
    running: dict[BaseProcess, tuple[Job, float]] = {}
    while running or (waiting and time.time() < until):
        while waiting and len(running) < workers and time.time() < until:
            job = waiting.popleft()
            worker = spawn.Process(target=work_off, args=(job, hunt.part(job)))
            worker.start()
            running[worker] = (job, time.time())
        wait([worker.sentinel for worker in running], timeout=5)
        for worker, (job, since) in list(running.items()):
            if worker.is_alive() and time.time() - since > LONGEST:
                worker.kill()
                worker.join()
            if not worker.is_alive():
                del running[worker]
                hunt.add(_ended(hunt, job, status=worker.exitcode))
                print(f"{hunt.points} points, {len(hunt.troubles)} troubles", flush=True)


def _ended(hunt: Hunt, job: Job, *, status: int | None) -> Found:
    part = hunt.part(job)
    if part.exists():
        return read(part)
    trouble = Trouble("loss", f"its process ended with {status}", repr(job)[:300])
    return Found(troubles=(trouble,))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=86_400, help="nothing begins after them")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--each", type=int, default=0, help="scenarios of an experiment; 0: all")
    options.add_argument("--only", nargs="*", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    options.add_argument("--workers", type=int, default=WORKERS)
    options.add_argument("--resume", action="store_true", help="play what is not played yet")
    options.add_argument("--report", type=Path, default=Path("hunt/report.json"))
    chosen = options.parse_args()
    hunt = Hunt(chosen.report, time.time())
    hunt.parts().mkdir(parents=True, exist_ok=True)
    if not chosen.resume:
        hunt.dry().forget()
        for part in hunt.parts().iterdir():
            part.unlink(missing_ok=True)
    elif hunt.report.exists():
        hunt.before = json.loads(hunt.report.read_text())["seconds"]
    every = jobs(measure(hunt, chosen.only), seed=chosen.seed, each=chosen.each)
    print(f"{sum(job.size for job in every)} points in {len(every)} jobs", flush=True)
    over = [job for job in every if hunt.part(job).exists()]
    for job in over:
        hunt.add(read(hunt.part(job)))
    play(
        hunt,
        [job for job in every if job not in over],
        until=hunt.begun + chosen.seconds,
        workers=chosen.workers,
    )
    hunt.write()
    print(json.dumps(hunt.document()))
    return 1 if hunt.troubles or not all(hunt.caught.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
