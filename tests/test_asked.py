"""When a deploy asks for its lease: as soon as it is sure that something will change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.asked import asking, is_free, is_sure, recorded
from runner.aws.holders import Holder
from runner.aws.looks_at_live import Early
from runner.aws.written import Environment
from runner.deploy import release
from runner.local.cloud import Cloud
from runner.local.journal import Entry
from runner.model import Origin
from runner.plan.live import Hold
from runner.turn import leased
from runner.world import Way
from tests.labs.crash import Wire
from tests.labs.site import Commit, Seen, Site

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


def commit(number: int) -> Commit:
    return Commit(page=str(number), code=str(number), number=number)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Cloud(speed=50.0) as cloud:
        made = Site(cloud, tmp_path)
        assert made.deploy(commit(1), Wire()) == "live"
        yield made
        made.close()


def built(site: Site, mine: Commit, *, meanwhile: Callable[[], object]) -> str:
    """The outcome of a run whose build took so long that something happened `meanwhile`."""
    aws, world = site.account(Wire()), site.world(mine)
    before = recorded(aws, site.names)
    meanwhile()
    with asking(aws, site.names, world, before=before) as asked:
        decided = site.decided(mine, aws, way=Way(now=True), early=asked.early)
        return release(decided, world, asked=asked).outcome


def leases(entries: tuple[Entry, ...]) -> list[str]:
    """What became of production's lease, in order."""
    return [
        each.parameters["UpdateExpression"]
        for each in entries
        if each.operation == "UpdateItem" and each.parameters["Key"]["sk"] == {"S": "lease"}
    ]


def test_where_nothing_happened_meanwhile_the_record_from_before_the_build_will_do(
    site: Site,
) -> None:
    assert built(site, commit(2), meanwhile=bool) == "live"
    assert site.visit() == Seen("2", "2", "2")


def test_what_an_older_run_brought_meanwhile_is_what_the_next_is_planned_upon(site: Site) -> None:
    assert built(site, commit(3), meanwhile=lambda: site.deploy(commit(2), Wire())) == "live"
    assert site.visit() == Seen("3", "3", "3")
    assert recorded(site.aws, site.names).previous == site.release_of(commit(2)).id


def test_a_newer_run_that_came_meanwhile_is_not_replaced_and_the_lease_is_free_again(
    site: Site,
) -> None:
    newer = commit(3)
    assert built(site, commit(2), meanwhile=lambda: site.deploy(newer, Wire())) == "superseded"
    assert site.visit() == Seen("3", "3", "3")
    assert recorded(site.aws, site.names).holder is None


def test_what_is_live_already_takes_no_lease_even_if_it_is_so_since_a_moment_ago(
    site: Site,
) -> None:
    mine = commit(2)
    assert site.deploy(mine, Wire()) == "live"
    since = site.cloud.journal.last
    assert built(site, mine.again, meanwhile=bool) == "unchanged"
    assert leases(site.cloud.journal.entries(since=since)) == []
    assert built(site, commit(3), meanwhile=lambda: site.deploy(commit(3), Wire())) == "unchanged"
    assert recorded(site.aws, site.names).holder is None


def test_a_run_that_fails_over_its_plan_leaves_the_lease_free(site: Site) -> None:
    mine = commit(2)
    aws, world = site.account(Wire()), site.world(mine)

    def fails() -> None:
        with asking(aws, site.names, world, before=recorded(aws, site.names)) as asked:
            site.decided(mine, aws, way=Way(now=True), early=asked.early)
            assert recorded(site.aws, site.names).holder is not None
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert recorded(site.aws, site.names).holder is None
    assert site.deploy(mine, Wire()) == "live"


@pytest.mark.parametrize("others", [0, 1])
def test_whoever_had_the_lease_in_between_is_noticed_and_what_is_left_is_free(
    site: Site, others: int
) -> None:
    aws, names, world = site.account(Wire()), site.names, site.world(commit(2))
    before = recorded(aws, names)
    for _ in range(others):
        with leased(aws, names, run="theirs", say=print):
            pass
    with asking(aws, names, world, before=before) as asked:
        asked.early("new").tell(before)
        assert asked.take(since=before, say=print, room=lambda: None) == (not others)
        assert recorded(site.aws, names).holder is not None
        asked.leave()
        assert recorded(site.aws, names).holder is None
        assert asked.take(since=recorded(aws, names), say=print, room=lambda: None)
