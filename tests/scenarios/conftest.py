"""An embedded cloud and copies of sites: what scenarios play on, driven from outside alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from runner.rehearsal.stage import CREDENTIALS, copy_of
from tests import warm

ROOT = Path(__file__).parents[2]
SPEED = 6.0  # cloud seconds in one of ours: a version is ready after some, a lease lasts on
KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "XDG_CACHE_HOME",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "SSL_CERT_FILE",
)
ENVIRONMENT = {name: os.environ[name] for name in KEPT if name in os.environ} | CREDENTIALS


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    answer: dict[str, Any]
    log: str

    @property
    def error(self) -> dict[str, str]:
        return self.answer["error"]


def fresh(
    before: str, words: list[str], *, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command started from a shell that something was done in before."""
    return subprocess.run(
        ["sh", "-c", f'{before} exec "$@"', "sh", sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Site:
    """A copy of a site and the cloud that it is deployed to."""

    folder: Path
    endpoint: str
    environment: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))

    def jam(self, *arguments: str, before: str = "", **environment: str) -> Done:
        """Runs a command as a user would; `before` is a shell command in the same shell."""
        words = [*arguments, "--json"]
        around = {**self.environment, "AWS_ENDPOINT_URL": self.endpoint, **environment}
        if before:
            done = fresh(before, words, folder=self.folder, environment=around)
        else:
            done = warm.run(words, folder=self.folder, environment=around)
        return Done(done.returncode, json.loads(done.stdout or "{}"), done.stderr)

    def deploy(self) -> dict[str, Any]:
        done = self.jam("deploy", "--now")
        assert done.status == 0, done.log[-4000:] + json.dumps(done.answer)
        return done.answer

    def get(self, url: str, path: str, method: str = "GET", **headers: str):
        """Fetches from a distribution (`url` is the real one) on the embedded cloud."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib3.request(
            method,
            self.endpoint + path,
            headers={"host": urlsplit(url).netloc, "accept-encoding": "identity", **named},
            redirect=False,
            retries=False,
        )

    def visit(self, url: str, path: str):
        """As a browser that follows a link."""
        return self.get(url, path, sec_fetch_mode="navigate", accept="text/html")

    def hasten(self, speed: float) -> None:
        """So many seconds of the cloud in one of ours, until it is told otherwise."""
        urllib3.request("POST", f"{self.endpoint}/_jam/clock", json={"speed": speed})

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("cloud") / "cloud.log"
    with warm.cloud(ENVIRONMENT, log=log, speed=SPEED) as address:
        yield address


@pytest.fixture(scope="module")
def account(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An account that an administrator has bootstrapped."""
    site = Site(tmp_path_factory.mktemp("admin"), endpoint)
    assert site.jam("bootstrap").status == 0
    return endpoint


@pytest.fixture(scope="module")
def notes(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """examples/notes, deployed once."""
    folder = copy_of(ROOT / "examples" / "notes", tmp_path_factory.mktemp("site"))
    return Site(folder, account)


@pytest.fixture
def plain(account: str, tmp_path: Path) -> Site:
    """A small site of its own name without a build: for what must go wrong."""
    folder = tmp_path / "site"
    folder.mkdir()
    name = "s" + tmp_path.name.replace("_", "-").lower()[-18:].strip("-")
    (folder / "jam.toml").write_text(f'site = "{name}"\n[build]\npublish = "public"\n')
    (folder / "public").mkdir()
    (folder / "public" / "index.html").write_text("<h1>Hello</h1>")
    return Site(folder, account)


@pytest.fixture(scope="session")
def pictures() -> Path:
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
