"""A sample of the hunt: runs die at any call, and nothing is mixed, lost or left behind.

The site's first deploy and the next one, which nothing befalls, say at which points.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from tests.labs import points
from tests.labs.crash import UPLOAD, Crash, Point, Wire
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
    bench.struck, bench.asked = bench.first if name == "first" else bench.next
    always = [each for each in hunted.points(bench) if each.after]  # others depend on threads
    scenario = (name, chance.choice(always), chance.choice(hunted.thens))
    assert tried(bench, scenario) == []


def test_an_engine_that_undoes_blindly_is_caught(tmp_path: Path, bench: Bench) -> None:
    spoiled = next(each for each in SABOTEURS if each.engine is UndoesBlindly)
    assert spoiled.caught(bench.cloud, tmp_path)


def test_a_run_dies_before_its_first_write_and_after_each_that_the_cloud_heard(
    bench: Bench,
) -> None:
    for wire, asked in (bench.first, bench.next):
        heard = Counter(each.operation for each in asked if each.write)
        its = points.crashes(wire.log)
        after = Counter(each.operation for each in its if each.after)
        sent = Counter(each.operation for each in its if not each.after and not each.overtaken)
        by_crt = heard["PutObject"] + heard["CopyObject"] - after["PutObject"]
        after |= {UPLOAD: sent[UPLOAD]}
        heard |= {UPLOAD: by_crt}
        del heard["CopyObject"]
        heard["PutObject"] = after["PutObject"]
        assert after == heard
        first = next(each for each in wire.log if each.writes)
        assert Point(1, False, first.operation) in its


def test_of_two_writes_under_way_at_once_either_may_be_the_only_one() -> None:
    wire = Wire()
    wire.sends("GetRole")
    wire.heard("GetRole")
    wire.sends("CreateRole")
    _elsewhere(lambda: wire.sends("CreateBucket"))
    wire.heard("CreateRole")
    wire.sends("PutObject")
    assert set(map(str, points.crashes(wire.log))) == {
        "before CreateRole 1", "after CreateRole 1", "overtaken at CreateRole 1",
        "before CreateBucket 1", "after CreateBucket 1", "overtaken at CreateBucket 1",
        "after PutObject 1", "before PutObject 1", "overtaken at PutObject 1",
    }  # fmt: skip


def test_a_run_dies_after_a_call_though_its_fence_looked_in_between() -> None:
    wire = Wire(Point(1, after=True, operation="EnableRule"))
    wire.sends("EnableRule")
    wire.sends("GetItem")
    wire.heard("GetItem")
    with pytest.raises(Crash):
        wire.heard("EnableRule")


def _elsewhere(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
