"""Simulated visitors: what they fetch, what they count, and that a planted mix is counted."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import pytest

from runner.rehearsal.line import Reply
from runner.rehearsal.page import Page, calls_of, chunks_of, page_of
from runner.rehearsal.player import Crowd, Player
from runner.rehearsal.tally import Tally
from runner.rehearsal.visitor import Visitor

OLD, NEW = "a" * 32, "b" * 32
BUILDS = {OLD: "first", NEW: "second"}
HTML = """<!doctype html><head><meta name="jam-rehearsal" content="{build}">
<link rel="stylesheet" href="/look.css"><script type="module" src="/main.js"></script></head>
<a href="about">About</a><a href="https://elsewhere.example/">Elsewhere</a>"""
SCRIPT = 'import("./late.js"); fetch("/.functions/hello"); fetch(`/.functions/note/${id}`)'


@dataclass
class Site:
    """Serves `live`; a pin moves with navigations, all else follows it, as the router does.

    `torn` are paths that get the other release; `pins` is off for a site whose pin goes astray.
    """

    live: str = OLD
    torn: tuple[str, ...] = ()
    broken: Mapping[str, int] = field(default_factory=dict)
    addition: str = ""
    pins: bool = True
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, path: str, headers: Mapping[str, str], /) -> Reply:
        self.asked.append((path, headers))
        navigates = headers.get("sec-fetch-mode") == "navigate"
        pinned = headers.get("cookie", "").removeprefix("jam-pin=").partition(".")[0]
        release = self.live if navigates else headers.get("x-jam-release") or pinned or self.live
        if path in self.torn:
            release = NEW if release == OLD else OLD
        if path in self.broken:
            return Reply(status=self.broken[path])
        if path.startswith("/.functions/"):
            return Reply(status=200, headers={"x-jam-rehearsal": BUILDS[release]})
        told = {"x-jam-release": release, "etag": f'"{release[:2]}"'}
        if headers.get("if-none-match") == told["etag"]:
            return Reply(status=304, headers=told)
        if not navigates:
            return Reply(status=200, headers=told, body=SCRIPT.encode())
        cookie = f"jam-pin={release}.0; Path=/; Secure"
        page = HTML.format(build=BUILDS[release]) + self.addition
        cookies = (cookie,) if self.pins else ()
        return Reply(status=200, headers=told, cookies=cookies, body=page.encode())

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def _visitor(site: Site, **given: bool) -> Visitor:
    return Visitor(send=site, tally=Tally(), chance=random.Random(1), **given)


def test_a_page_is_read_as_a_browser_reads_it() -> None:
    page = page_of(HTML.format(build="first"), at="/docs/")
    assert page == Page(resources=("/look.css", "/main.js"), links=("/docs/about",), build="first")


@pytest.mark.parametrize(
    ("script", "chunks", "calls"),
    [
        ('import("./editor-Dx1.js")', ("/assets/editor-Dx1.js",), ()),
        ("a(()=>import(`../x.mjs`),[`/assets/x.css`])", ("/x.mjs", "/assets/x.css"), ()),
        ('fetch("/.functions/notes/all")', (), ("/.functions/notes/all",)),
        ("fetch(`/.functions/notes/${id}`);import(name)", (), ()),
        ('import("https://cdn.example/x.js")', (), ()),
    ],
)
def test_scripts_tell_what_they_load_later_and_what_they_call(
    script: str, chunks: tuple[str, ...], calls: tuple[str, ...]
) -> None:
    assert chunks_of(script, at="/assets/main.js") == chunks
    assert calls_of(script) == calls


def test_a_visitor_loads_a_page_whole_and_later_its_late_part_and_a_function() -> None:
    site = Site()
    visitor = _visitor(site)
    visitor.use(visitor.open("/"))
    assert site.paths == [
        *("/", "/look.css", "/main.js", "/.functions/hello"),  # as its script does at once
        *("/late.js", "/.functions/hello"),
    ]
    assert all(headers["cookie"] == f"jam-pin={OLD}.0" for _, headers in site.asked[1:])
    assert (visitor.tally.mixed, visitor.tally.skewed) == (0, 0)
    assert visitor.tally.sessions == {OLD: 1}


def test_an_error_page_is_no_part_of_a_page_whatever_release_it_names() -> None:
    site = Site()

    def send(path: str, headers: Mapping[str, str], /) -> Reply:
        gone = Reply(status=404, headers={"x-jam-release": NEW})
        return gone if path == "/look.css" else site(path, headers)

    visitor = _visitor(site)
    visitor.send = send
    visitor.open("/")
    assert (visitor.tally.mixed, visitor.tally.failures) == (0, {OLD: 1})


@pytest.mark.parametrize("path", ["/look.css", "/main.js", "/late.js", "/.functions/hello"])
def test_a_planted_mix_is_counted_once_whatever_part_of_the_page_it_is(path: str) -> None:
    visitor = _visitor(Site(torn=(path,)))
    visitor.use(visitor.open("/"))
    assert (visitor.tally.mixed, visitor.tally.skewed) == (1, 0)
    assert path in visitor.tally.examples[0]


def test_a_document_without_its_pin_is_mixed_and_no_skew() -> None:
    site = Site(pins=False)
    visitor = _visitor(site)
    view = visitor.open("/")
    site.live = NEW
    visitor.use(view)
    assert (visitor.tally.mixed, visitor.tally.skewed) == (1, 0)


def test_a_cached_document_under_another_releases_name_is_mixed() -> None:
    site = Site()
    visitor = _visitor(site)
    visitor.open("/")

    def confused(path: str, headers: Mapping[str, str], /) -> Reply:
        if "if-none-match" in headers:
            return Reply(status=304, headers={"x-jam-release": NEW})
        return site(path, headers)

    visitor.tally.build_of(NEW, BUILDS[NEW])
    visitor.send = confused
    visitor.open("/")
    assert visitor.tally.mixed == 1


@pytest.mark.parametrize(("names_release", "skewed"), [(False, 1), (True, 0)])
def test_a_second_tab_that_moves_the_pin_is_skew_and_none_where_pages_name_their_release(
    names_release: bool, skewed: int
) -> None:
    site = Site()
    visitor = _visitor(site, names_release=names_release)
    first = visitor.open("/")
    site.live = NEW
    visitor.open("/")
    visitor.use(first)
    assert (visitor.tally.mixed, visitor.tally.skewed) == (0, skewed)


@pytest.mark.parametrize(
    ("site", "failures"),
    [
        (Site(), 0),
        (Site(broken={"/late.js": 404}), 1),
        (Site(broken={"/.functions/hello": 500}), 1),
        (Site(addition="<script>/* jam-rehearsal-throws */ null.x</script>"), 1),
        (Site(broken={"/.functions/hello": 404}), 0),  # the function's own word
    ],
)
def test_a_session_that_sees_failures_is_counted_once(site: Site, failures: int) -> None:
    visitor = _visitor(site)
    for _ in range(2):
        visitor.use(visitor.open("/"))
    assert visitor.tally.failures == ({OLD: 1} if failures else {})


@pytest.mark.parametrize("beacon", ['<script src="/jam-beacon/01234567.js"></script>', ""])
def test_a_page_that_throws_reports_once_a_session_if_it_carries_the_beacon(beacon: str) -> None:
    site = Site(addition=f"{beacon}<script>/* jam-rehearsal-throws */ null.x</script>")
    visitor = _visitor(site)
    visitor.open("/")
    visitor.open("/")
    reports = [path for path in site.paths if path.startswith("/.jam/report?")]
    assert len(reports) == bool(beacon)


def test_a_crowd_comes_evenly_and_thinks_in_the_clouds_time() -> None:
    moments, tally, site, enough = count(), Tally(), Site(), threading.Event()

    def send(path: str, headers: Mapping[str, str], /) -> Reply:
        if tally.ended >= 20:
            enough.set()
        return site(path, headers)

    crowd = Crowd(a_minute=60)
    with Player(send, crowd, now=lambda: float(next(moments)), speed=10_000, tally=tally):
        assert enough.wait(20)
    assert tally.begun >= 20
    assert tally.mixed == 0


def test_when_enough_have_come_nobody_begins_and_those_who_began_go_on() -> None:
    site, tally, moments = Site(), Tally(), count()
    crowd = Crowd(a_minute=600)
    player = Player(site, crowd, now=lambda: float(next(moments)), speed=10_000, tally=tally)
    player.end_at(5)
    with player:
        _eventually(lambda: tally.ended == 5)
    assert tally.begun == 5


def _eventually(seen: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.01)
