"""Where a rehearsal is played: a copy of the site, a cloud of its own, the commands of a user."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import JamError, Turn
from runner.local.browser import Browser
from runner.report.watch import Watcher

# Cloud seconds in one of ours: two cores bear about 200 requests a second, a session has ten.
SPEED = 12.0
READY = 60  # seconds for the cloud to start on a busy machine
# Credentials for the embedded cloud: it asks who calls, not whether they may.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "rehearsal",
    "AWS_SECRET_ACCESS_KEY": "rehearsal",
    "AWS_REGION": "eu-central-1",
}
COPIED_NOT = ("node_modules", ".jam", ".git", "artifacts")
_PATIENCE = 60  # seconds for the cloud's own addresses: a leap may wait for what is under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One step of the story."""

    name: str
    outcome: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """Resources that nothing explained while the site stood, and that its end left."""

    unexplained: int
    left_after_destroy: int


@dataclass(slots=True, kw_only=True)
class Story:
    """What has been played so far; the one mutable thing here."""

    clock: Callable[[], float]
    watcher: Watcher
    steps: list[Played] = field(default_factory=list)
    rollouts: list[dict[str, Any]] = field(default_factory=list)
    previews: list[dict[str, Any]] = field(default_factory=list)
    audit: Audited | None = None

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
    """Where the story is played: a copy of the site, a cloud, a browser.

    `clock` and `sleep` are in seconds of ours, of which the cloud has `speed`; `epoch` gives its
    seconds where it is no cloud of ours that can be asked. Without an `endpoint` it is AWS.
    """

    site: Path
    artifacts: Path
    endpoint: str
    environment: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    browser: Browser | None = None
    epoch: Callable[[], float] | None = None
    speed: float = SPEED

    def jam(self, *arguments: str, fine: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """Runs a command as a user would; gives its JSON, raises its error."""
        process = self.begin(*arguments, log=subprocess.PIPE)
        try:
            said, log = process.communicate()
        except BaseException:  # whoever is interrupted leaves nobody at work
            process.terminate()
            process.wait()
            raise
        return answer_of(said, log=log or "", status=process.returncode, fine=fine)

    def begin(self, *arguments: str, log: Any) -> subprocess.Popen[str]:
        """The same, as a process that goes on: its JSON on standard output, the rest to `log`."""
        near = {"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {}
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *arguments, "--json"],
            cwd=self.site,
            env={**self.environment, **near},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def cloud(self, path: str, body: Mapping[str, Any] | None = None, method: str = "") -> Any:
        """Asks the embedded cloud's own `/_jam/` addresses."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  # this machine's loopback
            f"{self.endpoint}/_jam/{path}", data=data, method=method or ("POST" if data else "GET")
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
            return json.load(answer)

    def now(self) -> float:
        """Seconds of the epoch by the cloud's clock."""
        if self.epoch:
            return self.epoch()
        return float(self.cloud("clock")["now"])


def answer_of(said: str, *, log: str, status: int, fine: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """A command's JSON; raises its error where its exit status is none of `fine`."""
    answer: dict[str, Any] = json.loads(said or "{}")
    if status in fine:
        return answer
    error = answer.get("error", {"code": "JAM-REHEARSAL", "message": log[-2000:]})
    turn = Turn(status) if status in set(Turn) else Turn.US
    raise failed(error["message"], code=error["code"], hint=error.get("hint", ""), turn=turn)


def copy_of(site: Path, folder: Path) -> Path:
    """A copy to play with: nothing of the original is touched."""
    target = folder / site.resolve().name
    shutil.copytree(site, target, ignore=shutil.ignore_patterns(*COPIED_NOT))
    return target


@contextmanager
def cloud(environment: Mapping[str, str], *, log: Path, speed: float = 1.0) -> Iterator[str]:
    """An embedded cloud in a process of its own; gives its endpoint, ends it afterwards."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "cloud", "--port", "0", "--speed", str(speed)],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            said = f"the embedded cloud did not start: {log.read_text()[-2000:]}"
            raise failed(said, code="JAM-CLOUD")
        yield str(json.loads(line)["endpoint"])
    finally:
        process.terminate()
        process.wait(READY)


def failed(
    message: str, *, code: str = "JAM-REHEARSAL", hint: str = "", turn: Turn = Turn.US
) -> JamError:
    """What ends a rehearsal."""
    hint = hint or "Play it with --keep and look at what is left running."
    return JamError(code, message, hint=hint, turn=turn)
