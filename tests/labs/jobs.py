"""What a hunt consists of: jobs, each for a process of its own, and what one of them found."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from runner.local.cloud import Cloud
from tests.labs import points, races, saboteurs
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
from tests.labs.upkeep import collecting, full, full_parked, incomplete, sweeping

_GOING_ON = (Then.AGAIN, Then.NEWER, Then.BACK)
_ALL = tuple(Then)


Points = tuple[Point, ...]


def _crashes(bench: Bench) -> Points:
    return points.crashes(bench.struck.log)


def _pauses(bench: Bench) -> Points:
    return points.pauses(bench.struck.log)


def _drops(bench: Bench) -> Points:
    """Those of the operations by which something old goes; the others are struck elsewhere."""
    return tuple(each for each in _crashes(bench) if each.operation in DROPS)


def _dropping(bench: Bench) -> Points:
    return tuple(each for each in _pauses(bench) if each.operation in DROPS)


def _losses(bench: Bench) -> Points:
    return points.losses(bench.asked)


def _refusals(bench: Bench) -> Points:
    return points.refusals(bench.asked)


def _times(count: int) -> Callable[[Bench], Points]:
    """What depends on chance, or on the point's number alone."""
    return lambda _bench: tuple(Point(each) for each in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Hunted:
    """An experiment, the points of a run that nothing befell, and what may follow."""

    experiment: Experiment
    points: Callable[[Bench], Points]
    thens: tuple[Then, ...]
    rolls: bool = False

    @property
    def strikes(self) -> bool:
        """Whether a point that no run came by has to be told: nothing was tried there."""
        return self.points in (_crashes, _pauses, _drops, _dropping)


EXPERIMENTS: dict[str, Hunted] = {
    "first": Hunted(first_deploy, _crashes, (Then.AGAIN, Then.NEWER, Then.DESTROY)),
    "update": Hunted(update, _crashes, _ALL),
    "page": Hunted(update_page, _crashes, _ALL),
    "code": Hunted(update_code, _crashes, _ALL),
    "twice": Hunted(twice, _crashes, _GOING_ON),
    "lost": Hunted(lost, _losses, (Then.AGAIN,)),
    "lost first": Hunted(lost_first, _losses, (Then.AGAIN,)),
    "crowded": Hunted(crowded, _refusals, (Then.AGAIN,)),
    "crowded first": Hunted(crowded_first, _refusals, (Then.AGAIN,)),
    "stormy": Hunted(stormy, _times(20), (Then.AGAIN, Then.NEWER)),
    "stormy first": Hunted(stormy_first, _times(20), (Then.AGAIN,)),
    "stormy opening": Hunted(opening_in_storm, _times(20), (Then.AGAIN,), rolls=True),
    "parked": Hunted(parked, _pauses, (Then.NEWER,)),
    "meddled": Hunted(meddled, _pauses, (Then.NEWER,)),
    "full": Hunted(full, _drops, _ALL),
    "full parked": Hunted(full_parked, _dropping, (Then.NEWER,)),
    "returning": Hunted(returning, _crashes, _ALL),
    "incomplete": Hunted(incomplete, _times(2), (Then.BACK,)),
    "collecting": Hunted(collecting, _crashes, _ALL),
    "sweeping": Hunted(sweeping, _crashes, _ALL),
    "destroying": Hunted(destroying, _crashes, (Then.DESTROY, Then.NEWER)),
    "opening": Hunted(opening, _crashes, _GOING_ON, rolls=True),
    "reopening": Hunted(reopening, _crashes, (Then.AGAIN,), rolls=True),
    "promoting": Hunted(promoting, _crashes, _GOING_ON, rolls=True),
    "taking back": Hunted(taking_back, _crashes, _GOING_ON, rolls=True),
}
DROPS = frozenset({"UpdateKeys", "TransactWriteItems", "DeleteStage", "DeleteDeployment"})
NOWHERE = Point(0, operation="nothing")  # a run with this point goes through
HANDFUL = 30  # scenarios in one process: functions and edges of a cloud live as long
TRIES = 3  # until a run comes by its point: threads may ask once where they asked twice before
MEASURED = 2  # runs: which calls are under way together is their threads' chance
RACES = 20
KILLS = 10
ALL_KILLS = 200

T = TypeVar("T")

Scenario = tuple[str, Point, Then]


@dataclass(frozen=True, slots=True)
class Found:
    """`points` were tried; no run came by those `missed`: it calls otherwise than it was measured.

    `caught` says of each saboteur how, empty if it got away.
    """

    points: int = 0
    missed: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    caught: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Crashes:
    """Scenarios of one experiment upon one cloud."""

    scenarios: tuple[Scenario, ...]

    @property
    def size(self) -> int:
        return len(self.scenarios)

    def play(self, folder: Path) -> Found:
        kind = Rolling if EXPERIMENTS[self.scenarios[0][0]].rolls else Bench
        troubles: list[Trouble] = []
        missed: list[str] = []
        with Cloud(speed=50.0) as cloud:
            bench = kind(cloud, folder)
            bench.measure()
            for each in self.scenarios:
                for _ in range(TRIES):
                    troubles += tried(bench, each)
                    if not EXPERIMENTS[each[0]].strikes or bench.struck.struck:
                        break
                    bench.close()  # some calls are of a site's first run, or first rollout, alone
                else:
                    missed.append(where(each))
            bench.close()
        return Found(len(self.scenarios), tuple(missed), tuple(troubles))


@dataclass(frozen=True, slots=True)
class Races:
    """Some of the races, by their place in the list of all."""

    places: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.places)

    def play(self, folder: Path) -> Found:
        every = list(races.points())
        troubles: list[Trouble] = []
        with a_lab(folder) as lab:
            for name, play in (every[place] for place in self.places):
                troubles += [Trouble("mixed", what, name) for what in play(lab)]
        return Found(len(self.places), troubles=tuple(troubles))


@dataclass(frozen=True, slots=True)
class Kills:
    """Real processes, killed by seed."""

    seeds: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.seeds)

    def play(self, folder: Path) -> Found:
        troubles: list[Trouble] = []
        with Cloud(speed=SPEED) as cloud:
            site = Killed(folder, cloud)
            site.bootstrap()
            for seed in self.seeds:
                where = f"killed, seed {seed}"
                troubles += [Trouble(each.kind, each.what, where) for each in kill(site, seed)]
        return Found(len(self.seeds), troubles=tuple(troubles))


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One spoiled engine."""

    name: str

    size = 0  # it is no point of the real engine

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
    try:
        found = list(EXPERIMENTS[name].experiment(bench, point, then))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
        found = [Trouble("loss", f"{type(error).__name__}: {error}")]
    if found:
        bench.close()
    return [Trouble(each.kind, each.what, where(scenario)) for each in found]


def where(scenario: Scenario) -> str:
    name, point, then = scenario
    return f"{name}, {point}, then {then}"


def measured(name: str, cloud: Cloud, folder: Path) -> tuple[Points, list[Trouble]]:
    """The points of an experiment, by runs of it that nothing befalls; and their troubles."""
    hunted = EXPERIMENTS[name]
    its: list[Point] = []
    troubles: list[Trouble] = []
    for _ in range(MEASURED):
        bench = (Rolling if hunted.rolls else Bench)(cloud, folder)
        troubles += tried(bench, (name, NOWHERE, hunted.thens[0]))
        bench.close()
        its += hunted.points(bench)
    return tuple(dict.fromkeys(its)), troubles


def scenarios(name: str, its: Points) -> Iterator[Scenario]:
    """All of one experiment."""
    return ((name, point, then) for point in its for then in EXPERIMENTS[name].thens)


def jobs(chosen: Mapping[str, Points], *, seed: int, each: int) -> list[Job]:
    """Shuffled, so that a hunt cut short has seen a bit of everything.

    `each` is at most so many scenarios of an experiment, 0 is all.
    """
    chance = random.Random(seed)
    hunts: list[Job] = []
    for name, its in chosen.items():
        drawn = _drawn(list(scenarios(name, its)), chance, each)
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
