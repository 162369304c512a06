"""When a deploy asks for its lease: as soon as it is sure that something will change."""

from __future__ import annotations

import pytest

from runner.asked import is_free, is_sure
from runner.aws.holders import Holder
from runner.aws.looks_at_live import Early
from runner.aws.written import Environment
from runner.model import Origin
from runner.plan.live import Hold

MINE = "mine"


def holder(owner: str, *, token: int = 8) -> Holder:
    return Holder(owner=owner, run="r", token=token, since=0, expires=0, origin=Origin())


def test_another_release_is_live_and_nobody_is_at_it() -> None:
    assert is_sure(Environment(release="old", turns=7), release="new")


@pytest.mark.parametrize(
    "there",
    [
        Environment(),
        Environment(release="new"),
        Environment(release="old", rollout="candidate"),
        Environment(release="old", holder=holder("theirs")),
        Environment(release="old", hold=Hold(by="", why="", at=0)),
    ],
    ids=["nothing is live", "it is live", "a rollout is open", "another run is at it", "held"],
)
def test_where_that_may_be_not_so_it_looks_first(there: Environment) -> None:
    assert not is_sure(there, release="new")


def test_what_its_own_lease_changes_in_the_record_is_nobody_elses_turn() -> None:
    early = Early(owner=MINE)
    ours = early.without_us(Environment(release="old", turns=8, holder=holder(MINE)))
    theirs = early.without_us(Environment(release="old", turns=8, holder=holder("theirs")))
    assert (ours.turns, is_free(ours)) == (7, True)
    assert (theirs.turns, is_free(theirs)) == (8, False)
