"""Rows 1 to 4: whose turn it is, and what a run does that finds another one's traces."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from runner.aws.holders import LASTS, SKEW
from runner.aws.leases import Lease
from runner.model import Origin
from tests.failures.scene import Scene
from tests.labs.site import LATER

HOLDER = "https://github.example/octo/site/actions/runs/900"


@pytest.fixture
def other(scene: Scene) -> Iterator[Lease]:
    """Another run's lease, not taken yet."""
    lease = Lease(
        scene.site.aws,
        scene.site.names,
        owner=secrets.token_hex(8),
        run=HOLDER,
        origin=Origin(),
    )
    yield lease
    lease.release()


def test_1_a_run_that_waits_in_vain_names_the_holders_run_and_changes_nothing(
    scene: Scene, other: Lease
) -> None:
    scene.settled()
    before, commit = scene.kept(), scene.commit()
    other.take(say=str)
    scene.meanwhile = other.renew  # its heart beats
    ended = scene.deploy(commit)
    scene.meanwhile = None
    assert (ended.code, ended.status) == ("JAM-BUSY", 75)
    assert HOLDER in ended.message
    assert f"{LASTS + SKEW:.0f} s" in ended.hint
    assert any(f"waiting for {HOLDER}" in note for note in ended.notes)
    assert scene.kept() == before
    other.release()
    assert scene.deploy(commit.again).outcome == "live"


def test_2_a_run_that_was_taken_for_dead_stops_and_undoes_nothing(
    scene: Scene, other: Lease
) -> None:
    scene.settled()
    before, commit = scene.kept(), scene.commit()

    def sleeps() -> None:
        scene.site.sleep(LATER)
        other.take(say=str)

    scene.at("GetAlias", sleeps, skip=1)  # under the lease; the first is before it
    ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-LEASE-LOST", 75)
    assert HOLDER in ended.message
    assert "jam-deploy status" in ended.hint
    assert scene.lease() == "held"  # by the other
    after = scene.kept()
    assert (after.release, after.seen) == (before.release, before.seen)
    other.release()
    again = scene.deploy(commit.again)
    assert again.outcome == "live", again


def test_3_an_older_run_changes_nothing_and_says_which_came_first(scene: Scene) -> None:
    older, newer = scene.commit(), scene.commit()
    scene.site.sleep(LATER)
    assert scene.deploy(newer).outcome == "live"
    before = scene.kept()
    ended = scene.deploy(older)
    assert (ended.status, ended.outcome, ended.code) == (0, "superseded", "")
    assert any("SUPERSEDED" in note and f"run {newer.number}" in note for note in ended.notes)
    assert (scene.kept(), scene.lease()) == (before, "free")


def test_4_what_a_dead_run_left_is_told_and_set_again(scene: Scene) -> None:
    scene.settled()
    before, died = scene.kept(), scene.commit()
    scene.kill("UpdateKeys", skip=1)
    assert scene.deploy(died).code == "killed"
    after = scene.kept()
    assert (after.release, after.seen, scene.lease()) == (before.release, before.seen, "held")
    newer = scene.commit()
    ended = scene.deploy(newer)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert any("ended in the middle" in note for note in ended.notes)
    assert scene.site.visit().document == newer.page
    assert scene.lease() == "free"
