"""`make hunt`: a million hostile visitors, led by what they reach in entry's code (atheris).

Adds `fuzz` to hunt/report.json. Each worker is a process of its own, which ends where it stands:
libFuzzer never gives the process back. Where atheris has no wheel chance alone leads.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

WORKERS = 2
LONGEST = 1024  # bytes of one input: some forty visitors
MOST_TOLD = 50  # findings
# Whose branches lead the way: not the model's, which every visitor goes through.
_LED = ("runner.paths", "runner.entry.entry", "runner.entry.release", "runner.entry.rules")


class Worker:
    """Plays inputs until `visits` were made; then writes what it found and ends the process."""

    def __init__(self, part: Path, *, visits: int) -> None:
        from tests.fuzz.target import hunter

        self._hunter = hunter()
        self._part = part
        self._visits = visits
        self._inputs = 0
        self._findings: dict[str, str] = {}

    def play(self, data: bytes) -> None:
        self._inputs += 1
        for found in self._hunter.findings(data):
            kind = found.split(":")[0]
            if kind not in self._findings and len(self._findings) < MOST_TOLD:
                self._findings[kind] = f"{found}\n  bytes {data.hex()}"
        if self._hunter.visits >= self._visits:
            self._end()

    def _end(self) -> None:
        told = {
            "inputs": self._inputs,
            "visits": self._hunter.visits,
            "findings": list(self._findings.values()),
        }
        self._part.write_text(json.dumps(told))
        os._exit(0)


def work(part: Path, *, visits: int, seed: int) -> None:
    """Never returns."""
    if importlib.util.find_spec("atheris") is None:
        chance = random.Random(seed)
        worker = Worker(part, visits=visits)
        while True:
            worker.play(chance.randbytes(chance.randint(4, LONGEST)))
    import atheris

    worker = Worker(part, visits=visits)
    for function in _functions():
        atheris.instrument_func(function)
    corpus = part.with_suffix("")
    corpus.mkdir(parents=True, exist_ok=True)
    # Long inputs at once: libFuzzer would begin with some bytes, and few visitors.
    flags = [f"-seed={seed}", f"-max_len={LONGEST}", "-len_control=0", "-verbosity=0"]
    flags += [f"-artifact_prefix={corpus}-"]  # not into the folder that it was begun in
    atheris.Setup(["fuzz", *flags, "-timeout=120", "-rss_limit_mb=4096", str(corpus)], worker.play)
    atheris.Fuzz()


def _functions() -> Iterator[FunctionType]:
    """All of the modules that lead, methods too, and what a cache is wrapped around."""
    for name in _LED:
        module = vars(importlib.import_module(name))
        classes = [each for each in module.values() if isinstance(each, type)]
        for each in (*module.values(), *(it for kind in classes for it in vars(kind).values())):
            found = inspect.unwrap(each) if callable(each) else getattr(each, "fget", None)
            if isinstance(found, FunctionType) and found.__module__ == name:
                yield found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visits", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--report", type=Path, default=Path("hunt/report.json"))
    options.add_argument("--part", type=Path, help="of a worker")
    chosen = options.parse_args()
    if chosen.part:
        work(chosen.part, visits=chosen.visits, seed=chosen.seed)
    report = chosen.report
    told = hunted(report.parent / "fuzz", visits=chosen.visits, seed=chosen.seed)
    whole = json.loads(report.read_text()) if report.exists() else {}
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({**whole, "fuzz": told}, indent=1) + "\n")
    print(json.dumps({**told, "findings": len(told["findings"])}))
    print("\n\n".join(told["findings"]))
    return 1 if told["findings"] else 0


def hunted(folder: Path, *, visits: int, seed: int) -> dict[str, Any]:
    """All workers' findings; a worker that ended without its part is one."""
    begun = time.time()
    folder.mkdir(parents=True, exist_ok=True)
    parts = [folder / f"{number}.json" for number in range(WORKERS)]
    running = []
    for number, part in enumerate(parts):
        part.unlink(missing_ok=True)
        said = [f"--visits={-(-visits // WORKERS)}", f"--seed={seed + number}", f"--part={part}"]
        running.append(subprocess.Popen([sys.executable, "-m", "tests.fuzz.hunt", *said]))
    findings = [
        f"a worker ended with {worker.wait()} before its time"
        for worker, part in zip(running, parts, strict=True)
        if worker.wait() or not part.exists()
    ]
    made = [json.loads(part.read_text()) for part in parts if part.exists()]
    led = importlib.util.find_spec("atheris") is not None
    return {
        "engine": "atheris" if led else "chance",
        "inputs": sum(each["inputs"] for each in made),
        "visits": sum(each["visits"] for each in made),
        "findings": findings + [each for part in made for each in part["findings"]],
        "seconds": round(time.time() - begun, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
