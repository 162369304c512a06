"""Runs of one pull request that cross: a sample; tests/labs/orders.py plays all that differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from tests.labs.opened import (
    CLOSED,
    OPENED,
    REOPENED,
    Event,
    Interleaving,
    commit,
    displaced,
    play,
)
from tests.previews_site import PreviewedSite

FIRST = Event(1, push=True)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


def a_site(cloud: Cloud, folder: Path) -> PreviewedSite:
    site = PreviewedSite.in_new_account(cloud, folder)
    commit(site, FIRST)
    site.preview(99, run=1)  # what previews share is there
    return site


@pytest.mark.parametrize(
    "wanted",
    [
        Interleaving(first=OPENED, second=CLOSED, call=3),
        Interleaving(first=OPENED, second=CLOSED, call=30),
        Interleaving(first=OPENED, second=REOPENED, call=15),  # both publish versions
        Interleaving(first=REOPENED, second=CLOSED, call=37),  # and make a deployment twice
        Interleaving(first=CLOSED, second=OPENED, call=3),
        Interleaving(first=CLOSED, second=REOPENED, call=12, was_open=True),
        Interleaving(first=OPENED, second=CLOSED, call=40, dies=True),
    ],
    ids=str,
)
def test_what_is_left_is_what_the_newest_event_says(
    cloud: Cloud, tmp_path: Path, wanted: Interleaving
) -> None:
    site = a_site(cloud, tmp_path)
    assert play(site, wanted) == []
    site.end()


def test_a_closing_that_never_ran_is_made_up_by_gc(cloud: Cloud, tmp_path: Path) -> None:
    site = a_site(cloud, tmp_path)
    assert displaced(site, call=35) == []
    site.end()
