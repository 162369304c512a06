"""Two promotions at once: whoever is parked, killed or robbed of an answer, the newer commit wins.

A sample; `make hunt` plays every call.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.aws.holders import key_of
from runner.names import Names
from tests.labs import crossed
from tests.labs.race import Lab, Run, a_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with a_lab(tmp_path_factory.mktemp("race")) as made:
        yield made


@pytest.mark.parametrize("at", [2, 4])  # before alias and store are read, each then written
def test_an_older_run_that_wakes_late_overwrites_nothing(lab: Lab, at: int) -> None:
    assert crossed.parked(lab, at=at, after=False) == []


def test_an_older_run_that_is_replaced_while_it_looks_says_so(lab: Lab) -> None:
    assert crossed.parked(lab, at=6, after=True) == []


def test_a_newer_run_is_last_though_an_older_one_comes_while_it_sleeps(lab: Lab) -> None:
    assert crossed.overtaken(lab, at=1, after=True) == []
    assert crossed.overtaken(lab, at=5, after=True) == []


def test_the_next_run_goes_on_where_a_dead_one_stopped(lab: Lab) -> None:
    assert crossed.killed(lab, at=5, after=True) == []


def test_a_dead_newer_run_is_not_replaced_by_an_older_one(lab: Lab) -> None:
    assert crossed.killed_newer(lab, at=5, after=True) == []


@pytest.mark.parametrize(("service", "operation", "skip"), crossed.ANSWERS)
def test_an_answer_that_is_lost_costs_nothing(
    lab: Lab, service: str, operation: str, skip: int
) -> None:
    assert crossed.lost(lab, service=service, operation=operation, skip=skip) == []


def test_a_run_that_lives_is_waited_for_and_named(lab: Lab) -> None:
    number = lab.begin()
    aws = lab.aws(Run(number=number, page=""))
    now = int(lab.time.now())
    held = {"owner": "somebody", "run": "https://github.example/runs/9", "origin": "{}"}
    numbers = {"token": 900, "since": now - 30, "expires": now + 5_000}
    item = {name: {"S": value} for name, value in held.items()}
    item |= {name: {"N": str(value)} for name, value in numbers.items()}
    aws.records.put_item(TableName="jam-race", Item={**key_of(Names("race", "", "")), **item})
    run = Run(number=number + 1, page="newer")
    assert lab.race(run) == "JAM-BUSY"
    assert run.watcher.notes[0].startswith("waiting for https://github.example/runs/9")
    assert len(run.watcher.notes) > 10
    lab.time.pass_by(5_000)
    again = Run(number=number + 1, page="newer")
    assert lab.race(again) == "live"
    assert lab.state() == ("newer",) * 3


def test_a_deploy_costs_at_most_twelve_writes_of_records_and_a_no_op_none(lab: Lab) -> None:
    number = lab.begin()
    before = lab.cloud.journal.last
    assert lab.race(Run(number=number + 1, page=f"fresh-{number}")) == "live"
    written = [entry.name for entry in lab.cloud.journal.writes(since=before)]
    assert len([name for name in written if name.startswith("dynamodb:")]) <= 12
    before = lab.cloud.journal.last
    assert lab.race(Run(number=number + 1, page=f"fresh-{number}")) == "unchanged"
    assert [entry.name for entry in lab.cloud.journal.writes(since=before)] == []
