"""Going back on the embedded cloud: what has to be there, what moves, what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from runner.aws import api_room, files, keeper, keyvalues, records
from runner.aws.bootstrap import bootstrap
from runner.aws.holders import key_of
from runner.aws.leases import Lease
from runner.aws.session import connect
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.model import Origin, Release
from runner.names import ALIAS, Names
from runner.plan.refs import Made
from runner.rollback import Wish, rollback, way_back
from tests.aws_site import Deployer, a_release, an_account
from tests.labs.race import Silent

WISH = Wish(by="ada", run="a test")
LEASED = ["dynamodb:UpdateItem"] * 2  # taken and released


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as cloud:
        yield cloud


@pytest.fixture
def cloud(one_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    one_cloud.reset()
    return one_cloud


@pytest.fixture
def site(cloud: Cloud) -> Deployer:
    aws = an_account(cloud)
    bootstrap(aws, lambda _line: None)
    return Deployer(aws, Names("notes", aws.account, aws.region))


@pytest.fixture
def two(site: Deployer, tmp_path: Path) -> tuple[Release, Release]:
    """Two releases whose page and function differ; the second is live."""
    first, second = a_release(tmp_path), a_release(tmp_path, page="two", code="two")
    site.deploy(first)
    site.deploy(second)
    return first, second


class Listening(Silent):
    """Remembers notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def go_back(site: Deployer, wish: Wish = WISH, *, watcher: Silent | None = None) -> str:
    heard = watcher or Silent()
    outcome, _ = rollback(site.aws, site.names, wish, watcher=heard, clock=lambda: 0.0)
    return outcome.outcome


def ids(site: Deployer) -> tuple[str, str]:
    """The API and the store."""
    there = way_back(site.aws, site.names, WISH).there
    return there.ids[Made.API], there.ids[Made.STORE]


def answer_of(cloud: Cloud, site: Deployer, api_id: str, release: Release) -> str:
    """What the release's function says at its own api_stage, to the distribution's key."""
    stage, region = release.routing.api_stage, site.names.region
    key = keeper.key(site.aws, keyvalues.find(site.aws, site.names) or "")
    got = urllib3.request(
        "GET",
        f"{cloud.endpoint}/{stage}/.functions/notes/7",
        headers={"host": f"{api_id}.execute-api.{region}.amazonaws.com", "x-jam-key": key},
    )
    return got.data.decode()


def test_an_api_stage_that_was_dropped_is_made_again_by_seven_writes(
    cloud: Cloud, site: Deployer, two: tuple[Release, Release]
) -> None:
    first, _ = two
    api_id, store = ids(site)
    keyvalues.drop(site.aws, store, keys=[f"r/{first.id}"])
    api_room.drop_stage(site.aws, api_id, api_stage=first.routing.api_stage)
    before = cloud.journal.last
    assert go_back(site) == "live"
    assert answer_of(cloud, site, api_id, first) == "one"
    moved = [entry.name for entry in cloud.journal.writes(since=before)]
    pointers = [name for name in moved if "UpdateAlias" in name or "UpdateKeys" in name]
    assert len(pointers) == 3  # the alias, the routing, live
    assert keyvalues.live_release(site.aws, store) == first.id
    alias = site.aws.functions.get_alias(FunctionName=site.names.entry, Name=ALIAS)
    assert alias["FunctionVersion"] == "1"
    assert site.plan(first).is_empty


def test_going_back_twice_changes_nothing_more(
    cloud: Cloud, site: Deployer, two: tuple[Release, Release]
) -> None:
    first, second = two
    assert go_back(site) == "live"
    named = Wish(release=first.id[:6], hold=False, by="ada", run="a test")
    before = cloud.journal.last
    listening = Listening()
    assert go_back(site, named, watcher=listening) == "unchanged"
    assert "still held" in listening.notes[-1]
    assert [entry.name for entry in cloud.journal.writes(since=before)] == []
    assert go_back(site, Wish(release=second.id, run="a test")) == "live"


def test_what_only_a_build_can_make_again_is_named_and_nothing_moves(
    cloud: Cloud, site: Deployer, two: tuple[Release, Release]
) -> None:
    first, _ = two
    site.aws.functions.delete_function(FunctionName=site.names.entry, Qualifier="1")
    site.aws.s3.delete_object(
        Bucket=site.names.bucket, Key=f"production/releases/{first.id}/index.html"
    )
    before = cloud.journal.last
    with pytest.raises(JamError) as raised:
        go_back(site)
    assert (raised.value.code, raised.value.turn) == ("JAM-ROLLBACK-GONE", 3)
    told = str(raised.value)
    assert "version 1" in told
    assert "index.html" in told
    # The lease was taken beside the looks, and is free again.
    assert [entry.name for entry in cloud.journal.writes(since=before)] == LEASED
    there = records.read(site.aws, site.names, release="")
    assert there is not None
    assert there[0].holder is None


def test_a_release_without_its_manifest_cannot_go_live(
    site: Deployer, two: tuple[Release, Release]
) -> None:
    first, _ = two
    site.aws.s3.delete_object(
        Bucket=site.names.bucket, Key=files.manifest_key(first.id, site.names)
    )
    with pytest.raises(JamError, match="manifest"):
        way_back(site.aws, site.names, WISH)


def test_the_plan_says_what_visitors_will_find(
    site: Deployer, two: tuple[Release, Release]
) -> None:
    way = way_back(site.aws, site.names, WISH)
    assert "changed: index.html" in way.changes
    assert "changed functions: notes/[id]" in way.changes


def test_what_gc_took_while_the_lease_was_waited_for_is_named_and_nothing_moves(
    cloud: Cloud, site: Deployer, two: tuple[Release, Release]
) -> None:
    first, _ = two
    aws, names = site.aws, site.names

    def others(_seconds: float) -> None:
        """Another run ends while this one waits, and the release is gone with it."""
        aws.s3.delete_object(Bucket=names.bucket, Key=files.manifest_key(first.id, names))
        aws.records.delete_item(TableName=names.records, Key=key_of(names))

    waiting = connect(
        region=aws.region,
        endpoint=cloud.endpoint,
        clock=aws.clock,
        sleep=others,
        chance=lambda: 0.5,
    )
    other = Lease(aws, names, owner="other", run="another run", origin=Origin())
    other.take(say=str)
    before = cloud.journal.last
    with pytest.raises(JamError) as raised:
        rollback(waiting, names, WISH, watcher=Silent(), clock=lambda: 0.0)
    assert raised.value.code == "JAM-ROLLBACK-GONE"
    moved = {entry.name for entry in cloud.journal.writes(since=before)}
    assert not {name for name in moved if "UpdateAlias" in name or "UpdateKeys" in name}
