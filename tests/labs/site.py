"""The lab's site on an embedded cloud whose clock moves by sleeping alone, and what is seen of it.

A release shows its number everywhere: in a document, in an asset and in a function's answer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from runner.asked import asking, recorded
from runner.aws.bootstrap import bootstrap
from runner.aws.looks_at_live import UNPREPARED, Early
from runner.aws.written import Staged
from runner.collect import collect
from runner.config.load import Config, Overrides, load
from runner.decide import Decided, against_live
from runner.deploy import release
from runner.destroy import Doom, destroy
from runner.errors import JamError
from runner.fetch import Answer, fetch_from
from runner.local.cloud import Cloud
from runner.model import Kind, Release
from runner.names import Names
from runner.package.manifest import identity
from runner.plan.retention import Retention
from runner.rollback import Wish, rollback
from runner.verify import NAVIGATION
from runner.world import Way, World
from tests.aws_site import a_release, zipped
from tests.labs.crash import Account, Crash, Wire

SETTINGS = 'site = "lab"\n[build]\npublish = "public"\n[production.rollout]\n'
KEEPS = Retention()
UPDATED = 60.0  # seconds, by which Lambda has taken a change of code
BY_HAND = zipped(
    "index.mjs", "export const handler = async () => ({ statusCode: 200, body: 'hand' });"
)
LATER = 600.0  # seconds after which nobody waits for a dead run any more


class Silent:
    """Watches without a word."""

    def stage(self, _name: str) -> Any:
        return nullcontext()

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_named: None


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers that one visitor got; empty where there was no answer of ours."""

    document: str
    asset: str
    function: str

    @property
    def is_mixed(self) -> bool:
        return not (self.document == self.asset == self.function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the site: `code` is its function's number, `number` its run's."""

    page: str
    code: str
    number: int
    attempt: int = 1

    @property
    def again(self) -> Commit:
        return replace(self, attempt=self.attempt + 1)


class Site:
    """One site in one cloud. Each run has an account of its own and dies with it."""

    def __init__(self, cloud: Cloud, folder: Path, *, strategy: str = "all-at-once") -> None:
        self.cloud = cloud
        self.folder = folder
        self.said = ""  # by the last error
        self.remembered: dict[str, Staged] = {}  # what ready releases consist of
        self._over = threading.Event()
        self._moving = threading.Lock()
        self.config = self._config(strategy)
        cloud.reset()
        cloud.clock.jump(cloud.clock.now())
        self.aws = Site.other_account(self, Wire())  # whoever looks on is not spoiled
        self._runs: Account | None = None
        self.names = Names("lab", self.aws.account, self.aws.region)
        bootstrap(self.aws, lambda _line: None)

    def close(self) -> None:
        """Ends the hearts of the runs that died."""
        self._over.set()

    def account(self, wire: Wire) -> Account:
        """For one run after the other: clients cost more than the calls of a run."""
        if self._runs is None:
            self._runs = self.other_account(wire)
        self._runs.wire = wire
        return self._runs

    def other_account(self, wire: Wire) -> Account:
        """For a run beside another."""
        return Account(wire, self.cloud, clock=self.cloud.clock.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Time passes for whoever has the turn; a lease's heart in its own thread beats no more."""
        if threading.current_thread().daemon:
            self._over.wait()
            return
        with self._moving:
            self.cloud.clock.jump(self.cloud.clock.now() + seconds)

    def deploy(
        self,
        commit: Commit,
        wire: Wire,
        *,
        way: Way | None = None,
        aws: Account | None = None,
    ) -> str:
        """The outcome, the code of the error, or `crashed`."""

        def run() -> str:
            mine, world = aws or self.account(wire), self.world(commit)
            # As in a workflow, where runs are numbered, or by hand.
            before = recorded(mine, self.names) if commit.number % 2 else None
            with asking(mine, self.names, world, before=before) as asked:
                decided = self.decided(commit, mine, way=way or Way(now=True), early=asked.early)
                return release(decided, world, asked=asked).outcome

        return self._ended(run)

    def back(
        self, to: Commit, wire: Wire, *, hold: bool = False, aws: Account | None = None
    ) -> str:
        """`live`, `unchanged`, the code of the error, or `crashed`."""
        wish = Wish(release=self.release_of(to).id, hold=hold, by="lab", run="lab")
        clock, silent = self.cloud.clock.now, Silent()

        def run() -> str:
            mine = aws or self.account(wire)
            went = rollback(mine, self.names, wish, watcher=silent, clock=clock)  # type: ignore[arg-type]  # it answers to every name
            return went[0].outcome

        return self._ended(run)

    def gone(self, wire: Wire) -> str:
        """`removed`, the code of the error, or `crashed`."""

        def remove() -> str:
            destroy(self.account(wire), self.names, Doom(run="lab"), say=str)
            return "removed"

        return self._ended(remove)

    def collect(self, wire: Wire, retention: Retention = KEEPS) -> str:
        """`collected`, the code of the error, or `crashed`."""

        def tidy() -> str:
            collect(self.account(wire), self.names, retention, run="lab", say=str)
            return "collected"

        return self._ended(tidy)

    def meddle(self) -> None:
        """Somebody uploads other code by hand, and is done; Lambda may be busy with ours."""
        try:
            self.aws.functions.update_function_code(
                FunctionName=self.names.function("notes/[id]"), ZipFile=BY_HAND
            )
        except self.aws.functions.exceptions.ResourceConflictException:
            return
        self.sleep(UPDATED)

    def _ended(self, run: Callable[[], str]) -> str:
        try:
            return run()
        except JamError as error:
            self.said = error.message
            return error.code
        except Crash:
            return "crashed"

    def decided(
        self,
        commit: Commit,
        aws: Account,
        *,
        way: Way,
        early: Callable[[str], Early] = lambda _release: UNPREPARED,
    ) -> Decided:
        """As `decide` does, for a release that was built already."""
        wanted = self.release_of(commit)
        return against_live(
            self.config,
            self.world(commit),
            way,
            aws=aws,
            names=self.names,
            release=wanted,
            begun=0.0,
            early=early(wanted.id),
        )

    def release_of(self, commit: Commit) -> Release:
        """Always the same for the same commit."""
        made = a_release(self.folder, page=commit.page, code=commit.code)
        sheet = commit.page.encode()
        source = self.folder / f"{commit.page}.css"
        source.write_bytes(sheet)
        asset = replace(
            made.files[0],
            path="app.css",
            key="app.css",
            kind=Kind.ASSET,
            digest=sha256(sheet).hexdigest(),
            size=len(sheet),
            content_type="text/css; charset=utf-8",
            source=source,
        )
        whole = replace(made, files=(*made.files, asset), id="")
        return replace(whole, id=identity(whole, {}))

    def world(self, commit: Commit) -> World:
        return World(
            environment={
                **os.environ,  # the guard's packages come from this machine's index
                "AWS_ENDPOINT_URL": self.cloud.endpoint,
                "GITHUB_RUN_NUMBER": str(commit.number),
                "GITHUB_RUN_ATTEMPT": str(commit.attempt),
                "GITHUB_SHA": f"{commit.number:040x}",
            },
            clock=self.cloud.clock.now,
            now=self.cloud.clock.now,
            sleep=self.sleep,
            chance=lambda: 0.5,
            watcher=Silent(),  # type: ignore[arg-type]  # it answers to every name
            cache=self.folder / "cache",
        )

    def visit(self, *, pinned: Commit | None = None) -> Seen:
        """One visitor, from a document to what it loads and calls, by their pin if they have one.

        Whoever is `pinned` has the document already.
        """
        domain = self._domain()
        if not domain:
            return Seen("", "", "")
        get = fetch_from(f"https://{domain}", connect_to=self.cloud.endpoint)
        if pinned:
            document, pin = pinned.page, f"jam-pin={self.release_of(pinned).id}.0"
        else:
            page = get("/", NAVIGATION)
            document = _number(page)
            pin = page.headers.get("set-cookie", "").partition(";")[0]
        cookie = {"cookie": pin} if pin else {}
        return Seen(
            document=document,
            asset=_number(get("/app.css", cookie)),
            function=_number(get("/.functions/notes/1", cookie)),
        )

    def _domain(self) -> str:
        found = self.aws.edge.list_distributions()["DistributionList"].get("Items", [])
        return found[0]["DomainName"] if found else ""

    def _config(self, strategy: str) -> Config:
        root = self.folder / "root"
        (root / "public").mkdir(parents=True, exist_ok=True)
        (root / "public" / "index.html").write_text("never built")
        (root / "jam.toml").write_text(f'{SETTINGS}strategy = "{strategy}"\n')
        return load(root, None, Overrides(site="", region="eu-central-1", default_region=""))


def _number(answer: Answer) -> str:
    return answer.body.decode() if answer.status == 200 else ""
