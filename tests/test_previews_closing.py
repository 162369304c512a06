"""Previews' end: what accounts for them, what takes them away, and that nothing is left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.audit import audit
from runner.aws import pool_records, preview_records
from runner.aws.preview_records import Known
from runner.clearing import Cleared, Clearing, Nobody, Pulls, clear
from runner.closing import Closing
from runner.destroy import Doom, destroy
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.model import Origin
from runner.operate.previews import Previews, state
from runner.plan import overdue
from runner.plan.hosts import MOST, RESTS, SPARE, Host, numbers, rested, spare
from runner.plan.overdue import DAY, FORGOTTEN, is_forgotten, why_over
from runner.report.previews import previews_document, previews_text
from tests.aws_site import zipped
from tests.labs.crash import Crash, Point, Wire
from tests.previews_site import PreviewedSite

SETTINGS = """
[functions.hello]
tables = ["log:rw"]
[tables.log]
"""
HELLO = 'def handler(event, context):\n    return {"statusCode": 200, "body": "hello"}\n'


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture
def site(cloud: Cloud, tmp_path: Path) -> Iterator[PreviewedSite]:
    made = PreviewedSite.in_new_account(cloud, tmp_path, settings=SETTINGS)
    made.write("functions/hello.py", HELLO)
    yield made
    made.end()


@dataclass(frozen=True)
class Listed:
    """GitHub, as far as it is asked here."""

    open: frozenset[int]

    def open_numbers(self) -> frozenset[int] | None:
        return self.open

    def is_open(self, number: int) -> bool | None:
        return number in self.open


def unexplained(site: PreviewedSite) -> list[str]:
    found = audit(site.onlooker, site.names).unexplained
    return [f"{each.kind} {each.name}" for each in found]


def left_of(site: PreviewedSite, environment: str) -> list[str]:
    found = audit(site.onlooker, site.names).found
    return [
        f"{each.thing.kind} {each.thing.name}"
        for each in found
        if each.thing.environment == environment or each.by.startswith(f"preview {environment}")
    ]


def cleared(
    site: PreviewedSite, pulls: Pulls | None = None, *, expire: float = 30 * DAY, run: int = 0
) -> Cleared:
    origin = Origin(number=run, attempt=1, workflow="o/r/.github/workflows/deploy.yml")
    closing = Closing(run="gc", origin=origin if run else Origin(), say=str)
    wanted = Clearing(closing=closing, pulls=pulls or Nobody(), expire=expire)
    return clear(site.onlooker, site.names, wanted)


def later(site: PreviewedSite, seconds: float) -> None:
    """Nobody looks at alarms here; over a month each of them is judged 40,000 times."""
    if seconds > DAY:
        site.sleep(3_600)
        site.cloud.clock.timers.clear()
    site.sleep(seconds)


def without_functions(site: PreviewedSite) -> None:
    shutil.rmtree(site.folder / "functions")
    site.settings("")


# What accounts for what


def test_everything_of_previews_is_accounted_for_and_closing_leaves_nothing(
    site: PreviewedSite,
) -> None:
    site.deploy()
    site.preview(7, run=1)
    site.preview(8, run=2)
    site.write("public/index.html", "<p>second")
    url = site.preview(7, run=3).outcome.url
    assert unexplained(site) == []
    assert site.close(7, run=4).outcome == "removed"
    assert left_of(site, "pr-7") == []
    assert unexplained(site) == []
    assert site.visitor(url).visit("/").status == 404
    assert site.close(7, run=4).outcome == "removed"
    assert left_of(site, "pr-8") != []


def test_header_rules_that_a_closing_leaves_are_explained_until_gc_takes_them(
    site: PreviewedSite,
) -> None:
    without_functions(site)
    site.write("public/_headers", "/*\n  X-Frame-Options: DENY\n")
    site.preview(7, run=1)
    site.close(7, run=2)
    found = audit(site.onlooker, site.names).found
    left = [each for each in found if each.thing.name.startswith("h/")]
    assert [each.by for each in left] == ["header rules of previews that are closed"]
    cleared(site)
    assert not any(each.name.startswith("h/") for each in audit(site.onlooker, site.names).of_site)


def test_what_somebody_planted_is_named_and_stays(site: PreviewedSite) -> None:
    site.preview(7, run=1)
    aws, names = site.onlooker, site.names.previews
    mine = f"jam-{names.site}--pr-7--mine"
    role = f"arn:aws:iam::{names.account}:role/jam/{names.functions_role}"
    aws.functions.create_function(
        FunctionName=mine,
        Role=role,
        Runtime="nodejs22.x",
        Handler="index.handler",
        Code={"ZipFile": zipped("a.mjs", "")},
    )
    aws.records.create_table(
        TableName=mine,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.s3.put_object(Bucket=names.bucket, Key="previews/pr-7/holiday.jpg", Body=b"")
    store = aws.edge.describe_key_value_store(Name=names.store)["KeyValueStore"]["ARN"]
    etag = aws.values.describe_key_value_store(KvsARN=store)["ETag"]
    aws.values.update_keys(
        KvsARN=store, IfMatch=etag, Puts=[{"Key": "e/mine.example.com", "Value": "{}"}]
    )
    told = {f"function {mine}", f"table {mine}", "objects previews/pr-7/holiday.jpg"}
    key = "key of the key value store e/mine.example.com"
    assert set(unexplained(site)) == {*told, key}
    cleared(site)
    assert set(unexplained(site)) == told  # a key is the store's, which is ours


# Destroy


def test_destroy_takes_previews_too_twice_is_fine_and_nothing_is_left(site: PreviewedSite) -> None:
    site.deploy()
    for number in (7, 8):
        site.preview(number, run=number)
    doom = Doom(run="a test", tables=frozenset({"log"}))
    left, removed = destroy(site.onlooker, site.names, doom, say=str)
    assert f"table {site.names.previews.records}" in removed
    assert left.left == ()
    assert audit(site.onlooker, site.names).of_site == ()
    assert destroy(site.onlooker, site.names, doom, say=str)[1] == ()


def test_destroy_of_previews_leaves_production(site: PreviewedSite) -> None:
    url = site.deploy().url
    site.preview(7, run=7)
    destroy(site.onlooker, site.names, Doom(environment="previews", run="a test"), say=str)
    found = audit(site.onlooker, site.names)
    assert {each.environment for each in found.of_site} <= {"production", ""}
    assert found.unexplained == ()
    assert site.visitor(url).visit("/").status == 200
    later(site, 60)  # SQS keeps a deleted queue's name for so long
    shown = site.preview(7, run=8).outcome
    assert site.visitor(shown.url).visit("/").status == 401
    assert unexplained(site) == []


def test_destroy_of_one_preview_is_its_closing(site: PreviewedSite) -> None:
    without_functions(site)
    site.preview(7, run=1)
    site.preview(8, run=2)
    doom = Doom(environment="pr-7", run="a test")
    assert destroy(site.onlooker, site.names, doom, say=str)[1] == ("preview pr-7",)
    assert destroy(site.onlooker, site.names, doom, say=str)[1] == ()
    assert (left_of(site, "pr-7"), unexplained(site)) == ([], [])
    assert left_of(site, "pr-8") != []


def test_a_destroy_that_is_killed_again_and_again_ends_with_nothing_left(
    site: PreviewedSite,
) -> None:
    site.preview(7, run=1)
    site.preview(8, run=2)
    doom, deaths = Doom(run="a test"), 0
    while deaths < 40:
        wire = Wire(Point(200))
        try:
            destroy(site.account(wire), site.names, doom, say=str)
            break
        except Crash:
            deaths += 1
            later(site, 100)  # its leases run out
            found = audit(site.onlooker, site.names)
            assert [each.name for each in found.unexplained] == []
    assert deaths > 1
    assert audit(site.onlooker, site.names).of_site == ()


# gc


def test_gc_takes_what_is_closed_at_github_and_what_is_too_old(site: PreviewedSite) -> None:
    without_functions(site)
    for number in (7, 8, 9):
        site.preview(number, run=number)
    first = cleared(site, Listed(frozenset({8, 9})))
    assert [(each.number, why) for each, why in first.gone] == [(7, "pull request 7 is closed")]
    later(site, 10 * DAY)
    site.write("public/index.html", "<p>pushed")
    site.preview(9, run=20)
    second = cleared(site, Listed(frozenset({8, 9})), expire=5 * DAY)
    assert [each.number for each, _ in second.gone] == [8]
    assert [*left_of(site, "pr-7"), *left_of(site, "pr-8")] == []
    assert unexplained(site) == []
    assert site.visitor(site.preview(9, run=21).outcome.url).visit("/").status == 401


def test_without_github_age_alone_decides(site: PreviewedSite) -> None:
    without_functions(site)
    site.preview(7, run=7)
    assert cleared(site).gone == ()
    later(site, 31 * DAY)
    assert [each.number for each, _ in cleared(site).gone] == [7]


def test_a_preview_that_is_reopened_while_gc_waits_stays(site: PreviewedSite) -> None:
    without_functions(site)
    site.preview(7, run=7)

    class Reopened(Listed):
        def is_open(self, number: int) -> bool | None:  # the protocol's
            return True

    assert cleared(site, Reopened(frozenset())).gone == ()
    assert left_of(site, "pr-7") != []


def test_tombstones_are_forgotten_when_nobody_can_run_again(site: PreviewedSite) -> None:
    without_functions(site)
    site.preview(7, run=7)
    site.close(7, run=8)
    cleared(site)
    assert preview_records.known(site.onlooker, site.names.preview(7)) is not None
    later(site, FORGOTTEN + 1)
    cleared(site)
    assert preview_records.known(site.onlooker, site.names.preview(7)) is None


@pytest.mark.parametrize(
    "at", [90, 180, 230, *(pytest.param(at, marks=pytest.mark.hunt) for at in (150, 210))]
)
def test_gc_takes_what_a_killed_preview_left(site: PreviewedSite, at: int) -> None:
    with pytest.raises(Crash):
        site.preview(7, run=7, wire=Wire(Point(at)))
    later(site, 100)
    cleared(site, Listed(frozenset()))
    assert (left_of(site, "pr-7"), unexplained(site)) == ([], [])


# The pool


def test_a_host_rests_and_the_next_preview_may_have_it_after(site: PreviewedSite) -> None:
    without_functions(site)
    first = site.preview(7, run=1, private=False).outcome.url
    site.close(7, run=2)
    second = site.preview(8, run=3, private=False).outcome.url
    assert second != first
    later(site, RESTS)
    assert site.preview(9, run=4, private=False).outcome.url == first
    swept = site.visitor(first).visit("/")
    assert "storage" in swept.headers.get("clear-site-data", "")


def test_a_distribution_that_was_switched_off_or_deleted_by_hand_is_left_out(
    site: PreviewedSite,
) -> None:
    without_functions(site)
    site.preview(7, run=1)
    site.preview(8, run=2)
    aws, names = site.onlooker, site.names.previews
    there = pool_records.hosts(aws, names)
    site.close(8, run=3)
    later(site, RESTS)
    now = aws.edge.get_distribution_config(Id=there[1].distribution)
    off = {**now["DistributionConfig"], "Enabled": False}
    aws.edge.update_distribution(
        Id=there[1].distribution, IfMatch=now["ETag"], DistributionConfig=off
    )
    assert site.preview(9, run=4).outcome.url != f"https://{there[1].domain}"
    told = {each.thing.name: each.by for each in audit(aws, site.names).found}
    assert told[there[1].distribution] == "the pool of previews' hosts; disabled by hand"
    later(site, 600)
    tag = aws.edge.get_distribution_config(Id=there[1].distribution)["ETag"]
    aws.edge.delete_distribution(Id=there[1].distribution, IfMatch=tag)
    cleared(site)
    assert [each.member for each in pool_records.hosts(aws, names)] == [0, 2]


def test_a_preview_whose_host_was_switched_off_by_hand_gets_another_with_the_next_push(
    site: PreviewedSite,
) -> None:
    without_functions(site)
    site.preview(7, run=1)
    lost = site.preview(8, run=2, private=False).outcome.url
    aws, names = site.onlooker, site.names.previews
    (its,) = (each for each in pool_records.hosts(aws, names) if each.environment == "pr-8")
    now = aws.edge.get_distribution_config(Id=its.distribution)
    off = {**now["DistributionConfig"], "Enabled": False}
    aws.edge.update_distribution(Id=its.distribution, IfMatch=now["ETag"], DistributionConfig=off)
    cleared(site)
    again = site.preview(8, run=3, private=False).outcome
    assert (again.outcome, again.url != lost) == ("live", True)
    assert site.visitor(again.url).visit("/").status == 200
    assert unexplained(site) == []


def test_a_distribution_whose_run_was_killed_before_it_told_is_found_again(
    site: PreviewedSite,
) -> None:
    without_functions(site)
    site.preview(7, run=1)
    wire = Wire(Point(1, after=True, operation="CreateDistributionWithTags"))
    with pytest.raises(Crash):
        site.preview(8, run=2, wire=wire)
    later(site, 100)
    assert len(unexplained(site)) == 1
    site.preview(8, run=2)
    assert unexplained(site) == []
    made = pool_records.hosts(site.onlooker, site.names.previews)
    assert [each.member for each in made] == [0, 1]


def test_free_hosts_beyond_some_are_switched_off_and_later_deleted(site: PreviewedSite) -> None:
    without_functions(site)
    count = SPARE + 1
    for number in range(1, count + 1):
        site.preview(number, run=number)
    for number in range(1, count + 1):
        site.close(number, run=100 + number)
    later(site, RESTS)
    assert len([each for each in cleared(site).removed if "switched off" in each]) == 1
    assert unexplained(site) == []
    later(site, 1800)
    assert len([each for each in cleared(site).removed if "distribution" in each]) == 1
    assert len(pool_records.hosts(site.onlooker, site.names.previews)) == SPARE
    assert unexplained(site) == []


def test_the_twenty_first_is_told_when_a_host_is_free_again(site: PreviewedSite) -> None:
    without_functions(site)
    site.preview(7, run=1)
    aws, names = site.onlooker, site.names.previews
    for number in range(1, MOST):
        pool_records.claim(aws, replace(names, environment=f"pr-{100 + number}"), number)
    with pytest.raises(JamError) as caught:
        site.preview(8, run=2)
    assert (caught.value.code, int(caught.value.turn)) == ("JAM-PREVIEW-POOL", 75)


# Tables

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("pushed", "known", "why"),
    [
        (1, True, ""),
        (1, False, "pull request 7 is closed"),
        (1, None, ""),
        (20, True, "nothing was pushed for 20 days"),
        (20, None, "nothing was pushed for 20 days"),
    ],
)
def test_a_preview_is_over_once_it_is_closed_or_too_old(
    pushed: int, known: bool | None, why: str
) -> None:
    found = why_over(
        number=7,
        pushed=int(NOW - pushed * DAY),
        now=NOW,
        expire=overdue.seconds("14d"),
        is_open=lambda _number: known,
    )
    assert found == why


def test_a_tombstone_lasts_as_long_as_an_old_run_may_start_again() -> None:
    assert not is_forgotten(int(NOW - 30 * DAY), now=NOW)
    assert is_forgotten(int(NOW - FORGOTTEN - 1), now=NOW)
    assert not is_forgotten(0, now=NOW)


def host(member: int, *, free: float = -1, **more: str | int) -> Host:
    since = int(NOW - free) if free >= 0 else 0
    return Host(member=member, distribution=f"E{member}", free=since, **more)  # type: ignore[arg-type]  # two kinds of fields


def test_the_longest_rested_host_is_next_and_some_never_are() -> None:
    hosts = [
        host(0, free=700),
        host(1, free=900),
        host(2, free=60),
        host(3, environment="pr-7"),
        host(4, free=900, retired=5),
        host(5, free=900, lost="disabled"),
        Host(member=6),
    ]
    assert [each.member for each in rested(hosts, now=NOW)] == [6, 1, 0]
    assert list(numbers(hosts)) == list(range(7, MOST))


def test_of_the_rested_hosts_the_newest_go_and_the_first_stays() -> None:
    hosts = [host(number, free=900) for number in range(SPARE + 2)]
    assert [each.member for each in spare(hosts, now=NOW)] == [SPARE + 1, SPARE]


def known(**more: object) -> Known:
    whole: dict[str, object] = {
        "environment": "pr-7", "release": "a" * 32, "host": "d1.cloudfront.net",
        "since": int(NOW) - 7200, "closed": 0, "releases": ("a" * 32,), "owns": (),
        "origin": Origin(commit="c" * 40, author="ada\x1b[31m", branch="b"),
        "pushed": int(NOW) - 7200,
    }  # fmt: skip
    return Known(**(whole | more))  # type: ignore[arg-type]  # as the table says


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "live"),
        ({"busy_until": int(NOW) + 60}, "changing"),
        ({"busy_until": int(NOW) - 60}, "live"),
        ({"release": "", "closed": 5}, "closing"),
        ({"release": ""}, "unfinished"),
    ],
)
def test_a_preview_tells_its_state(more: dict[str, object], expected: str) -> None:
    assert state(known(**more), NOW) == expected


def test_previews_tell_number_address_commit_author_and_age() -> None:
    found = Previews(site="notes", now=NOW, open=(known(),))
    (told,) = previews_document(found)["previews"]
    assert (told["number"], told["url"], told["age"]) == (7, "https://d1.cloudfront.net", 7200)
    assert (told["commit"], told["state"]) == ("c" * 40, "live")
    text = previews_text(found)
    assert "\x1b" not in text
    assert "pushed 2 h ago" in text
    assert previews_text(Previews(site="notes", now=NOW, open=())) == "notes: no previews."
