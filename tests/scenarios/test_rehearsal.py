"""Rollouts with visitors: one without its runner, and one in a real browser's open tabs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runner.local.browser import Browser
from runner.rehearsal.candidates import NAMED
from runner.rehearsal.drill import planted
from runner.rehearsal.line import Line
from runner.rehearsal.opening import opened
from runner.rehearsal.player import Crowd, Player
from runner.rehearsal.rollouts import A_MINUTE, roll, trouble
from runner.rehearsal.sources import set_rollout, sources_of
from runner.rehearsal.stage import SPEED, Stage, cloud, copy_of
from runner.rehearsal.tally import Tally
from runner.rehearsal.theatre import Part, Theatre
from runner.toolchain import find
from tests.scenarios.conftest import ENVIRONMENT, ROOT

PATIENCE = 240  # seconds of ours on a busy machine
PAGE = """<!doctype html><html><head><title>Shop</title></head>
<body><a href="/">Shop</a><img src="/sign.svg" alt=""></body></html>"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cloud in a hurry, with a bootstrapped account."""
    log = tmp_path_factory.mktemp("hurried") / "cloud.log"
    with cloud(ENVIRONMENT, log=log, speed=SPEED) as address:
        _stage(tmp_path_factory.mktemp("admin"), address).jam("bootstrap")
        yield address


def _stage(site: Path, endpoint: str) -> Stage:
    return Stage(
        site=site,
        artifacts=site.parent,
        endpoint=endpoint,
        environment=ENVIRONMENT,
        browser=Browser(node=find(site.parent).node),
        clock=time.monotonic,
        sleep=time.sleep,
    )


def _theatre(stage: Stage, build: str, **rollout: Any) -> tuple[Theatre, str]:
    """The site deployed for the first time, and its address in a browser."""
    sources = sources_of(stage.site)
    set_rollout(stage.site, beacon=True, **rollout)
    sources.write(NAMED["healthy"], build=build, pause=0)
    first = stage.jam("deploy")
    host = urlsplit(first["url"]).netloc
    theatre = Theatre(stage=stage, sources=sources, host=host, name=first["site"])
    return theatre, first["local_url"]


def test_a_broken_candidate_is_taken_back_without_its_runner(endpoint: str, tmp_path: Path) -> None:
    """A plain site: its page misses a script; few see it, nobody two releases on one page."""
    site = tmp_path / "shop"
    (site / "public").mkdir(parents=True)
    (site / "jam.toml").write_text('site = "shop"\n[build]\npublish = "public"\n')
    (site / "public" / "index.html").write_text(PAGE)
    (site / "public" / "sign.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    theatre, _ = _theatre(_stage(site, endpoint), "first", percent=10, interval="5m")
    before = theatre.card()["release"]

    tally = Tally()
    part = Part(candidate=NAMED["missing-chunk"], runner="killed", build="gone", sessions=1)
    rolled = roll(theatre, opened(theatre, part), tally)

    assert rolled.outcome == "rolled_back", tally
    assert trouble(rolled, tally) == ""
    assert 1 <= rolled.exposed < tally.begun / 3
    card = theatre.card()
    assert (card["release"], card["candidate"]) == (before, None)
    taken_back = next(release for release in tally.sessions if release != before)
    assert planted(theatre, taken_back).mixed == 1


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    found = Browser(node=find(tmp_path_factory.mktemp("cache")).node)
    assert found.is_there(), "make setup installs the browser"
    return found


VISITORS = tuple(f"visitor {number}" for number in range(10))


@pytest.mark.parametrize(
    ("candidate", "interval", "status"), [("function-throws", "15m", 4), ("healthy", "8m", 0)]
)
def test_open_tabs_find_their_late_parts_through_a_rollout_and_whatever_its_end(
    endpoint: str, browser: Browser, tmp_path: Path, *, candidate: str, interval: str, status: int
) -> None:
    stage = _stage(copy_of(ROOT / "examples" / "notes", tmp_path), endpoint)
    theatre, url = _theatre(stage, "first", percent=50, interval=interval)
    theatre.sources.write(NAMED[candidate], build="second", pause=0)
    _replace(stage.site / "src" / "editor.ts", "Markdown is welcome", "Markdown, if you like")
    drawn = tmp_path / "drawn.png"
    with ThreadPoolExecutor(1) as pool, (tmp_path / "deploy.log").open("wb") as log:
        playing = pool.submit(browser.play, _script(url, drawn), limit=PATIENCE)
        process = stage.begin("deploy", log=log)
        _until(lambda: drawn.exists() or playing.done())
        with _crowd(Line(endpoint, theatre.host)) as player:
            process.communicate(timeout=PATIENCE)
            seen = playing.result(PATIENCE)
        assert process.returncode == status
        assert player.tally.mixed == 0, player.tally.examples

    tabs = {each["tab"]: each["traffic"] for each in seen.results if each["action"] == "traffic"}
    assert set(tabs) == {"first", *VISITORS, "last"}
    given = {_document(traffic)["release"] for traffic in tabs.values()}
    assert len(given) == 2, "of ten visitors some are drawn to each release"
    before, after = (_document(tabs[name])["release"] for name in ("first", "last"))
    assert (after == before) == (status == 4), "who comes after the end gets what is live then"
    told = [
        part["status"]
        for traffic in tabs.values()
        for part in traffic
        if "/.jam/report?k=function" in part["url"] and _document(traffic)["release"] != before
    ]
    assert set(told) == ({204} if status else set()), "a page whose function fails says so"
    for traffic in tabs.values():
        document, parts = _document(traffic), traffic
        assert [part["url"] for part in parts if part["status"] == 404] == []
        assert {part["release"] for part in parts} <= {"", document["release"]}
        build = "first" if document["release"] == before else "second"
        assert {part["build"] for part in parts} <= {"", build}


def _script(url: str, drawn: Path) -> list[dict[str, Any]]:
    """One tab stays open from before the rollout until after it; ten visitors come meanwhile."""
    visits = [step for name in VISITORS for step in ({"newVisitor": name}, {"goto": url})]
    late = [
        step
        for name in ("first", *VISITORS)
        for step in (
            {"tab": name},
            {"click": "#new"},
            {"see": {"selector": "form button", "text": "Save"}},
            {"traffic": name},
        )
    ]
    opened: list[dict[str, Any]] = [{"goto": url}, {"card": {"candidate": True}}, {"pause": 4}]
    ended = {"card": {"candidate": False}}
    last = [{"newVisitor": "last"}, {"goto": url}, {"traffic": "last"}]
    return [*opened, *visits, {"screenshot": str(drawn)}, ended, *late, *last]


def _document(traffic: list[dict[str, Any]]) -> dict[str, Any]:
    assert traffic[0]["document"]
    return traffic[0]


def _crowd(line: Line) -> Player:
    origin = time.monotonic()
    return Player(
        line,
        Crowd(a_minute=A_MINUTE),
        now=lambda: (time.monotonic() - origin) * SPEED,
        speed=SPEED,
        tally=Tally(),
    )


def _replace(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < until:
        time.sleep(0.2)
    assert done()
