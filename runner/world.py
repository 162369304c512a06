"""What a command touches outside of a site: all of it comes in by the front door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from runner.aws.identity import Identity
from runner.aws.session import Aws, connect
from runner.build.apart import Apart
from runner.model import Origin
from runner.plan.order import IsAncestor
from runner.report.watch import Watcher
from runner.turn import origin_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a command touches outside of the site: all of it comes in by the front door.

    `clock` counts seconds from anywhere, `now` seconds of the epoch; `cache` is a folder of the
    user's for what may be downloaded again. `is_ancestor` knows the commits' history, if anybody;
    `identity` is who reaches AWS, where that is not for AWS's own chain of credentials to say.
    `apart` builds as another user; without it a build is ours. `by_hand` tells the commit of a
    deploy outside of a workflow.
    """

    environment: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    watcher: Watcher
    cache: Path
    is_ancestor: IsAncestor | None = None
    identity: Identity | None = None
    apart: Apart | None = None
    by_hand: Callable[[], Origin] = Origin

    @property
    def origin(self) -> Origin:
        """Where this run's release comes from: the workflow's commit, else the work tree's."""
        told = origin_of(self.environment)
        return told if told.number or told.commit else self.by_hand()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a release is to reach its visitors, beyond the settings: the options of `deploy`."""

    now: bool = False
    wait: bool = True
    unprotected: bool = False
    repair: bool = False  # everything is looked at, whatever the record says
    empty_tables: frozenset[str] = frozenset()  # lost ones that begin anew, by the settings' names


PLAIN = Way()


def account_of(world: World, *, region: str | None) -> Aws:
    """The AWS account that the credentials lead to, seen to be reachable."""
    return account_with(world, lambda _aws: None, region=region)[0]


def account_with(world: World, look: Callable[[Aws], T], *, region: str | None) -> tuple[Aws, T]:
    """The same, and what `look` finds there meanwhile, without knowing which account it is."""
    aws = connect(
        region=region,
        clock=world.now,
        sleep=world.sleep,
        chance=world.chance,
        identity=world.identity,
    )
    found = aws.meanwhile(lambda: look(aws))
    world.watcher.note(f"AWS account {aws.account}, {aws.region}")
    return aws, found


def near(world: World) -> str:
    """The embedded cloud's endpoint, if that is what we work on."""
    endpoint = world.environment.get("AWS_ENDPOINT_URL", "")
    return endpoint if urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1") else ""
