"""A sample of the hunt: runs of deploy die at any call, and nothing is mixed, lost or left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from runner.local.cloud import Cloud
from tests.labs.crash import Point
from tests.labs.experiments import Bench, Then
from tests.labs.hunt import hunt

SEED = 5
THENS = tuple(Then)
TRIED = {"first": 1, "update": 3, "page": 2}  # scenarios; `make hunt` tries all
CALLS = {"first": 135, "update": 40, "page": 28}  # of a run that does not die


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
    drawn = [
        (name, Point(chance.randint(1, CALLS[name]), chance.random() < 0.5), chance.choice(THENS))
        for _ in range(TRIED[name])
    ]
    assert hunt(bench, drawn).troubles == []
