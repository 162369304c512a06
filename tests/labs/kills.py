"""The real process, killed at a random moment; the next command finds its way.

The cloud is in this process, its clock runs: a dead run's lease is waited for by advancing it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from runner.fetch import Answer, fetch_from
from runner.local.cloud import Cloud
from runner.rehearsal.stage import CREDENTIALS
from runner.verify import NAVIGATION
from tests.labs.checks import Trouble

SETTINGS = 'site = "killed"\n[build]\npublish = "public"\n'
SPEED = 12.0  # faster, and a busy machine would lose its lease while it lives
LEASE = 200.0  # seconds of the cloud's time after which a dead run's lease is over
THENS = ("the same commit", "a newer commit", "rollback", "destroy")


@dataclass
class Killed:
    """A site whose deploys die by SIGKILL; `seed` says when, and what comes after."""

    folder: Path
    cloud: Cloud
    number: int = 0
    known: list[tuple[int, str]] = field(default_factory=list)  # numbers and releases, deployed
    usual: float = 5.0  # seconds that a deploy took here when something was live before it
    spared: int = 0  # deploys that had ended before they were to die
    url: str = ""

    def bootstrap(self) -> None:
        self.folder.mkdir(exist_ok=True)
        status, answer = self.jam("bootstrap")
        assert status == 0, answer

    def write(self, number: int) -> None:
        public = self.folder / "public"
        public.mkdir(parents=True, exist_ok=True)
        (self.folder / "jam.toml").write_text(SETTINGS)
        (public / "index.html").write_text(f"<p>{number}</p>")
        (public / "app.css").write_text(f"p::after {{ content: '{number}' }}")

    def jam(self, *words: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            self._command(words), cwd=self.folder, env=self._environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout or "{}")

    def dies(self, after: float, *words: str) -> bool:
        """Whether it was still at work `after` so many seconds, and died of SIGKILL."""
        with subprocess.Popen(
            self._command(words), cwd=self.folder, env=self._environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as running:  # fmt: skip
            with suppress(subprocess.TimeoutExpired):
                running.wait(timeout=after)
            running.kill()
        return running.returncode == -signal.SIGKILL

    def visit(self) -> tuple[str, str]:
        get = fetch_from(self.url, connect_to=self.cloud.endpoint)
        page = get("/", NAVIGATION)
        pin = page.headers.get("set-cookie", "").partition(";")[0]
        sheet = get("/app.css", {"cookie": pin} if pin else {})
        return _digits(page), _digits(sheet)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "runner", *words, "--json"]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,  # the guard's packages come from this machine's index
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }


def kill(site: Killed, seed: int) -> Iterator[Trouble]:
    """One deploy, killed; one command after it; and what is there then."""
    chance = Random(seed)
    if not site.known:
        yield from _deployed(site)
    if not site.known:
        return
    before, _ = site.known[-1]
    site.number += 1
    site.write(site.number)
    if not site.dies(chance.random() * site.usual, "deploy", "--now"):
        site.spared += 1  # it was quicker than the one before: nothing was killed
    shown = site.visit()
    if shown not in {(str(each),) * 2 for each in (before, site.number)}:
        yield Trouble("mixed", f"visitors get {shown} after a kill")
    site.cloud.clock.run(site.cloud.clock.now() + LEASE)
    then = chance.choice(THENS)
    yield from (Trouble(each.kind, f"{then}: {each.what}") for each in _goes_on(site, then))


def _goes_on(site: Killed, then: str) -> Iterator[Trouble]:
    if then == "destroy":
        yield from _ends_well(site, "destroy", "--all", "--yes")
        yield from _accounted(site)
        site.known.clear()
        return
    if then == "rollback":
        number, release = site.known[-1]
        yield from _ends_well(site, "rollback", release, "--no-hold")
        yield from _shows(site, number)
    else:
        site.number += then == "a newer commit"
        site.write(site.number)
        yield from _deployed(site)
    yield from _accounted(site)


def _deployed(site: Killed) -> Iterator[Trouble]:
    """What the folder has is live; how long that takes is how late the next one dies."""
    site.number = site.number or 1
    site.write(site.number)
    begun = time.monotonic()
    status, answer = site.jam("deploy", "--now")
    site.usual = time.monotonic() - begun if site.known else site.usual
    if status:
        yield Trouble("loss", f"status {status}: {answer.get('error')}")
        return
    site.url = answer["url"]
    site.known.append((site.number, answer["release"]))
    yield from _shows(site, site.number)


def _ends_well(site: Killed, *words: str) -> Iterator[Trouble]:
    status, answer = site.jam(*words)
    if status:
        yield Trouble("loss", f"status {status}: {answer.get('error')}")


def _shows(site: Killed, number: int) -> Iterator[Trouble]:
    if (shown := site.visit()) != (str(number),) * 2:
        yield Trouble("loss", f"visitors get {shown}, not {number}")


def _accounted(site: Killed) -> Iterator[Trouble]:
    _, told = site.jam("audit")
    for each in told["resources"]:
        if not each["explained_by"]:
            yield Trouble("orphan", f"{each}, by audit")


def _digits(answer: Answer) -> str:
    return "".join(each for each in answer.body.decode() if each.isdigit())
