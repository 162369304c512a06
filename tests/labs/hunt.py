"""`make hunt`: every point of every experiment, into `hunt/report.json`; a test takes a sample.

Each handful of scenarios has a process of its own: functions and edges of a cloud live as long.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from runner.local.cloud import Cloud
from tests.labs.crash import Point
from tests.labs.experiments import (
    Bench,
    Experiment,
    Then,
    Trouble,
    crowded,
    destroying,
    first_deploy,
    lost,
    parked,
    twice,
    update,
    update_page,
)
from tests.labs.rollouts import Rolling, opening, promoting, taking_back
from tests.labs.saboteurs import SABOTEURS

Scenario = tuple[str, Point, Then]

EXPERIMENTS: dict[str, Experiment] = {
    "first": first_deploy,
    "update": update,
    "page": update_page,
    "twice": twice,
    "lost": lost,
    "crowded": crowded,
    "parked": parked,
    "destroying": destroying,
    "opening": opening,
    "promoting": promoting,
    "taking back": taking_back,
}
ROLLOUTS = frozenset({"opening", "promoting", "taking back"})
# Calls of a run that does not die; the threads of two runs never ask quite the same. While a
# rollout opens, its alarms' self-test asks some hundred times.
CALLS = {
    "first": 145, "update": 46, "page": 34, "twice": 46, "lost": 46, "crowded": 46, "parked": 46,
    "destroying": 150, "opening": 210, "promoting": 24, "taking back": 24,
}  # fmt: skip
# Before a first release there is nothing to go back to; others go on by themselves.
_GOING_ON = (Then.AGAIN, Then.NEWER, Then.BACK)
_THENS = {
    "first": (Then.AGAIN, Then.NEWER, Then.DESTROY),
    "destroying": (Then.DESTROY, Then.NEWER),
    **dict.fromkeys(("twice", "opening", "promoting", "taking back"), _GOING_ON),
    "lost": (Then.AGAIN,),
    "crowded": (Then.AGAIN,),
    "parked": (Then.NEWER,),
}
HANDFUL = 12  # scenarios in one process
WORKERS = 2


def scenarios(name: str) -> Iterator[Scenario]:
    """All of one experiment."""
    for call in range(1, CALLS[name] + 1):
        for after in (False, True):
            for then in _THENS.get(name, tuple(Then)):
                yield name, Point(call, after), then


def tried(bench: Bench, scenario: Scenario) -> list[Trouble]:
    """The troubles of one; the site is made anew after any."""
    name, point, then = scenario
    where = f"{name}, crashed {point}, then {then}"
    try:
        found = list(EXPERIMENTS[name](bench, point, then))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
        found = [Trouble("loss", f"{type(error).__name__}: {error}")]
    if found:
        bench.close()
    return [Trouble(each.kind, each.what, where) for each in found]


def handful(wanted: Sequence[Scenario], until: float) -> tuple[int, list[Trouble]]:
    """How many were tried before the time was over, and what they found; in this process."""
    found: list[Trouble] = []
    done = 0
    kind = Rolling if wanted[0][0] in ROLLOUTS else Bench
    with tempfile.TemporaryDirectory() as folder, Cloud(speed=50.0) as cloud:
        bench = kind(cloud, Path(folder))
        bench.measure()
        for scenario in wanted:
            if time.time() > until:
                break
            found += tried(bench, scenario)
            done += 1
        bench.close()
    return done, found


def sabotaged(name: str) -> str:
    """How a saboteur was caught; in this process."""
    engine = next(each for each in SABOTEURS if each.name == name)
    with tempfile.TemporaryDirectory() as folder, Cloud(speed=50.0) as cloud:
        return engine.caught(cloud, Path(folder))


def handfuls(chosen: Sequence[str], *, seed: int, each: int) -> list[list[Scenario]]:
    """Shuffled, so that a hunt cut short has seen a bit of everything. `each` is at most so many
    scenarios of an experiment, 0 is all."""
    chance = random.Random(seed)
    made: list[list[Scenario]] = []
    for name in chosen:
        all_of_it = list(scenarios(name))
        chance.shuffle(all_of_it)
        drawn = all_of_it[:each] if each else all_of_it
        made += [drawn[at : at + HANDFUL] for at in range(0, len(drawn), HANDFUL)]
    chance.shuffle(made)
    return made


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=86_400, help="at most")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--each", type=int, default=0, help="scenarios of an experiment; 0: all")
    options.add_argument("--only", nargs="*", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    options.add_argument("--honest", action="store_true", help="without the saboteurs")
    options.add_argument("--report", type=Path, default=Path("hunt/report.json"))
    chosen = options.parse_args()
    begun = time.time()
    until = begun + chosen.seconds
    spawn = multiprocessing.get_context("spawn")
    points, troubles, caught = 0, list[Trouble](), dict[str, str]()
    with ProcessPoolExecutor(WORKERS, mp_context=spawn, max_tasks_per_child=1) as pool:
        planted = [] if chosen.honest else [each.name for each in SABOTEURS]
        spoiled = {pool.submit(sabotaged, name): name for name in planted}
        hunts = [
            pool.submit(handful, each, until)
            for each in handfuls(chosen.only, seed=chosen.seed, each=chosen.each)
        ]
        for hunt in as_completed(hunts):
            done, found = hunt.result()
            points += done
            troubles += found
            for each in found:
                print(f"{each.kind}: {each.where}: {each.what}", flush=True)
            print(f"{points} points, {len(troubles)} troubles", flush=True)
        for future, name in spoiled.items():
            caught[name] = future.result()
            print(f"{name}: {caught[name] or 'GOT AWAY'}", flush=True)
    report = {
        "points": points,
        "orphans": _count(troubles, "orphan"),
        "losses": _count(troubles, "loss"),
        "mixed": _count(troubles, "mixed"),
        "saboteurs": {"planted": len(caught), "caught": sum(bool(how) for how in caught.values())},
        "seconds": round(time.time() - begun, 1),
    }
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    chosen.report.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report))
    return 1 if troubles or not all(caught.values()) else 0


def _count(troubles: Sequence[Trouble], kind: str) -> int:
    return sum(each.kind == kind for each in troubles)


if __name__ == "__main__":
    sys.exit(main())
