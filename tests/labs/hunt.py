"""`make hunt`: every point of every experiment, into `hunt/report.json`; a test takes a sample."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.local.cloud import Cloud
from tests.labs.crash import Point
from tests.labs.experiments import (
    Bench,
    Experiment,
    Then,
    Trouble,
    calls_of,
    first_deploy,
    update,
    update_page,
)

EXPERIMENTS: dict[str, Experiment] = {
    "first": first_deploy,
    "update": update,
    "page": update_page,
}


@dataclass
class Report:
    """What was tried and found."""

    points: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.troubles)


def points(calls: int) -> Iterator[Point]:
    for call in range(1, calls + 1):
        yield Point(call)
        yield Point(call, after=True)


def scenarios(bench: Bench, names: list[str]) -> Iterator[tuple[str, Point, Then]]:
    """All of them. Before a first release there is nothing to go back to."""
    for name in names:
        experiment = EXPERIMENTS[name]
        thens = [Then.AGAIN, Then.NEWER] if experiment is first_deploy else list(Then)
        for point in points(calls_of(bench, experiment)):
            yield from ((name, point, then) for then in thens)


def hunt(
    bench: Bench, wanted: list[tuple[str, Point, Then]], *, seconds: float = float("inf")
) -> Report:
    """Tries them, until `seconds` are over."""
    report, until = Report(), time.monotonic() + seconds
    for name, point, then in wanted:
        if time.monotonic() > until:
            break
        where = f"{name}, crashed {point}, then {then}"
        try:
            found = list(EXPERIMENTS[name](bench, point, then))
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
            found = [Trouble("loss", f"{type(error).__name__}: {error}")]
        report.points += 1
        print(report.points, where, flush=True)
        if found:
            bench.close()
        for each in found:
            report.troubles.append(Trouble(each.kind, each.what, where))
            print(f"{each.kind}: {where}: {each.what}", flush=True)
    return report


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=float("inf"), help="at most")
    options.add_argument("--seed", type=int, default=0, help="of the order; 0 is their own")
    options.add_argument("--only", nargs="*", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    options.add_argument("--report", type=Path, default=Path("hunt/report.json"))
    chosen = options.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Cloud(speed=50.0) as cloud:
        bench = Bench(cloud, Path(folder))
        bench.measure()
        wanted = list(scenarios(bench, chosen.only))
        if chosen.seed:
            random.Random(chosen.seed).shuffle(wanted)
        report = hunt(bench, wanted, seconds=chosen.seconds)
        bench.close()
    written = {
        "points": report.points,
        "orphans": report.count("orphan"),
        "losses": report.count("loss"),
        "mixed": report.count("mixed"),
        "seconds": round(time.monotonic() - begun, 1),
        "by": Counter(each.where.partition(",")[0] for each in report.troubles),
    }
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    chosen.report.write_text(json.dumps(written, indent=1) + "\n")
    print(json.dumps(written))
    return 1 if report.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
