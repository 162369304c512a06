"""What a hunt consists of: jobs, each for a process of its own, and what one of them found."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from runner.local.cloud import Cloud
from tests.labs import races, saboteurs
from tests.labs.checks import Trouble
from tests.labs.crash import Point
from tests.labs.disturbed import crowded, crowded_first, lost, lost_first, stormy, stormy_first
from tests.labs.experiments import (
    Bench,
    Experiment,
    Then,
    destroying,
    first_deploy,
    meddled,
    parked,
    returning,
    twice,
    update,
    update_code,
    update_page,
)
from tests.labs.kills import SPEED, Killed, kill
from tests.labs.race import a_lab
from tests.labs.rollouts import (
    Rolling,
    opening,
    opening_in_storm,
    promoting,
    reopening,
    taking_back,
)
from tests.labs.upkeep import collecting, incomplete

_GOING_ON = (Then.AGAIN, Then.NEWER, Then.BACK)
_ALL = tuple(Then)


@dataclass(frozen=True, slots=True)
class Hunted:
    """An experiment, the calls of a run that does not die, and what may follow.

    The threads of two runs never ask quite the same. While a rollout opens, its alarms' self-test
    asks some hundred times.
    """

    experiment: Experiment
    calls: int
    thens: tuple[Then, ...]
    rolls: bool = False


EXPERIMENTS: dict[str, Hunted] = {
    "first": Hunted(first_deploy, 145, (Then.AGAIN, Then.NEWER, Then.DESTROY)),
    "update": Hunted(update, 46, _ALL),
    "page": Hunted(update_page, 34, _ALL),
    "code": Hunted(update_code, 46, _ALL),
    "twice": Hunted(twice, 46, _GOING_ON),
    "lost": Hunted(lost, 46, (Then.AGAIN,)),
    "lost first": Hunted(lost_first, 145, (Then.AGAIN,)),
    "crowded": Hunted(crowded, 46, (Then.AGAIN,)),
    "crowded first": Hunted(crowded_first, 145, (Then.AGAIN,)),
    "stormy": Hunted(stormy, 10, (Then.AGAIN, Then.NEWER)),
    "stormy first": Hunted(stormy_first, 10, (Then.AGAIN,)),
    "stormy opening": Hunted(opening_in_storm, 10, (Then.AGAIN,), rolls=True),
    "parked": Hunted(parked, 46, (Then.NEWER,)),
    "meddled": Hunted(meddled, 46, (Then.NEWER,)),
    "returning": Hunted(returning, 26, _ALL),
    "incomplete": Hunted(incomplete, 2, (Then.BACK,)),
    "collecting": Hunted(collecting, 60, _ALL),
    "destroying": Hunted(destroying, 150, (Then.DESTROY, Then.NEWER)),
    "opening": Hunted(opening, 210, _GOING_ON, rolls=True),
    "reopening": Hunted(reopening, 210, (Then.AGAIN,), rolls=True),
    "promoting": Hunted(promoting, 24, _GOING_ON, rolls=True),
    "taking back": Hunted(taking_back, 24, _GOING_ON, rolls=True),
}
HANDFUL = 30  # scenarios in one process: functions and edges of a cloud live as long
RACES = 20
KILLS = 10
ALL_KILLS = 200

T = TypeVar("T")

Scenario = tuple[str, Point, Then]


@dataclass(frozen=True, slots=True)
class Found:
    """`points` were tried; `caught` says of each saboteur how, empty if it got away."""

    points: int = 0
    troubles: tuple[Trouble, ...] = ()
    caught: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Crashes:
    """Scenarios of one experiment upon one cloud."""

    scenarios: tuple[Scenario, ...]

    def play(self, folder: Path) -> Found:
        kind = Rolling if EXPERIMENTS[self.scenarios[0][0]].rolls else Bench
        troubles: list[Trouble] = []
        with Cloud(speed=50.0) as cloud:
            bench = kind(cloud, folder)
            bench.measure()
            for each in self.scenarios:
                troubles += tried(bench, each)
            bench.close()
        return Found(len(self.scenarios), tuple(troubles))


@dataclass(frozen=True, slots=True)
class Races:
    """Some of the races, by their place in the list of all."""

    places: tuple[int, ...]

    def play(self, folder: Path) -> Found:
        every = list(races.points())
        troubles: list[Trouble] = []
        with a_lab(folder) as lab:
            for name, play in (every[place] for place in self.places):
                troubles += [Trouble("mixed", what, name) for what in play(lab)]
        return Found(len(self.places), tuple(troubles))


@dataclass(frozen=True, slots=True)
class Kills:
    """Real processes, killed by seed."""

    seeds: tuple[int, ...]

    def play(self, folder: Path) -> Found:
        troubles: list[Trouble] = []
        with Cloud(speed=SPEED) as cloud:
            site = Killed(folder, cloud)
            site.bootstrap()
            for seed in self.seeds:
                where = f"killed, seed {seed}"
                troubles += [Trouble(each.kind, each.what, where) for each in kill(site, seed)]
        return Found(len(self.seeds), tuple(troubles))


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One spoiled engine."""

    name: str

    def play(self, folder: Path) -> Found:
        raced = {each.name: each for each in races.SABOTEURS}
        if self.name in raced:
            return Found(caught=((self.name, raced[self.name].caught()),))
        spoiled = next(each for each in saboteurs.SABOTEURS if each.name == self.name)
        with Cloud(speed=50.0) as cloud:
            return Found(caught=((self.name, spoiled.caught(cloud, folder)),))


Job = Crashes | Races | Kills | Sabotage


def played(job: Job) -> Found:
    """What it found, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        return job.play(Path(folder))


def tried(bench: Bench, scenario: Scenario) -> list[Trouble]:
    """The troubles of one; the site is made anew after any."""
    name, point, then = scenario
    where = f"{name}, {point}, then {then}"
    try:
        found = list(EXPERIMENTS[name].experiment(bench, point, then))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
        found = [Trouble("loss", f"{type(error).__name__}: {error}")]
    if found:
        bench.close()
    return [Trouble(each.kind, each.what, where) for each in found]


def scenarios(name: str) -> Iterator[Scenario]:
    """All of one experiment."""
    hunted = EXPERIMENTS[name]
    for call in range(1, hunted.calls + 1):
        for after in (False, True):
            for then in hunted.thens:
                yield name, Point(call, after), then


def jobs(chosen: Sequence[str], *, seed: int, each: int) -> list[Job]:
    """Shuffled, so that a hunt cut short has seen a bit of everything.

    `each` is at most so many scenarios of an experiment, 0 is all.
    """
    chance = random.Random(seed)
    hunts: list[Job] = []
    for name in chosen:
        drawn = _drawn(list(scenarios(name)), chance, each)
        hunts += [Crashes(some) for some in _parted(drawn, HANDFUL)]
    places = _drawn(list(range(len(list(races.points())))), chance, each)
    hunts += [Races(some) for some in _parted(places, RACES)]
    hunts += [Kills(some) for some in _parted(_drawn(list(range(ALL_KILLS)), chance, each), KILLS)]
    planted = (*saboteurs.SABOTEURS, *races.SABOTEURS)
    hunts += [Sabotage(each.name) for each in planted]
    chance.shuffle(hunts)
    return hunts


def _drawn(every: list[T], chance: random.Random, most: int) -> list[T]:
    chance.shuffle(every)
    return every[:most] if most else every


def _parted(drawn: list[T], size: int) -> list[tuple[T, ...]]:
    return [tuple(drawn[at : at + size]) for at in range(0, len(drawn), size)]
