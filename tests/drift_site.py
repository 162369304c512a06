"""A site with a resource of every kind, deployed once in this process, and hands that break it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.aws.bootstrap import bootstrap
from runner.aws.session import Aws, connect
from runner.config.load import Config, Overrides, load
from runner.decide import against_live, decide
from runner.deploy import release
from runner.doctor import Health, Practice, doctor
from runner.fetch import Answer, fetch_from
from runner.local.cloud import Cloud
from runner.model import Release
from runner.names import Names
from runner.report.text import Outcome
from runner.verify import NAVIGATION
from runner.world import Way, World

SETTINGS = """
site = "drift"
region = "eu-central-1"
[build]
publish = "public"
[tables.notes]
[functions.hello]
tables = ["notes:rw"]
[functions.tick]
schedule = "rate(1 hour)"
[functions.work]
async = true
methods = ["POST"]
[functions.flow]
stream = true
"""
HELLO = "export default async () => new Response('hello');"
SPEED = 50.0


@dataclass
class Lines:
    """A watcher that remembers what it was told."""

    notes: list[str] = field(default_factory=list)

    def stage(self, _name: str) -> Any:
        return nullcontext()

    def note(self, line: str) -> None:
        self.notes.append(line)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_named: None


class Site:
    """The site on its cloud; it is built once."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        _written(folder)
        self.watcher = Lines()
        self.config: Config = load(folder, None, Overrides())
        self.aws = self.account()
        bootstrap(self.aws, lambda _line: None)
        self.names = Names("drift", self.aws.account, self.aws.region)
        decided = decide(self.config, self.world(), Way(now=True), aws=self.aws)
        self.release: Release = decided.release
        self.first = release(decided, self.world())

    def account(self) -> Aws:
        return connect(
            region="eu-central-1",
            endpoint=self.cloud.endpoint,
            clock=self.cloud.clock.now,
            sleep=lambda seconds: time.sleep(seconds / SPEED),
            chance=random.random,
        )

    def world(self) -> World:
        return World(
            environment={**os.environ, "AWS_ENDPOINT_URL": self.cloud.endpoint},
            clock=self.cloud.clock.now,
            now=self.cloud.clock.now,
            sleep=lambda seconds: time.sleep(seconds / SPEED),
            chance=random.random,
            watcher=self.watcher,  # type: ignore[arg-type]  # it answers to every name
            cache=Path.home() / ".cache" / "jam-deploy",
        )

    def deploy(
        self, *, repair: bool = False, empty_tables: frozenset[str] = frozenset()
    ) -> Outcome:
        """The same build again, by a run of its own."""
        aws = self.account()
        self.watcher.notes.clear()
        way = Way(now=True, repair=repair or bool(empty_tables), empty_tables=empty_tables)
        assert aws.account  # a deploy's first call
        decided = against_live(
            self.config,
            self.world(),
            way,
            aws=aws,
            names=self.names,
            release=self.release,
            begun=self.cloud.clock.now(),
        )
        return release(decided, self.world())

    def doctor(self) -> Health:
        return doctor(self.account(), self.names, Practice(tables=self.config.tables))

    @property
    def found(self) -> list[str]:
        """What doctor finds, as `kind name state`."""
        findings = self.doctor().drift.findings
        return sorted(f"{each.kind} {each.name}: {each.state}" for each in findings)

    @property
    def writes(self) -> list[str]:
        return [each.name for each in self.cloud.journal.writes(since=self.mark)]

    mark = 0

    def watched(self) -> None:
        self.mark = self.cloud.journal.last

    def visit(self, path: str = "/") -> Answer:
        domain = self.domain
        return fetch_from(f"https://{domain}", connect_to=self.cloud.endpoint)(path, NAVIGATION)

    @property
    def domain(self) -> str:
        listed = self.aws.edge.list_distributions()["DistributionList"]
        (one,) = listed["Items"]
        return str(one["DomainName"])

    @property
    def store(self) -> str:
        found = self.aws.edge.describe_key_value_store(Name=self.names.store)
        return str(found["KeyValueStore"]["ARN"])

    @property
    def api(self) -> str:
        return str(self.aws.api.get_apis()["Items"][0]["ApiId"])


def _written(folder: Path) -> None:
    for name in ("functions", "public"):
        (folder / name).mkdir()
    (folder / "jam.toml").write_text(SETTINGS)
    for name in ("hello", "tick", "work", "flow"):
        (folder / "functions" / f"{name}.mjs").write_text(HELLO)
    (folder / "public" / "index.html").write_text("<h1>one</h1>")
    (folder / "public" / "about.html").write_text("<h1>about</h1>")
    (folder / "public" / "_headers").write_text("/*\n  x-from: drift\n")
