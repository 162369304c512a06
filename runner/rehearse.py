"""Plays the story of a site on an embedded cloud: deploy, look, promote with visitors, take back.

Works on a copy of the site; touches no account. The receipt is interface.md's.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.errors import JamError
from runner.local.browser import Browser
from runner.rehearsal.candidates import UNBROKEN
from runner.rehearsal.drill import FIRST, Drill, rest
from runner.rehearsal.ending import go_back, take_down
from runner.rehearsal.pull import pull_request
from runner.rehearsal.sources import keep_installed, set_rollout, sources_of
from runner.rehearsal.stage import CREDENTIALS, SPEED, Stage, Story, cloud, copy_of, failed
from runner.rehearsal.theatre import MINUTES, PERCENT, UNTRUE, Theatre
from runner.report.watch import Watcher
from runner.toolchain import find

SCRIPT = "rehearsal.json"  # what a browser does on the site's first page, if the site says so
_WORKFLOW = "GITHUB_"  # a rehearsal is no run of a workflow's, whatever it is played in


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be played, and with what: `clock` and `sleep` are in seconds of ours.

    `whole`: all candidates; `keep`: the cloud goes on until `wait` returns.
    """

    environment: Mapping[str, str] = field(repr=False)
    artifacts: Path
    watcher: Watcher
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    wait: Callable[[], None]
    keep: bool = False
    whole: bool = False


def perform(site: Path, wanted: Wanted) -> dict[str, Any]:
    """Sets the stage, plays the story, gives the receipt."""
    start = wanted.clock()
    wanted.artifacts.mkdir(parents=True, exist_ok=True)
    story = Story(clock=wanted.clock, watcher=wanted.watcher)
    given = {
        name: text for name, text in wanted.environment.items() if not name.startswith(_WORKFLOW)
    }
    surrounding = {**given, **CREDENTIALS}
    with (
        tempfile.TemporaryDirectory(prefix="jam-rehearsal-") as folder,
        cloud(surrounding, log=wanted.artifacts / "cloud.log", speed=SPEED) as endpoint,
    ):
        stage = Stage(
            site=copy_of(site, Path(folder)),
            artifacts=wanted.artifacts,
            endpoint=endpoint,
            environment=surrounding,
            browser=Browser(node=find(Path(folder)).node, path=given.get("PATH")),
            clock=wanted.clock,
            sleep=wanted.sleep,
        )
        fault = _play(stage, story, wanted)
        if wanted.keep:
            wanted.watcher.note(f"left running until interrupted: {endpoint}, {stage.site}")
            wanted.wait()
    return _receipt(story, seconds=wanted.clock() - start, fault=fault)


def _play(stage: Stage, story: Story, wanted: Wanted) -> JamError | None:
    try:
        rehearse(stage, story, whole=wanted.whole)
        if not wanted.keep:
            take_down(stage, story)
    except JamError as error:
        return error
    return None


def rehearse(stage: Stage, story: Story, *, whole: bool) -> None:
    """Plays every step; raises at the first that fails."""
    with story.step("bootstrap"):
        stage.jam("bootstrap")
    with story.step("first deploy") as told:
        theatre, url, before = _opened(stage, told, whole=whole)
    theatre.agree()
    with story.step("look") as told:
        told.extend(_look(stage, url, _script(stage.site), shot="first.png"))
    play = Drill(theatre, story)
    if whole:
        play.play(FIRST)
    else:  # a pull request meanwhile: neither knows of the other
        play.play(FIRST, beside=partial(pull_request, stage, story, theatre.sources))
    theatre.agree()
    with story.step("look again") as told:
        seen = [{"see": {"selector": "body", "text": FIRST.build}}]
        told.extend(_look(stage, url, seen, shot="changed.png"))
    play.plant(before)
    play.play_all(rest(whole=whole, called=play.called))
    if not whole:
        with story.step("deploy the healthy one again") as told:
            theatre.sources.write(FIRST.candidate, build=FIRST.build, pause=0)
            # A runner that was killed under its lease leaves something to set again.
            _deployed(stage, told, expected=("unchanged", "live"))
        go_back(theatre, story, before=before)


def _opened(stage: Stage, told: list[str], *, whole: bool) -> tuple[Theatre, str, str]:
    """The site for the first time, each page marked with its build; its URL, its release."""
    sources = sources_of(stage.site)
    if not sources.pages:
        raise failed(
            "the rehearsal found no page to change",
            hint="It looks for HTML files among the site's sources.",
        )
    rollout = {"strategy": "canary", "percent": PERCENT, "interval": f"{MINUTES}m"}
    set_rollout(stage.site, **rollout, **({"beacon": True} if whole else {}))
    sources.write(UNBROKEN, build="first", pause=0)
    answer = _deployed(stage, told, expected=("live",))
    keep_installed(stage.site)
    stage.cloud("cloudfront", UNTRUE)
    host = urlsplit(answer["url"]).netloc
    theatre = Theatre(stage=stage, sources=sources, host=host, name=answer["site"])
    return theatre, str(answer["local_url"]), str(answer["release"])


def _receipt(story: Story, *, seconds: float, fault: JamError | None) -> dict[str, Any]:
    """interface.md's receipt; without the audit where it did not come to that."""
    error = {"code": fault.code, "message": str(fault), "hint": fault.hint} if fault else None
    return {
        "outcome": "failed" if fault else "passed",
        "seconds": round(seconds, 1),
        "steps": [asdict(step) for step in story.steps],
        "rollouts": story.rollouts,
        "previews": story.previews,
        **({"audit": asdict(story.audit)} if story.audit else {}),
        **({"error": error} if error else {}),
    }


def _deployed(stage: Stage, told: list[str], *, expected: tuple[str, ...]) -> dict[str, Any]:
    answer = stage.jam("deploy")
    if answer["outcome"] not in expected:
        raise failed(f"the deploy ended as {answer['outcome']}, not as {expected[0]}")
    uploaded = answer["uploaded"]
    told.append(
        f"release {answer['release'][:8]}: {answer['calls']} AWS calls, "
        f"{uploaded['files']} files uploaded, {len(answer['checks'])} checks passed"
    )
    told.append(str(answer["local_url"]))
    return answer


def _look(stage: Stage, url: str, script: list[dict[str, Any]], *, shot: str) -> list[str]:
    if stage.browser is None or not stage.browser.is_there():
        return ["no browser is installed: the pages were fetched by `deploy` alone"]
    picture = str(stage.artifacts / shot)
    seen = stage.browser.play([{"goto": url}, *script, {"screenshot": picture}])
    if seen.faults:
        raise failed(f"the page has errors: {'; '.join(seen.faults)}")
    return [f"a browser saw it: {picture}"]


def _script(site: Path) -> list[dict[str, Any]]:
    file = site / SCRIPT
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    return found
