"""A small site whose pull requests are shown on an embedded cloud, in this process.

Every run has its own account object; what it sends is counted by operation.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from runner.aws.bootstrap import bootstrap
from runner.closing import close
from runner.config.load import Config, Overrides, load
from runner.decide import decide
from runner.deploy import release
from runner.errors import JamError
from runner.fetch import Answer
from runner.local.cloud import Cloud
from runner.names import Names
from runner.preview import Pull, Shown, preview
from runner.report.text import Outcome
from runner.turn import origin_of
from runner.world import Way, World
from tests.labs.crash import Account, Crash, Wire

NAVIGATION = {"sec-fetch-mode": "navigate", "accept": "text/html"}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jam-deploy"


@dataclass
class Watching:
    """Remembers what a run said and planned; `before` a stage something happens, once."""

    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def stage(self, name: str) -> Any:
        self.before.pop(name, bool)()
        return nullcontext()

    def note(self, line: str) -> None:
        self.notes.append(line)

    def planned(self, plan: Any) -> None:
        self.steps += [str(step) for step in plan]

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_named: None


@dataclass
class Ran:
    """One run: what it ended in, what it sent, what it planned."""

    shown: Shown
    wire: Wire
    watching: Watching

    @property
    def outcome(self) -> Outcome:
        return self.shown.outcome

    @property
    def steps(self) -> list[str]:
        return self.watching.steps


class PreviewedSite:
    """One site and its working folder; time passes by sleeping alone."""

    def __init__(
        self, cloud: Cloud, folder: Path, *, site: str = "shop", settings: str = ""
    ) -> None:
        self.cloud = cloud
        self.folder = folder
        self._moving = threading.Lock()
        self._over = threading.Event()
        cloud.clock.jump(cloud.clock.now())
        self.onlooker = self.account(Wire())
        self.names = Names(site, self.onlooker.account, self.onlooker.region)
        (folder / "public").mkdir(parents=True, exist_ok=True)
        self.write("public/index.html", "<p>first")
        self.settings(settings, site=site)

    @classmethod
    def in_new_account(cls, cloud: Cloud, folder: Path, **more: str) -> PreviewedSite:
        cloud.reset()
        made = cls(cloud, folder, **more)
        bootstrap(made.onlooker, lambda _line: None)
        return made

    def settings(self, text: str, *, site: str = "") -> None:
        head = f'site = "{site or self.names.site}"\n'
        rest = '[build]\npublish = "public"\n[production.rollout]\nstrategy = "all-at-once"\n'
        self.write("jam.toml", head + rest + text)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def end(self) -> None:
        """All runs are over: their hearts end, and what these hold on to."""
        over, self._over = self._over, threading.Event()
        over.set()

    @property
    def config(self) -> Config:
        return load(self.folder, None, Overrides(region="eu-central-1", site="", default_region=""))

    def account(self, wire: Wire) -> Account:
        return Account(wire, self.cloud, clock=self.cloud.clock.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        if threading.current_thread().daemon:  # a lease's heart: nobody is waited for here
            self._over.wait()
            return
        with self._moving:
            self.cloud.clock.jump(self.cloud.clock.now() + seconds)

    def world(
        self, watching: Watching, *, run: int, more: Mapping[str, str] | None = None
    ) -> World:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/deploy.yml@main",
            "GITHUB_RUN_NUMBER": str(run),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SHA": f"{run:040x}",
            **(more or {}),
        }
        return World(
            environment=environment,
            clock=self.cloud.clock.now,
            now=self.cloud.clock.now,
            sleep=self.sleep,
            chance=lambda: 0.5,
            watcher=watching,  # type: ignore[arg-type]  # it answers to every name
            cache=CACHE,
        )

    def preview(
        self,
        number: int = 7,
        *,
        run: int = 1,
        private: bool = True,
        wire: Wire | None = None,
        environment: Mapping[str, str] | None = None,
        config: Config | None = None,
        before: Mapping[str, Callable[[], object]] | None = None,
    ) -> Ran:
        sent, watching = wire or Wire(), Watching(before=dict(before or {}))
        world = self.world(watching, run=run, more=environment)
        pull = Pull(number=number, private=private)
        shown = preview(config or self.config, world, pull, aws=self.account(sent))
        return Ran(shown, sent, watching)

    def close(self, number: int = 7, *, run: int = 9, wire: Wire | None = None) -> Outcome:
        world = self.world(Watching(), run=run)
        return close(
            self.account(wire or Wire()),
            self.names.preview(number),
            world,
            run="closing",
            origin=origin_of(world.environment),
        )

    def deploy(
        self,
        *,
        run: int = 1,
        repair: bool = False,
        between: Callable[[], object] = bool,
        watching: Watching | None = None,
    ) -> Outcome:
        """Production; `between` plan and lease something happens."""
        world = self.world(watching or Watching(), run=run)
        way = Way(now=True, repair=repair)
        decided = decide(self.config, world, way, aws=self.account(Wire()))
        between()
        return release(decided, world)

    def ended(self, run: Any) -> str:
        """The outcome, the code of the error, or `crashed`."""
        try:
            done = run()
        except JamError as error:
            return error.code
        except Crash:
            return "crashed"
        return str(
            getattr(done, "outcome", done).outcome if isinstance(done, Ran) else done.outcome
        )

    def visitor(self, url: str, **headers: str) -> Visitor:
        return Visitor(self, url, {name.replace("_", "-"): it for name, it in headers.items()})


@dataclass
class Visitor:
    """A browser: it keeps cookies."""

    site: PreviewedSite
    url: str
    headers: dict[str, str]
    cookies: dict[str, str] = field(default_factory=dict)

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Answer:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        found = urllib3.request(
            method,
            self.site.cloud.endpoint + path,
            headers={
                "host": urlsplit(self.url).netloc,
                "accept-encoding": "identity",
                **({"cookie": kept} if kept else {}),
                **self.headers,
                **(headers or {}),
            },
            redirect=False,
            retries=False,
            timeout=60,  # of a busy machine
        )
        for line in found.headers.getlist("set-cookie"):
            self._keep(line)
        told = {name.lower(): value for name, value in found.headers.items()}
        return Answer(status=found.status, headers=told, body=found.data)

    def visit(self, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
        """As a browser follows a link."""
        return self.get(path, {**NAVIGATION, **(headers or {})})

    def _keep(self, line: str) -> None:
        name, _, rest = line.partition("=")
        self.cookies.pop(name, None)
        if "Max-Age=0" not in rest:
            self.cookies[name] = rest.partition(";")[0]


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"preview:{password}".encode()).decode()
    return {"authorization": f"Basic {pair}"}
