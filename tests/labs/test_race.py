"""Two promotions at once: whoever is parked, killed or robbed of an answer, the newer commit wins.

A sample; `python -m tests.labs.races` plays every call. Each lab must catch a sabotaged engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner import turn
from runner.aws import leases
from runner.aws.leases import Lease
from runner.names import Names
from tests.labs import race
from tests.labs.race import Lab, Run, a_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with a_lab(tmp_path_factory.mktemp("race")) as made:
        yield made


@pytest.mark.parametrize("at", [1, 3, 5, 6])
def test_an_older_run_that_wakes_late_overwrites_nothing(lab: Lab, at: int) -> None:
    assert race.parked(lab, at=at, after=False) == []


def test_an_older_run_that_is_replaced_while_it_looks_says_so(lab: Lab) -> None:
    assert race.parked(lab, at=6, after=True) == []


def test_a_newer_run_is_last_though_an_older_one_comes_while_it_sleeps(lab: Lab) -> None:
    assert race.overtaken(lab, at=1, after=True) == []
    assert race.overtaken(lab, at=5, after=True) == []


def test_the_next_run_goes_on_where_a_dead_one_stopped(lab: Lab) -> None:
    assert race.killed(lab, at=5, after=True) == []


def test_a_dead_newer_run_is_not_replaced_by_an_older_one(lab: Lab) -> None:
    assert race.killed_newer(lab, at=5, after=True) == []


@pytest.mark.parametrize(("service", "operation", "skip"), race.ANSWERS)
def test_an_answer_that_is_lost_costs_nothing(
    lab: Lab, service: str, operation: str, skip: int
) -> None:
    assert race.lost(lab, service=service, operation=operation, skip=skip) == []


def test_an_engine_without_a_fence_is_caught(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "check", lambda _self: None)  # sabotage, not a double
    assert race.parked(lab, at=3, after=False)


def test_an_engine_whose_lease_never_ends_is_caught(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LASTS", 1e6)
    found = race.killed(lab, at=3, after=False)
    lab.time.pass_by(2e6)
    assert "the next run ended as JAM-BUSY" in found


def test_an_engine_that_knows_no_order_is_caught(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "is_older", lambda *_args, **_named: False)
    assert race.overtaken(lab, at=6, after=True)


def test_a_run_that_lives_is_waited_for_and_named(lab: Lab) -> None:
    number = lab.begin()
    aws = lab.aws(Run(number=number, page=""))
    now = int(lab.time.now())
    held = {"owner": "somebody", "run": "https://github.example/runs/9", "origin": "{}"}
    numbers = {"token": 900, "since": now - 30, "expires": now + 5_000}
    item = {name: {"S": value} for name, value in held.items()}
    item |= {name: {"N": str(value)} for name, value in numbers.items()}
    aws.records.put_item(
        TableName="jam-race", Item={**leases.key_of(Names("race", "", "")), **item}
    )
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
