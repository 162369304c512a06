"""What the suites of the second deploy and of growth count is what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.distance import Request
from bench.growth import Point, exponent
from bench.second import CHANGED, Build, is_listing, span, uploads


def the_request(method: str, path: str, sent: float = 0, told: float = 1) -> Request:
    return Request(service="s3", method=method, path=path, operation="", sent=sent, told=told)


@pytest.mark.parametrize(
    ("method", "path", "listing"),
    [
        ("GET", "/site?list-type=2&prefix=", True),
        ("GET", "/site/?list-type=2", True),
        ("GET", "/site", True),
        ("GET", "/site?versions", True),
        ("GET", "/site/a.html", False),
        ("GET", "/site/a.html?x-id=GetObject", False),
        ("GET", "/site?policy", False),
        ("GET", "/", False),
        ("HEAD", "/site", False),
        ("PUT", "/site/a.html", False),
    ],
)
def test_a_listing_is_a_bucket_that_is_asked_for_its_keys(
    method: str, path: str, listing: bool
) -> None:
    assert is_listing(the_request(method, path)) is listing


def test_an_upload_lasts_from_its_first_file_to_its_last_answer() -> None:
    told = [
        the_request("GET", "/site/production/releases/a/~release.json", 0, 1),
        the_request("PUT", "/site/production/assets/x.js", 4, 5),
        the_request("PUT", "/site/production/releases/b/~release.json", 6, 7),
        the_request("PUT", "/site/production/~newest.json", 8, 9),
    ]
    assert span(uploads(told)) == 3


def test_a_change_gives_twenty_files_other_contents_and_leaves_the_rest_alone(
    tmp_path: Path,
) -> None:
    def texts() -> set[tuple[str, str]]:
        return {(each.name, each.read_text()) for each in tmp_path.rglob("*.*")}

    build = Build(tmp_path, 50)
    build.make()
    before = texts()
    build.change()
    assert len(before) == len(texts()) == 50
    assert len(texts() - before) == CHANGED


def test_growth_is_one_where_time_follows_size_and_nothing_where_it_stays() -> None:
    def point(size: int, seconds: float) -> Point:
        return Point("files", "deploy", size, seconds, 4, 80)

    assert exponent(point(10, 2), point(1_000, 200)) == pytest.approx(1)
    assert exponent(point(10, 2), point(1_000, 2)) == 0
