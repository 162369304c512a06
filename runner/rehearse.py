"""Plays the story of a site on an embedded cloud: deploy, look, change, look again, no change.

Works on a copy of the site; touches no account. The receipt is interface.md's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import JamError, Turn
from runner.local.browser import Browser
from runner.report.watch import Watcher
from runner.toolchain import find

READY = 60  # seconds for the cloud to start on a busy machine
# Credentials for the embedded cloud: it asks who calls, not whether they may.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "rehearsal",
    "AWS_SECRET_ACCESS_KEY": "rehearsal",
    "AWS_REGION": "eu-central-1",
}
COPIED_NOT = ("node_modules", ".jam", ".git", "artifacts")
MARK = "A change, rehearsed"
SCRIPT = "rehearsal.json"  # what a browser does on the site's first page, if the site says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One step of the story."""

    name: str
    outcome: str
    seconds: float
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Story:
    """What has been played so far; the one mutable thing here."""

    clock: Callable[[], float]
    watcher: Watcher
    steps: list[Played] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Plays a step; what is appended to the list is told about it."""
        start, told = self.clock(), list[str]()
        try:
            with self.watcher.stage(name):
                yield told
                for line in told:
                    self.watcher.note(line)
        except JamError as error:
            self._end(name, "failed", start, detail=f"{error.code}: {error.message}")
            raise
        self._end(name, "passed", start, detail="; ".join(told))

    def _end(self, name: str, outcome: str, start: float, *, detail: str) -> None:
        seconds = round(self.clock() - start, 2)
        self.steps.append(Played(name=name, outcome=outcome, seconds=seconds, detail=detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story is played: a copy of the site, a cloud, a browser."""

    site: Path
    artifacts: Path
    endpoint: str
    environment: Mapping[str, str] = field(repr=False)
    browser: Browser

    def jam(self, *arguments: str) -> dict[str, Any]:
        """Runs a command as a user would; gives its JSON, raises its error."""
        done = subprocess.run(
            [sys.executable, "-m", "runner", *arguments, "--json"],
            cwd=self.site,
            env={**self.environment, "AWS_ENDPOINT_URL": self.endpoint},
            capture_output=True,
            text=True,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout or "{}")
        if done.returncode == 0:
            return answer
        said = answer.get("error", {"code": "JAM-REHEARSAL", "message": done.stderr[-2000:]})
        raise _failed(said["code"], said["message"], hint=said.get("hint", ""))


def perform(
    site: Path,
    *,
    environment: Mapping[str, str],
    artifacts: Path,
    watcher: Watcher,
    clock: Callable[[], float],
    keep: bool,
    wait: Callable[[], None],
) -> dict[str, Any]:
    """Sets the stage, plays the story, gives the receipt; `wait` holds it open with `keep`."""
    start = clock()
    artifacts.mkdir(parents=True, exist_ok=True)
    story = Story(clock=clock, watcher=watcher)
    surrounding = {**environment, **CREDENTIALS}
    with (
        tempfile.TemporaryDirectory(prefix="jam-rehearsal-") as folder,
        cloud(surrounding, log=artifacts / "cloud.log") as endpoint,
    ):
        stage = Stage(
            site=copy_of(site, Path(folder)),
            artifacts=artifacts,
            endpoint=endpoint,
            environment=surrounding,
            browser=Browser(node=find(Path(folder)).node, path=environment.get("PATH")),
        )
        fault = _play(stage, story)
        if keep:
            watcher.note(f"left running until interrupted: {endpoint}, the site in {stage.site}")
            wait()
    return _receipt(story, seconds=clock() - start, fault=fault)


def _play(stage: Stage, story: Story) -> JamError | None:
    try:
        rehearse(stage, story)
    except JamError as error:
        return error
    return None


def rehearse(stage: Stage, story: Story) -> None:
    """Plays every step; raises at the first that fails."""
    with story.step("bootstrap"):
        stage.jam("bootstrap")
    with story.step("first deploy") as told:
        url = _deployed(stage, told, expected="live")
    with story.step("look") as told:
        told.extend(_look(stage, url, _script(stage.site), shot="first.png"))
    with story.step("change") as told:
        _change(stage.site)
        url = _deployed(stage, told, expected="live")
    with story.step("look again") as told:
        seen = [{"see": {"selector": "body", "text": MARK}}]
        told.extend(_look(stage, url, seen, shot="changed.png"))
    with story.step("deploy the same again") as told:
        _deployed(stage, told, expected="unchanged")


def copy_of(site: Path, folder: Path) -> Path:
    """A copy to play with: nothing of the original is touched."""
    target = folder / site.resolve().name
    shutil.copytree(site, target, ignore=shutil.ignore_patterns(*COPIED_NOT))
    return target


def _receipt(story: Story, *, seconds: float, fault: JamError | None) -> dict[str, Any]:
    """interface.md's receipt; rollouts, previews and the audit join with their commands."""
    error = {"code": fault.code, "message": str(fault), "hint": fault.hint} if fault else None
    return {
        "outcome": "failed" if fault else "passed",
        "seconds": round(seconds, 1),
        "steps": [asdict(step) for step in story.steps],
        "rollouts": [],
        "previews": [],
        **({"error": error} if error else {}),
    }


@contextmanager
def cloud(environment: Mapping[str, str], *, log: Path) -> Iterator[str]:
    """An embedded cloud in a process of its own; gives its endpoint, ends it afterwards."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "cloud", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise _failed(
                "JAM-CLOUD", f"the embedded cloud did not start: {log.read_text()[-2000:]}"
            )
        yield str(json.loads(line)["endpoint"])
    finally:
        process.terminate()
        process.wait(READY)


def _deployed(stage: Stage, told: list[str], *, expected: str) -> str:
    answer = stage.jam("deploy")
    if answer["outcome"] != expected:
        said = f"the deploy ended as {answer['outcome']}, not as {expected}"
        raise _failed("JAM-REHEARSAL", said)
    uploaded = answer["uploaded"]
    told.append(
        f"release {answer['release'][:8]}: {answer['calls']} AWS calls, "
        f"{uploaded['files']} files uploaded, {len(answer['checks'])} checks passed"
    )
    told.append(str(answer["local_url"]))
    return str(answer["local_url"])


def _look(stage: Stage, url: str, script: list[dict[str, Any]], *, shot: str) -> list[str]:
    if not stage.browser.is_there():
        return ["no browser is installed: the pages were fetched by `deploy` alone"]
    picture = str(stage.artifacts / shot)
    seen = stage.browser.play([{"goto": url}, *script, {"screenshot": picture}])
    if seen.faults:
        raise _failed("JAM-REHEARSAL", f"the page has errors: {'; '.join(seen.faults)}")
    return [f"a browser saw it: {picture}"]


def _script(site: Path) -> list[dict[str, Any]]:
    file = site / SCRIPT
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    return found


def _change(site: Path) -> None:
    """Adds a visible line to the start page, where its source is plain HTML."""
    for page in (site / name for name in ("index.html", "public/index.html", "src/index.html")):
        if page.is_file() and "</body>" in (text := page.read_text()):
            page.write_text(text.replace("</body>", f"<p>{MARK}</p></body>"))
            return
    raise JamError(
        "JAM-REHEARSAL",
        "the rehearsal found no index.html to change",
        hint="It looks in the site's folder, public/ and src/ for a page with </body>.",
        turn=Turn.SITE,
    )


def _failed(code: str, message: str, *, hint: str = "") -> JamError:
    hint = hint or "Play it with --keep and look at what is left running."
    return JamError(code, message, hint=hint, turn=Turn.US)
