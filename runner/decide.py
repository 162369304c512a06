"""What a deploy is about to do, as a value: built, packaged, held against what is live.

Changes nothing in AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from runner.aws.leases import Lease
from runner.aws.live import read_live
from runner.aws.looks import drift_of
from runner.aws.session import Aws
from runner.aws.wanted import foundation as wanted_foundation
from runner.build.apart import Wish
from runner.build.environment import for_build
from runner.build.house import House
from runner.build.run import build
from runner.build.shims import shims
from runner.config.load import Config
from runner.config.pending import refuse_pending
from runner.edge import response_code, router_code, stream_code
from runner.model import File, Function, Release, Table
from runner.names import PRODUCTION, Names
from runner.package.guard import digest as guard_digest
from runner.package.site import Surroundings, package, referred, resolved
from runner.plan.background import unattended
from runner.plan.decide import Foundation, changed_functions, plan
from runner.plan.drift import Drift
from runner.plan.live import Live
from runner.plan.steps import Plan
from runner.plan.streams import streams_of
from runner.promote import (
    check_alarms_are_here,
    promotion_of,
)
from runner.report.text import changes
from runner.toolchain import find
from runner.turn import origin_of
from runner.world import PLAIN, Way, World, account_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A plan with all that it was made of."""

    config: Config
    aws: Aws
    names: Names
    release: Release
    live: Live
    foundation: Foundation
    plan: Plan
    begun: float
    way: Way
    lease: Lease | None = None
    drift: Drift | None = None  # None where nobody looked

    @property
    def changes(self) -> tuple[str, ...]:
        """What a visitor will find changed; nothing where the release is live already."""
        return () if self.release.id == self.live.release else changes(self.release, self.live)


def decide(config: Config, world: World, way: Way = PLAIN, *, aws: Aws | None = None) -> Decided:
    """Builds, packages, reads what is live and decides; changes nothing in AWS."""
    begun = world.clock()
    refuse_pending(config.settings)
    if aws is None:
        with world.watcher.stage("read"):
            aws = account_of(world, region=config.region)
    names = Names(config.site, aws.account, config.region, aws.partition)
    check_alarms_are_here(config, names)
    release = packaged(config, world, aws=aws, url=_production_url(config))
    return against_live(config, world, way, aws=aws, names=names, release=release, begun=begun)


def against_live(
    config: Config,
    world: World,
    way: Way,
    *,
    aws: Aws,
    names: Names,
    release: Release,
    begun: float,
    lease: Lease | None = None,
    doubted: bool = False,
    drift: Drift | None = None,
) -> Decided:
    """The plan for `release` upon what is live now.

    Where that is `doubted` everything is looked at, unless its `drift` is known.
    """
    with world.watcher.stage("plan"):
        foundation = production_foundation(
            names,
            functions=release.functions,
            tables=config.tables,
            domains=config.settings.production.domain,
            rollouts=promotion_of(config) is not None,
        )
        unsure = lease is not None and lease.inherited is not None
        live = read_live(aws, names, release=release.id, foundation=foundation, unsure=unsure)
        if drift is None and (doubted or way.repair or live.doubted):
            drift = drift_of(aws, names, foundation=foundation)
        if drift:
            live = read_live(
                aws,
                names,
                release=release.id,
                foundation=foundation,
                unsure=unsure,
                drift=drift,
            )
        if drift is not None:  # nobody has looked at the site's names
            live = replace(live, domains_work=False)
        promotion = promotion_of(config, now=way.now, protected=not way.unprotected)
        if live.drift.hurts:  # what visitors do not get is no baseline
            promotion = None
        todo = plan(
            release,
            live,
            foundation=foundation,
            origin=origin_of(world.environment),
            promotion=promotion,
        )
    return Decided(
        config=config,
        aws=aws,
        names=names,
        release=release,
        live=live,
        foundation=foundation,
        plan=todo,
        begun=begun,
        way=way,
        lease=lease,
        drift=drift,
    )


def production_foundation(
    names: Names,
    *,
    functions: Iterable[Function],
    tables: tuple[Table, ...],
    domains: tuple[str, ...],
    rollouts: bool,
) -> Foundation:
    """What a release with these functions stands on, by the settings as they are here."""
    held = tuple(functions)
    return wanted_foundation(
        names,
        tables=tables,
        router=router_code(domains),
        response=response_code(),
        unattended=unattended(held),
        streams=streams_of(held),
        stream=stream_code(),
        guard=guard_digest() if rollouts else "",
        domains=domains,
    )


def planned_again(
    decided: Decided, world: World, *, lease: Lease | None, doubted: bool = False
) -> Decided:
    return against_live(
        decided.config,
        world,
        decided.way,
        aws=decided.aws,
        names=decided.names,
        release=decided.release,
        begun=decided.begun,
        lease=lease,
        doubted=doubted,
        drift=None if doubted else decided.drift,
    )


def packaged(
    config: Config, world: World, *, aws: Aws, environment: str = PRODUCTION, url: str = ""
) -> Release:
    """The release of `environment`; its build hears of the `url`, if that is known."""
    around = Surroundings(
        environment=world.environment,
        tools=_tools(world, environment),
        cache=world.cache,
        echo=world.watcher.output,
        parameter=aws.parameter,
        today=datetime.fromtimestamp(world.now(), UTC).date(),
    )
    if world.apart and (config.commands or (config.root / config.functions).is_dir()):
        wish = _wish(config, world, around=around, environment=environment, url=url)
        return world.apart.packaged(wish, echo=world.watcher.output, stage=world.watcher.stage)
    with world.watcher.stage("build"):
        built = build(
            config.commands,
            config.root,
            publish=config.publish,
            environment=_build_environment(
                config,
                world,
                around=around,
                environment=environment,
                url=url,
                packages=world.cache / "packages",
            ),
            echo=world.watcher.output,
        )
    with world.watcher.stage("package"):
        return package(config, built.publish, around, environment)


def _wish(
    config: Config, world: World, *, around: Surroundings, environment: str, url: str
) -> Wish:
    """A build apart: with what it needs to know, and no way to ask for more."""
    known, parameters = referred(config, around, environment)

    def variables(house: House) -> Mapping[str, str]:
        return _build_environment(
            config,
            replace(world, cache=house.cache),
            around=around,
            environment=environment,
            url=url,
            packages=house.packages,
        )

    return Wish(
        config=config,
        environment=environment,
        variables=variables,
        tools=around.tools,
        known=known,
        parameters=parameters,
        today=around.today,
    )


def _tools(world: World, environment: str) -> Mapping[str, str]:
    return for_build(
        world.environment, site={}, jam_environment=environment, url="", commit="", cache=None
    )


def _production_url(config: Config) -> str:
    hosts = config.settings.production.domain
    return f"https://{hosts[0]}" if hosts else ""


def _build_environment(
    config: Config,
    world: World,
    *,
    around: Surroundings,
    environment: str,
    url: str,
    packages: Path,
) -> dict[str, str]:
    section = config.settings.build.environment
    return for_build(
        world.environment,
        site=dict(resolved(section, around, where="build.environment")),
        jam_environment=environment,
        url=url,
        commit=world.environment.get("GITHUB_SHA", ""),
        node=shims(find(world.cache).node, world.cache),
        cache=packages,
    )


def new_functions(decided: Decided) -> tuple[Function, ...]:
    return tuple(changed_functions(decided.release, decided.live))


def changed_files(decided: Decided) -> list[File]:
    before = {**decided.live.files, **decided.live.immutable}
    return [file for file in decided.release.files if before.get(file.key) != file.digest]
