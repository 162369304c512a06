"""Orders of two runs of one pull request: those that a person thought of; `make hunt` plays all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from tests.labs.opened import CLOSED, CROSSED, OPENED, REOPENED, Event, commit
from tests.labs.orders import LOT, Call, Lots, Order, OrderedSite, Touch, chosen

FIRST = Event(1, push=True)
DELETES = ("DeleteFunction", "DeleteStage", "DeleteObjects")


@pytest.fixture
def lots(tmp_path: Path) -> Iterator[Lots]:
    with Cloud(speed=50.0) as cloud:
        site = OrderedSite.in_new_account(cloud, tmp_path)
        commit(site, FIRST)
        site.preview(99, run=1)  # what previews share is there
        yield Lots(site)
        site.end()


def test_a_closing_that_slept_before_it_deletes_takes_nothing_of_a_reopened_preview(
    lots: Lots,
) -> None:
    orders = [
        Order(first=CLOSED, second=REOPENED, at=Call(each, 1, ()), dies=False, was_open=True)
        for each in DELETES
    ]
    assert lots.play(orders) == {}
    assert lots.missed == []


def test_a_push_that_slept_before_it_led_the_api_leaves_a_newer_one_its_functions(
    lots: Lots,
) -> None:
    orders = [
        Order(first=OPENED, second=REOPENED, at=Call(each, 1, ()), dies=False, was_open=True)
        for each in ("DescribeKeyValueStore", "UpdateStage")
    ]
    assert lots.play(orders) == {}
    assert lots.missed == []


def call(number: int, *touches: Touch) -> Call:
    return Call("Call", number, touches)


def test_of_places_that_differ_by_calls_on_other_things_one_is_played() -> None:
    theirs = {Touch("table/lease", writes=True), Touch("table/live", writes=False)}
    calls = [
        call(1, Touch("table/lease", writes=False)),
        call(2, Touch("bucket/page", writes=False)),
        call(3, Touch("table/live", writes=False)),
        call(4, Touch("table/", writes=True)),
        call(5, Touch("bucket/page", writes=True)),
        call(6, Touch("bucket/page", writes=False)),
    ]
    told = [(each.number, dies) for each, dies in chosen(calls, theirs)]
    assert told == [(1, False), (1, True), (2, False), (5, False), (5, True), (6, True)]


@pytest.mark.hunt
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("pair", CROSSED, ids=[f"{one}, {two}" for one, two in CROSSED])
def test_every_order(lots: Lots, pair: tuple[Event, Event]) -> None:
    troubles: dict[str, list[str]] = {}
    orders = list(lots.orders((pair,)))
    for start in range(0, len(orders), LOT):
        troubles |= lots.play(orders[start : start + LOT])
    assert troubles == {}
