"""A sample of the hunt: runs die at any call, and nothing is mixed, lost or left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from tests.labs.crash import Point
from tests.labs.experiments import Bench, Then
from tests.labs.jobs import EXPERIMENTS, tried
from tests.labs.saboteurs import SABOTEURS, UndoesBlindly

SEED = 5
# One scenario of each, last that of a new site; `make hunt` tries all, and the other saboteurs.
SAMPLE = ("update", "twice", "lost", "parked", "first")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Cloud(speed=50.0) as cloud:
        made = Bench(cloud, tmp_path_factory.mktemp("crash"))
        made.measure()
        yield made
        made.close()


def test_a_run_that_sleeps_over_its_api_stage_makes_none_of_a_newer_runs_routes(
    bench: Bench,
) -> None:
    assert tried(bench, ("parked", Point(1, True, "ReimportApi"), Then.NEWER)) == []


@pytest.mark.parametrize("name", SAMPLE)
def test_a_run_that_died_leaves_nothing_mixed_lost_or_unexplained(bench: Bench, name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    hunted = EXPERIMENTS[name]
    point = Point(chance.randint(1, hunted.calls - 8), chance.random() < 0.5)
    assert tried(bench, (name, point, chance.choice(hunted.thens))) == []


def test_an_engine_that_undoes_blindly_is_caught(tmp_path: Path, bench: Bench) -> None:
    spoiled = next(each for each in SABOTEURS if each.engine is UndoesBlindly)
    assert spoiled.caught(bench.cloud, tmp_path)
