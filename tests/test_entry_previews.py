"""Entry as previews share it: the router's path says which preview is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.entry.release import Content, UnavailableError, site_of

SHARED, SEEN, OTHER = "a" * 32, "b" * 32, "c" * 32
HTML = "text/html; charset=utf-8"
KEPT = "public, max-age=0, s-maxage=31536000, must-revalidate"
FILES = {
    "index.html": ["document", HTML, KEPT, "", "0" * 64],
    "404/index.html": ["document", HTML, KEPT, "", "0" * 64],
    "assets/x-1.js": ["immutable", "text/javascript", KEPT, "", "0" * 64],
}


MISSING = (
    "<!doctype html><meta charset=utf-8><title>Page not found</title><h1>Page not found</h1>\n"
)


def _manifest(release: str, files: Any, **more: Any) -> bytes:
    whole = {"v": 1, "release": release, "files": files, "redirects": [], "headers": {}}
    return json.dumps({**whole, "routing": {}, "notFound": "", **more}).encode()


def _moved(target: str) -> dict[str, Any]:
    rule = {"source": "/old", "target": target, "status": 301, "force": False}
    return {**rule, "query": [], "countries": [], "languages": []}


OBJECTS = {
    f"pr-7/releases/{SEEN}/~release.json": _manifest(
        SEEN, FILES, notFound="404/index.html", redirects=[_moved("/of-seven")]
    ),
    f"pr-7/releases/{SEEN}/index.html": b"seven",
    f"pr-7/releases/{SEEN}/404/index.html": b"not in seven",
    "pr-7/assets/assets/x-1.js": b"chunk of seven",
    f"pr-8/releases/{SEEN}/~release.json": _manifest(SEEN, FILES, redirects=[_moved("/of-eight")]),
    f"pr-8/releases/{SEEN}/index.html": b"eight",
    f"pr-9/releases/{OTHER}/~release.json": _manifest(
        OTHER, FILES, routing={"spa": 1}, redirects=[]
    ),
    f"pr-9/releases/{OTHER}/index.html": b"application",
}


def _fetch(key: str) -> Content | None:
    if "down" in key:
        raise UnavailableError(key)
    return Content(OBJECTS[key], '"e"') if key in OBJECTS else None


def entry() -> Entry:
    """Its own release is what previews share: it has no file."""
    return Entry(site_of(_manifest(SHARED, {})), _fetch, Counts("s", lambda _line: None))


def ask(uri: str, path: str, *, of: Entry | None = None) -> tuple[int, str, str]:
    found = (of or entry()).answer(uri, {"x-jam-path": path})
    return found.status, found.body.decode(), dict(found.headers).get("location", "")


@pytest.mark.parametrize(
    ("uri", "path", "found"),
    [
        (f"/pr-7/releases/{SEEN}/index.html", "/", (200, "seven", "")),
        (f"/pr-8/releases/{SEEN}/index.html", "/", (200, "eight", "")),
        (f"/pr-7/releases/{SEEN}/nothing", "/nothing", (404, "not in seven", "")),
        (f"/pr-8/releases/{SEEN}/nothing", "/nothing", (404, MISSING, "")),
        (f"/pr-7/releases/{SEEN}/assets/x-1.js", "/assets/x-1.js", (200, "chunk of seven", "")),
        (f"/pr-9/releases/{OTHER}/notes/7", "/notes/7", (200, "application", "")),
        (f"/pr-7/releases/{OTHER}/index.html", "/", (404, MISSING, "")),
        (f"/pr-70/releases/{SEEN}/index.html", "/", (404, MISSING, "")),
        (f"/releases/{SEEN}/index.html", "/", (404, MISSING, "")),
        ("/pr-7/assets/assets/gone-2.js", "/assets/gone-2.js", (404, MISSING, "")),
        ("/pr-7/releases/../pr-8/index.html", "/", (404, MISSING, "")),
        (f"/pr-x/releases/{SEEN}/index.html", "/", (404, MISSING, "")),
        (f"/production/releases/{SEEN}/index.html", "/", (404, MISSING, "")),
        ("/pr-7", "/", (404, MISSING, "")),
    ],
)
def test_a_previews_path_is_answered_from_its_own_folder_and_from_no_other(
    uri: str, path: str, found: tuple[int, str, str]
) -> None:
    assert ask(uri, path) == found


def test_two_previews_of_one_release_have_each_its_own_rules() -> None:
    both = entry()
    for number, target in ((7, "/of-seven"), (8, "/of-eight"), (7, "/of-seven")):
        status, _, location = ask(f"/pr-{number}/releases/{SEEN}/old/index.html", "/old", of=both)
        assert (status, location) == (301, target)


def test_a_preview_that_cannot_be_read_is_no_404() -> None:
    broken = Entry(
        site_of(_manifest(SHARED, {})),
        lambda key: _fetch(f"down/{key}"),
        Counts("s", lambda _line: None),
    )
    assert ask(f"/pr-7/releases/{SEEN}/index.html", "/", of=broken)[0] == 503
