"""What is tried before anybody is shown a candidate."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.candidate import MISSING, PAGES, try_edge, try_entry
from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.entry.release import content_of, site_of
from runner.errors import JamError, Turn
from runner.fetch import Answer
from runner.model import File, Kind, Redirect, Release
from runner.package.manifest import manifest
from runner.verify import Patience
from tests.builders import a_file, a_release, digest

TOKEN = "t" * 32
RULES = (
    Redirect(source="/old/:name", target="/new/:name", status=301),
    Redirect(source="/shop", target="/cart", status=302, query=(("id", ":id"),)),
)


def _release(folder: Path, name: str = "a", *, page: str = "hello") -> Release:
    files = tuple(
        _placed(folder, a_file(key, text))
        for key, text in (("index.html", page), ("404/index.html", "no such page"))
    )
    made = a_release(name, files=files)
    return replace(made, redirects=RULES, not_found="404/index.html")


def _placed(folder: Path, file: File) -> File:
    source = folder / file.digest
    source.write_text({digest(text): text for text in _TEXTS}[file.digest])
    return replace(file, source=source)


_TEXTS = ("hello", "no such page", "another")


class Version:
    """A published entry version, as one that works; it remembers what it was asked."""

    def __init__(self, release: Release) -> None:
        sources = {f"releases/{release.id}/{file.key}": file.source for file in release.files}
        self._counted: list[str] = []
        self._entry = Entry(
            site_of(manifest(release)),
            lambda key: content_of(sources[key].read_bytes()) if key in sources else None,
            Counts("notes", self._counted.append),
        )
        self.asked: list[str] = []

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(event["headers"]["x-jam-path"])
        answer = self._entry(event)
        assert self._counted == []  # by these counts rollouts are judged
        return answer


def test_the_entry_version_is_asked_for_a_page_a_missing_one_and_redirects(tmp_path: Path) -> None:
    version = Version(_release(tmp_path))
    checks = try_entry(_release(tmp_path), version)
    assert version.asked == ["/", MISSING, "/old/jam-verify", "/shop"]
    assert {check.outcome for check in checks} == {"passed"}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"name": "b"}, "the release of the entry"),
        ({"page": "another"}, "the body of the entry"),
    ],
)
def test_an_entry_version_that_is_not_the_candidates_is_refused(
    tmp_path: Path, other: dict[str, str], says: str
) -> None:
    with pytest.raises(JamError, match=says) as caught:
        try_entry(_release(tmp_path), Version(_release(tmp_path, **other)))
    assert (caught.value.code, caught.value.turn) == ("JAM-SMOKE", Turn.AWS)
    assert "Nothing was switched" in caught.value.hint


def test_an_entry_version_that_answers_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JamError, match="the status of the entry is 500, not 200"):
        try_entry(_release(tmp_path), lambda _: {"statusCode": 500, "body": ""})


def _edge(release: Release, asked: list[str], *, knows_token_after: int = 0) -> Any:
    """The distribution: it shows the candidate to those who know the token, and later."""
    looks = itertools.count()

    def fetch(path: str, headers: Mapping[str, str], /) -> Answer:
        asked.append(path)
        forced = headers.get("x-jam-token") == TOKEN and next(looks) >= knows_token_after
        shown = headers["x-jam-release"] if forced else "0" * 32
        body = b"hello" if forced else b"what is live"
        named = {
            "content-type": release.files[0].content_type,
            "cache-control": release.files[0].cache_control,
            "x-jam-release": shown,
        }
        return Answer(status=200, headers=named, body=body)

    return fetch


def _patience(seconds: float) -> Patience:
    ticks = itertools.count()
    return Patience(seconds=seconds, clock=lambda: float(next(ticks)), sleep=lambda _: None)


@pytest.mark.parametrize("late", [0, 3])
def test_pages_are_fetched_as_the_candidates_once_the_edge_knows_the_token(
    tmp_path: Path, late: int
) -> None:
    release, asked = _release(tmp_path), list[str]()
    checks = try_edge(
        release,
        files=release.files[:1],
        functions=(),
        fetch=_edge(release, asked, knows_token_after=late),
        token=TOKEN,
        patience=_patience(60),
    )
    assert [check.outcome for check in checks] == ["passed"]
    assert asked == ["/"] * (late + 1)


def test_an_edge_that_does_not_show_the_candidate_ends_it_there(tmp_path: Path) -> None:
    release = _release(tmp_path)
    with pytest.raises(JamError, match="x-jam-release is") as caught:
        try_edge(
            release,
            files=release.files[:1],
            functions=(),
            fetch=_edge(release, [], knows_token_after=10**6),
            token=TOKEN,
            patience=_patience(5),
        )
    assert TOKEN not in str(caught.value)


def test_of_many_pages_an_even_sample_is_fetched(tmp_path: Path) -> None:
    page = _release(tmp_path).files[0]
    pages = [
        replace(page, path=f"p{number}/index.html", key=f"p{number}/index.html")
        for number in range(100)
    ]
    assets = [replace(each, path=each.path + ".css", kind=Kind.ASSET) for each in pages[:5]]
    release, asked = _release(tmp_path), list[str]()
    try_edge(
        release,
        files=[*pages, *assets],
        functions=(),
        fetch=_edge(release, asked),
        token=TOKEN,
        patience=_patience(60),
    )
    assert len(asked) == PAGES + len(assets)
    assert "/p95/" in asked
