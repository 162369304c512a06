"""The world as commands see it: settings, the account, clocks, folders, somebody who watches."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from runner.cli.border import hurry
from runner.cli.options import Options
from runner.cli.times import times_of

if TYPE_CHECKING:
    from runner.aws.session import Aws
    from runner.config.load import Config, Overrides
    from runner.develop.machine import Machine
    from runner.model import Origin
    from runner.names import Names
    from runner.report.watch import Watcher
    from runner.world import World


T = TypeVar("T")


def config_of(options: Options) -> Config:
    from runner.config.load import load

    return load(root_of(options), options.config, overrides(options))


def root_of(options: Options) -> Path:
    """The site's folder: that of its settings."""
    return options.config.resolve().parent if options.config else Path.cwd()


def account(options: Options) -> tuple[Aws, Names]:
    """The site's account, for commands that look and build nothing."""
    aws, names = _reached(options)
    return aws, replace(names, account=aws.account)


def account_with(
    options: Options, look: Callable[[Aws, Names], T], *clients: str
) -> tuple[Aws, Names, T]:
    """The same, and what `look` finds meanwhile by names that do not say the account; `clients`
    are those of `Aws` that are needed after it."""
    aws, names = _reached(options)
    aws.prepare(*clients)
    found = aws.meanwhile(lambda: look(aws, names))
    return aws, replace(names, account=aws.account), found


def _reached(options: Options) -> tuple[Aws, Names]:
    """Nothing is, yet: whose account it is nobody was asked."""
    from runner.config.load import whereabouts
    from runner.names import Names

    hurry()

    site, region = whereabouts(root_of(options), options.config, overrides(options))
    aws = connection(region)
    return aws, Names(site, "", region, aws.partition)


def connection(region: str) -> Aws:
    from runner.aws.session import connect

    times = times_of(os.environ)
    return connect(region=region, clock=times.now, sleep=times.sleep, chance=random.random)


def overrides(options: Options) -> Overrides:
    from runner.config.load import Overrides

    return Overrides(
        site=options.site or "",
        region=options.region or "",
        default_region=surrounding_region(),
    )


def region_of(options: Options) -> str | None:
    """For a command of the account's: a site's settings say it, but there may be none; without any
    word of it AWS's own files do."""
    from runner.config.load import whereabouts
    from runner.errors import JamError

    try:
        return whereabouts(root_of(options), options.config, overrides(options))[1]
    except JamError as error:
        if error.code != "JAM-REGION-MISSING":
            raise
        return None


def surrounding_region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


@contextmanager
def world_of(options: Options, *, releases: bool = False) -> Iterator[World]:
    """With `releases` git is asked meanwhile what is checked out, before a build changes it."""
    from runner.checkout import checked_out
    from runner.model import Origin
    from runner.together import at_once
    from runner.world import World

    hurry()
    times = times_of(os.environ)
    with watcher_of(options) as watcher, at_once(1) as pool:
        told = pool.submit(checked_out, root_of(options), os.environ) if releases else None
        yield World(
            environment=dict(os.environ),
            clock=time.monotonic,
            now=times.now,
            sleep=times.sleep,
            chance=random.random,
            watcher=watcher,
            cache=cache(),
            by_hand=_heard(told, watcher) if told else Origin,
        )


def _heard(told: Future[Origin], watcher: Watcher) -> Callable[[], Origin]:
    """What git says, and once to whoever watches that a release is of no commit."""

    @once
    def heard() -> Origin:
        found = told.result()
        if found.dirty:
            watcher.note(f"files differ from commit {found.commit[:12]}: it is on record as dirty")
        return found

    return heard


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jam-deploy"


def local_config(options: Options, *, publishes: bool = True) -> Config:
    """As a deploy's, but no region has to be named: what runs here runs in none."""
    from runner.config.load import load

    known = overrides(options)
    somewhere = replace(known, default_region=known.default_region or "us-east-1")
    return load(root_of(options), options.config, somewhere, publishes=publishes)


def machine(options: Options) -> Machine:
    from runner.develop.machine import Machine

    def emit(url: str, port: int) -> None:
        text = f'{{"url": "{url}", "port": {port}}}' if options.as_json else f"ready on {url}"
        click.echo(text, err=not options.as_json)

    return Machine(
        environment=dict(os.environ),
        cache=cache(),
        home=Path.home(),
        clock=time.monotonic,
        now=time.time,
        say=lambda line: click.echo(line, err=True),
        emit=emit,
        aws=connection,
    )


@contextmanager
def watcher_of(options: Options) -> Iterator[Watcher]:
    if sys.stderr.isatty() and not options.as_json:
        from rich.console import Console

        from runner.report.terminal import Terminal

        with Terminal(Console(stderr=True)) as terminal:
            yield terminal
        return
    from runner.report.watch import Lines

    groups = os.environ.get("GITHUB_ACTIONS") == "true"
    yield Lines(lambda line: click.echo(line, err=True), time.monotonic, groups=groups)
