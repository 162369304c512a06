"""One run of the action: its event and inputs, the world, what it says and to whom."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.action.console import Console
from runner.action.identity import identity_of
from runner.action.inputs import Inputs
from runner.action.log import Log
from runner.action.telling import Telling
from runner.aws.session import Aws
from runner.build.apart import Apart
from runner.config.load import Config, Overrides, load, whereabouts
from runner.config.source import FILE, top_line
from runner.errors import JamError, Turn
from runner.event import Event
from runner.github import GitHub
from runner.github.attempt import Missed
from runner.github.client import connect
from runner.github.codes import DOWN
from runner.github.history import ancestry
from runner.names import PRODUCTION, Names
from runner.plan.order import IsAncestor
from runner.turn import run_of
from runner.world import World, account_of

PATIENT, HURRIED = 20, 2  # seconds that one request to GitHub may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What comes in by the action's front door; times as in `runner.world.World`."""

    environment: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    cache: Path
    apart: Apart | None = None

    @property
    def workspace(self) -> Path:
        return Path(self.environment.get("GITHUB_WORKSPACE") or ".").resolve()

    def job(self, inputs: Inputs, event: Event, console: Console) -> Job:
        log = Log(console, self.clock)
        github = self.github(inputs.github_token)
        return Job(
            inputs=inputs,
            event=event,
            world=self._world(inputs, log, console, is_ancestor=_known_to(github)),
            console=console,
            log=log,
            github=github,
            outside=self,
        )

    def _world(
        self, inputs: Inputs, log: Log, console: Console, *, is_ancestor: IsAncestor
    ) -> World:
        role, run = inputs.role_to_assume, self.environment.get("GITHUB_RUN_ID", "")
        return World(
            environment=self.environment,
            clock=self.clock,
            now=self.now,
            sleep=self.sleep,
            chance=self.chance,
            watcher=log,
            cache=self.cache,
            apart=self.apart,
            is_ancestor=is_ancestor,
            identity=identity_of(role, run, self.environment, mask=console.mask) if role else None,
        )

    def github(self, token: str, *, hurried: bool = False) -> Callable[[], GitHub]:
        """The way to GitHub: connected at its first use. In a hurry nothing is waited for."""
        environment = self.environment

        @cache
        def reach() -> GitHub:
            return connect(
                environment.get("GITHUB_API_URL") or "https://api.github.com",
                token or environment.get("GITHUB_TOKEN", ""),
                environment.get("GITHUB_REPOSITORY", ""),
                sleep=_no_time if hurried else self.sleep,
                now=self.now,
                timeout=HURRIED if hurried else PATIENT,
            )

        return reach


@dataclass(slots=True, kw_only=True)
class Job:
    """`telling` is what GitHub is told, from when it is known of what."""

    inputs: Inputs
    event: Event
    world: World
    console: Console
    log: Log
    github: Callable[[], GitHub] = field(repr=False)
    outside: Outside
    telling: Telling | None = None
    missed: list[Missed] = field(default_factory=list)

    @property
    def run_url(self) -> str:
        return run_of(self.world.environment)

    @property
    def workspace(self) -> Path:
        return self.outside.workspace

    def config(self, *, publishes: bool = True) -> Config:
        return config_of(self.inputs, self.world.environment, publishes=publishes)

    def account(self) -> tuple[Aws, Names]:
        """The site's, for what builds nothing."""
        root, file = place_of(self.inputs, self.world.environment)
        known = overrides_of(self.inputs, self.world.environment)
        site, region = whereabouts(root, file, known)
        aws = account_of(self.world, region=region)
        return aws, Names(site, aws.account, region, aws.partition)

    def tell(self, site: str, *, pull: int = 0) -> Telling:
        """Who tells GitHub about production, or about a pull request's preview."""
        self.console.state("place", json.dumps({"site": site, "pull": pull}))
        self.telling = Telling(
            reach=self.github,
            console=self.console,
            event=self.event,
            site=site,
            environment=f"pr-{pull}" if pull else PRODUCTION,
            pull=pull,
            run_url=self.run_url,
            now=self.world.now,
            comments=self.inputs.comment,
            deployments=self.inputs.deployments,
            missed=self.missed,
        )
        return self.telling

    def site(self) -> str:
        """The site's name as far as it can be read, also where its settings are wrong."""
        root, file = place_of(self.inputs, self.world.environment)
        told: object = ""
        with suppress(OSError, UnicodeDecodeError):
            text = (file or root / FILE).read_text(encoding="utf-8")
            told = top_line(text, "site")
            with suppress(ValueError):
                told = tomllib.loads(text).get("site", "")
        return self.inputs.site or (told if isinstance(told, str) else "")


def place_of(inputs: Inputs, environment: Mapping[str, str]) -> tuple[Path, Path | None]:
    """The site's folder, and its settings file where one is named."""
    workspace = Path(environment.get("GITHUB_WORKSPACE") or ".").resolve()
    file = workspace / inputs.config if inputs.config else None
    return (file.resolve().parent if file else workspace), file


def overrides_of(inputs: Inputs, environment: Mapping[str, str]) -> Overrides:
    around = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    return Overrides(site=inputs.site, region=inputs.region, default_region=around)


def config_of(inputs: Inputs, environment: Mapping[str, str], *, publishes: bool = True) -> Config:
    root, file = place_of(inputs, environment)
    return load(root, file, overrides_of(inputs, environment), publishes=publishes)


def _known_to(github: Callable[[], GitHub]) -> IsAncestor:
    """The order of commits, as GitHub knows it; nobody does where it cannot be reached."""

    def is_ancestor(first: str, second: str) -> bool | None:
        try:
            return history()(first, second)
        except JamError:
            return None

    @cache
    def history() -> IsAncestor:
        return ancestry(github())

    return is_ancestor


def _no_time(_: float) -> None:
    raise JamError(
        DOWN,
        "GitHub asks to wait, and this run has no time left",
        hint="The next run tells it.",
        turn=Turn.AGAIN,
    )
