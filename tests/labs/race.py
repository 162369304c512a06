"""Two runs of `deploy` on one embedded cloud: one stops at any call while the other goes on.

Only the run that has the turn moves, and the clock moves by sleeping alone: every scenario is the
same each time. A parked run's heart stops with it, as a suspended machine's does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3

from runner.aws import entry, keyvalues, records
from runner.aws.bootstrap import bootstrap
from runner.aws.session import Aws
from runner.config.load import Overrides, load
from runner.decide import Decided, decide
from runner.deploy import release
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.names import Names
from runner.plan.refs import Made
from runner.world import Way, World
from tests.labs import direct

SITE = '[build]\npublish = "public"\n[production.rollout]\nstrategy = "all-at-once"\n'
# Everything by which a run looks at, or changes, what visitors get.
SWITCHING = frozenset(
    {"GetAlias", "UpdateAlias", "DescribeKeyValueStore", "UpdateKeys", "TransactWriteItems"}
)
CALLS = 6  # switching calls of a run that nobody disturbs


class Killed(BaseException):
    """The run's machine is gone: nothing of it happens any more."""


class Silent:
    """Watches without a word, and keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, _name: str) -> Any:
        return nullcontext()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_named: None


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


@dataclass
class Run:
    """One run of deploy. At its `stops_at`-th switching call `meanwhile` happens, before or after.

    `dies`: it never comes back from there.
    """

    number: int
    page: str
    stops_at: int = 0
    after: bool = False
    dies: bool = False
    meanwhile: Callable[[], object] = lambda: None
    calls: list[str] = field(default_factory=list)
    watcher: Silent = field(default_factory=Silent)
    is_dead: bool = False
    turn: Any = field(default_factory=threading.RLock, repr=False)

    def passes(self, operation: str, *, after: bool) -> None:
        with self.turn:  # a machine that sleeps does so with all its threads
            if self.is_dead:
                raise Killed
            if operation not in SWITCHING or after != self.after:
                return
            self.calls.append(operation)
            if len(self.calls) == self.stops_at:
                self.meanwhile()
                if self.dies:
                    self.is_dead = True
                    raise Killed


class Lab:
    """A cloud with one site that was deployed once, and copies of it that differ in a page."""

    def __init__(self, cloud: Cloud, folder: Path, cache: Path) -> None:
        self.cloud = cloud
        self.time = Time()
        self._folder = folder
        self._cache = cache
        self._decided: dict[str, Decided] = {}
        self._number = 0

    def begin(self) -> int:
        """`zero` is live and nothing is left of other races; returns its run's number."""
        self._number += 10
        for page in ("older", "newer") if self._number == 10 else ():
            assert self.race(Run(number=self._number - 5, page=page)) == "live"
        ended = self.race(Run(number=self._number, page="zero"))
        assert ended in ("live", "unchanged"), ended
        assert self.state() == ("zero", "zero", "zero")
        return self._number

    def race(self, run: Run, *, way: Way | None = None) -> str:
        """The run's outcome, or the code of its error; `killed` if it died."""
        world = self._world(run)
        try:
            return release(self._decide(run, world, way=way or Way(now=True)), world).outcome
        except JamError as error:
            return error.code
        except Killed:
            return "killed"

    def state(self) -> tuple[str, str, str]:
        """The page that is live by the record, by the store and by the alias."""
        aws = self.aws(Run(number=0, page=""))
        names = Names("race", aws.account, aws.region)
        found = records.read(aws, names, release="")
        assert found is not None
        there = found[0]
        pages = {each.release.id: page for page, each in self._decided.items()}
        stored = keyvalues.live_release(aws, there.ids[Made.STORE]) or ""
        alias = entry.find_alias(aws, names)
        versions = {}
        for release_id, page in pages.items():
            _, staged = records.read(aws, names, release=release_id) or (None, None)
            if staged:
                versions[staged.entry] = page
        return pages[there.release], pages.get(stored, stored), versions.get(alias or "", "?")

    def _decide(self, run: Run, world: World, *, way: Way) -> Decided:
        root = self._folder / run.page
        if not root.exists():
            (root / "public").mkdir(parents=True)
            (root / "public" / "index.html").write_text(f"<h1>{run.page}</h1>")
            (root / "jam.toml").write_text('site = "race"\n' + SITE)
        config = load(root, None, Overrides(site="", region="eu-central-1", default_region=""))
        decided = decide(config, world, way, aws=self.aws(run))
        self._decided[run.page] = replace(decided, lease=None)
        return decided

    def _world(self, run: Run) -> World:
        return World(
            environment=self.environment(run),
            clock=self.time.now,
            now=self.time.now,
            sleep=self._sleep,
            chance=lambda: 0.5,
            watcher=run.watcher,
            cache=self._cache,
        )

    def environment(self, run: Run) -> Mapping[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "GITHUB_RUN_NUMBER": str(run.number),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SHA": f"{run.number:040x}",
        }

    def _sleep(self, seconds: float) -> None:
        """Time passes for whoever has the turn; a heart in a thread of its own beats no more."""
        if threading.current_thread().daemon:
            threading.Event().wait()
        self.time.pass_by(seconds)

    def aws(self, run: Run) -> Aws:
        session = direct.session(self.cloud)

        def before(model: Any, **_: object) -> None:
            run.passes(model.name, after=False)

        def after(model: Any, **_: object) -> None:
            run.passes(model.name, after=True)

        self.hook(session)
        session.events.register("before-call", before)
        session.events.register("after-call", after)
        return Aws(
            session,
            self.cloud.endpoint,
            clock=self.time.now,
            sleep=self._sleep,
            chance=lambda: 0.5,
        )

    def hook(self, session: boto3.Session) -> None:
        """What stands between every run and AWS: nothing, but of a saboteur."""


@contextmanager
def a_lab(folder: Path, kind: type[Lab] = Lab) -> Iterator[Lab]:
    """A lab upon a cloud of its own, its account bootstrapped."""
    with Cloud(speed=50.0) as cloud:
        lab = kind(cloud, folder / "sites", folder / "cache")
        bootstrap(lab.aws(Run(number=0, page="")), lambda _line: None)
        yield lab
