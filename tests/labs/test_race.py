"""Two promotions at once: whoever is parked, killed or robbed of an answer, the newer commit wins.

A sample; `python -m tests.labs.races` plays every call. Each lab must catch an engine that was sabotaged for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner import turn
from runner.aws import leases
from runner.aws.leases import Lease
from tests.labs import race
from tests.labs.race import Lab, a_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with a_lab(tmp_path_factory.mktemp("race")) as made:
        yield made


@pytest.mark.parametrize("at", [1, 3, 5, 6])
def test_an_older_run_that_wakes_late_overwrites_nothing(lab: Lab, at: int) -> None:
    assert race.parked(lab, at=at, after=False) == []


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
