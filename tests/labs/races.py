"""Every scenario of two runs at every visible call, and the report hunt/races.json.

By `python -m tests.labs.races`; what `make hunt` plays calls `points` and `saboteurs` as well.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from runner import turn
from runner.aws import leases
from runner.aws.leases import Lease
from tests.labs import race
from tests.labs.race import CALLS, Complaints, Lab, a_lab

REPORT = Path("hunt/races.json")
Scenario = tuple[str, Callable[[], Complaints]]


def points(lab: Lab) -> Iterator[Scenario]:
    """Each call, before and after it, with each way to go on; each answer, lost."""
    for at in range(1, CALLS + 1):
        for after in (False, True):
            for play in (race.parked, race.overtaken, race.killed, race.killed_newer):
                yield (
                    f"{play.__name__} {'after' if after else 'before'} call {at}",
                    lambda play=play, at=at, after=after: play(lab, at=at, after=after),
                )
    for service, operation, skip in race.ANSWERS:
        yield (
            f"lost {service} {operation} {skip}",
            lambda service=service, operation=operation, skip=skip: race.lost(
                lab, service=service, operation=operation, skip=skip
            ),
        )


def saboteurs(lab: Lab) -> Iterator[tuple[str, bool]]:
    """Engines that lack what the labs look for: each has to be caught."""
    with _instead(Lease, "check", lambda _self: None):
        yield "no fence", bool(race.parked(lab, at=3, after=False))
    with _instead(turn, "is_older", lambda *_args, **_named: False):
        yield "no order", bool(race.overtaken(lab, at=CALLS, after=True))
    with _instead(leases, "LASTS", 1e6):
        yield "a lease without end", bool(race.killed(lab, at=3, after=False))
        lab.time.pass_by(2e6)


class _instead:  # noqa: N801 -- reads as a statement
    """Another value of an attribute meanwhile: sabotage."""

    def __init__(self, owner: object, name: str, value: object) -> None:
        self._owner, self._name, self._value = owner, name, value

    def __enter__(self) -> None:
        self._before = getattr(self._owner, self._name)
        setattr(self._owner, self._name, self._value)

    def __exit__(self, *_: object) -> None:
        setattr(self._owner, self._name, self._before)


def main() -> int:
    """0 where nothing was found and every saboteur was caught."""
    begun = time.monotonic()
    losses, played = 0, 0
    with tempfile.TemporaryDirectory() as folder, a_lab(Path(folder)) as lab:
        for name, play in points(lab):
            played += 1
            found = play()
            losses += bool(found)
            print(f"{name}: {'; '.join(found) or 'fine'}", flush=True)
        caught = dict(saboteurs(lab))
    for name, was in caught.items():
        print(f"saboteur {name}: {'caught' if was else 'NOT CAUGHT'}")
    report = {
        "points": played,
        "orphans": 0,
        "losses": losses,
        "mixed": losses,
        "saboteurs": {"planted": len(caught), "caught": sum(caught.values())},
        "seconds": round(time.monotonic() - begun, 1),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if losses or not all(caught.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
