"""What a pull request is compared with is what production's visitors get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from runner.aws import published
from runner.fetch import Answer, fetch_from
from runner.local.cloud import Cloud
from runner.package.summary import Summary
from runner.rollback import Wish, rollback
from tests.previews_site import PreviewedSite, Watching


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


def compared_with(site: PreviewedSite) -> Summary | None:
    aws, names = site.onlooker, site.names.preview(7)
    near = site.cloud.endpoint
    return published.read_live(
        aws,
        names,
        newest=published.read(aws, names),
        to=lambda base: fetch_from(base, connect_to=near),
    )


@pytest.mark.parametrize(
    ("status", "body"), [(503, b""), (200, b"<html>"), (200, b'{"release":null}'), (200, b"[]")]
)
def test_nothing_is_compared_where_nobody_says_what_is_live(
    cloud: Cloud, tmp_path: Path, status: int, body: bytes
) -> None:
    site = PreviewedSite(cloud, tmp_path)

    def fetch(_path: str, _headers: Mapping[str, str], /) -> Answer:
        return Answer(status=status, body=body)

    newest = Summary(release="b" * 32, host="d1.cloudfront.net")
    told = published.read_live(site.onlooker, site.names, newest=newest, to=lambda _base: fetch)
    assert told is None


def test_a_release_that_was_taken_back_is_compared_with_no_more(
    cloud: Cloud, tmp_path: Path
) -> None:
    site = PreviewedSite.in_new_account(cloud, tmp_path)
    assert compared_with(site) == Summary()
    first = site.deploy().release
    site.write("public/about.html", "<p>about")
    second = site.deploy(run=2).release
    told = compared_with(site)
    assert told
    assert told.release == second
    rollback(
        site.onlooker,
        site.names,
        Wish(near=site.cloud.endpoint),
        watcher=Watching(),
        clock=cloud.clock.now,
    )
    told = compared_with(site)
    assert told
    assert (told.release, sorted(told.sizes)) == (first, ["index.html"])
