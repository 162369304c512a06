"""How long our own proofs take: `python -m bench.cloud`, or `make bench` with `--only cloud`.

The rehearsal, its drill and the tests, as `make` starts them, after set-up. One round each unless
more are asked for: together they take twenty minutes. Quick are a plain site and one file of tests.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.cost import costs
from bench.entry import Aim, Entry, Readings
from bench.servers import ROOT
from bench.suite import Report, Run, main, progress

OURS = "jam-deploy"
HERE = Path(sys.executable).parent
JAM = (str(HERE / "jam-deploy"), "rehearse")
TESTS = (sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal")
WHOLE = {
    "make rehearse": (*JAM, "examples/notes"),
    "rehearse --drill": (*JAM, "examples/notes", "--drill"),
    "make test": TESTS,
}
QUICK = {
    "make rehearse": (*JAM, "examples/plain"),
    "rehearse --drill": (*JAM, "--help"),
    "make test": (*TESTS, "tests/test_bench_entry.py"),
}
BOUND_S = {"make rehearse": 90, "rehearse --drill": 600, "make test": 480}


def measure(run: Run) -> Report:
    readings = Readings()
    for _ in range(run.asked or 1):
        for name, command in (QUICK if run.quick else WHOLE).items():
            progress(f"cloud: {name}")
            with costs() as cost:
                subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            readings.add(f"{name}, seconds", OURS, cost.seconds)
            readings.add(f"{name}, cpu", OURS, cost.cpu)
    return Report([each for name in WHOLE for each in entries(readings, name)])


def entries(readings: Readings, name: str) -> list[Entry]:
    return [
        Entry(name=name, unit="s", ours=readings.of(f"{name}, seconds")[OURS],
              aim=Aim(bound=BOUND_S[name])),
        Entry(name=f"{name}, processor time", unit="CPU s", aim=Aim(),
              ours=readings.of(f"{name}, cpu")[OURS]),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, __doc__)
