"""A sample of the hunt: runs die at any call, and nothing is mixed, lost or left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from tests.labs.crash import Point
from tests.labs.experiments import Bench, Then
from tests.labs.hunt import CALLS, tried
from tests.labs.saboteurs import SABOTEURS, UndoesBlindly

SEED = 5
THENS = (Then.AGAIN, Then.NEWER, Then.BACK)
# Scenarios; `make hunt` tries all, and the saboteurs.
TRIED = {
    "first": 1,
    "update": 1,
    "page": 1,
    "twice": 1,
    "lost": 1,
    "parked": 1,
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Cloud(speed=50.0) as cloud:
        made = Bench(cloud, tmp_path_factory.mktemp("crash"))
        made.measure()
        yield made
        made.close()


@pytest.mark.parametrize("name", TRIED)
def test_a_run_that_died_leaves_nothing_mixed_lost_or_unexplained(bench: Bench, name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    for _ in range(TRIED[name]):
        point = Point(chance.randint(1, CALLS[name] - 8), chance.random() < 0.5)
        assert tried(bench, (name, point, chance.choice(THENS))) == []


def test_an_engine_that_undoes_blindly_is_caught(tmp_path: Path, bench: Bench) -> None:
    spoiled = next(each for each in SABOTEURS if each.engine is UndoesBlindly)
    assert spoiled.caught(bench.cloud, tmp_path)
