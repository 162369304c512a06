"""Files that a release lacks are found, however many there are, and without asking for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.aws.bootstrap import bootstrap
from runner.aws.identity import moment
from runner.aws.kept import condition
from runner.aws.looks_at_live import manifest_of
from runner.aws.present import FEW, beginning, missing
from runner.local.cloud import Cloud
from runner.names import Names
from runner.standing import kept_of
from tests.aws_site import Deployer, a_release, an_account

PREFIX = "production/elsewhere/"
PAGE = 10
OURS = tuple(f"b/{number:03}é.js" for number in range(FEW + 50))
OTHERS = tuple(f"{place}/{number:03}.js" for place in ("a", "b", "c") for number in range(25))


@dataclass(frozen=True)
class Place:
    cloud: Cloud
    site: Deployer

    def missing(self, wanted: Sequence[str], *, page: int = PAGE) -> tuple[list[str], int]:
        """With how many calls it took."""
        aws, names = self.site.aws, self.site.names
        before = aws.calls
        first = beginning(aws, names, PREFIX, page=page)
        with ThreadPoolExecutor(4) as pool:
            gone = missing(aws, names, PREFIX, wanted=wanted, first=first, pool=pool, page=page)
        return gone, aws.calls - before

    def put(self, *keys: str) -> None:
        for key in keys:
            self.site.aws.s3.put_object(Bucket=self.site.names.bucket, Key=key, Body=b"")

    def drop(self, key: str) -> None:
        self.site.aws.s3.delete_object(Bucket=self.site.names.bucket, Key=key)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Cloud(speed=50.0) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        aws = an_account(cloud)
        bootstrap(aws, lambda _line: None)
        site = Deployer(aws, Names("notes", aws.account, aws.region))
        site.deploy(a_release(tmp_path_factory.mktemp("site")))
        found = Place(cloud, site)
        found.put(*(PREFIX + key for key in (*OURS, *OTHERS)))
        yield found


def test_all_that_fit_on_one_page_take_one_call(place: Place) -> None:
    assert place.missing([*OURS, "b/none.js"], page=1000) == (["b/none.js"], 1)


def test_what_is_missing_is_found_before_and_behind_the_first_page(place: Place) -> None:
    lost = ["a/0000.js", "a/100.js", "b/0501.js", "b/099.é.js", "c/0000.js", "d/1.js"]
    gone, calls = place.missing([*OURS, *lost])
    assert gone == sorted(lost)
    assert calls < 1 + (len(OURS) + len(OTHERS)) / PAGE + 10


def test_others_files_between_ours_are_read_over(place: Place) -> None:
    gone, _ = place.missing([*OURS[:60], *OURS[70:], "c/024.js", "c/025.js"])
    assert gone == ["c/025.js"]


def test_a_few_are_looked_at_one_by_one(place: Place) -> None:
    assert place.missing([OURS[3], OURS[-1], "c/none.js"]) == (["c/none.js"], 4)


def test_nothing_wanted_asks_for_nothing_more(place: Place) -> None:
    assert place.missing([]) == ([], 1)


def test_what_visitors_get_now_is_not_asked_for_again_where_there_are_many_files(
    place: Place, tmp_path: Path
) -> None:
    site, release = place.site, a_release(tmp_path)
    there, staged = kept_of(site.aws, site.names, release.id)
    assert staged is not None
    objects = site.names.objects
    with ThreadPoolExecutor(8) as pool:  # more than a page of what sorts before ours
        list(pool.map(lambda n: place.put(f"{objects}/assets/{n}.js"), range(1001)))
    page, shared = "about/index.html", release.files[-1].key
    place.drop(f"{objects}/releases/{release.id}/{page}")
    place.drop(f"{objects}/assets/{shared}")
    told = manifest_of(site.aws, site.names, release=release.id)

    def lost(served: Mapping[str, Any]) -> tuple[str, ...]:
        return condition(
            site.aws,
            site.names,
            release=release.id,
            staged=staged,
            there=there,
            served=lambda: served,
        ).lost

    words = tuple(f"the file {key} is not in the bucket" for key in (page, shared))
    assert lost({}) == words
    assert lost(told) == words[:1]


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-22T22:00:00.000Z",
        "2026-11-22T22:00:00+00:00",
        "Sun, 22 Nov 2026 22:00:00 GMT",
        1795384800,
        1795384800.0,
        "1795384800",
    ],
)
def test_a_time_is_read_however_aws_writes_it(told: object) -> None:
    assert moment(told) == datetime(2026, 11, 22, 22, tzinfo=UTC)
