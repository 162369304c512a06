"""What a deploy is about to do, as a value: built, packaged, held against what is live.

Changes nothing in AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from runner.aws.leases import Lease
from runner.aws.live import read_live
from runner.aws.looks import drift_of
from runner.aws.looks_at_live import UNPREPARED, Early
from runner.aws.session import Aws
from runner.aws.wanted import foundation as wanted_foundation
from runner.config.load import Config
from runner.edge import response_code, router_code, stream_code
from runner.model import File, Function, Release, Table
from runner.names import Names
from runner.package.guard import digest as guard_digest
from runner.packaging import packaged
from runner.plan.background import unattended
from runner.plan.decide import plan
from runner.plan.drift import Drift
from runner.plan.groundwork import Foundation
from runner.plan.live import Live
from runner.plan.staging import changed_functions
from runner.plan.steps import Plan
from runner.plan.streams import streams_of
from runner.promote import (
    check_alarms_are_here,
    promotion_of,
)
from runner.report.text import changes
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


def decide(
    config: Config,
    world: World,
    way: Way = PLAIN,
    *,
    aws: Aws | None = None,
    early: Callable[[str], Early] = lambda _release: UNPREPARED,
) -> Decided:
    """Builds, packages, reads what is live and decides; changes nothing in AWS, but what `early`
    does beside the reading once the release's id is known."""
    begun = world.clock()
    if aws is None:
        with world.watcher.stage("read"):
            aws = account_of(world, region=config.region)
    names = Names(config.site, aws.account, config.region, aws.partition)
    check_alarms_are_here(config, names)
    release = packaged(config, world, aws=aws, url=_production_url(config))
    return against_live(
        config,
        world,
        way,
        aws=aws,
        names=names,
        release=release,
        begun=begun,
        early=early(release.id),
    )


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
    early: Early = UNPREPARED,
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
        read = partial(read_live, aws, names, release=release.id, foundation=foundation)
        live, drift = _what_is_live(
            partial(read, unsure=unsure, early=early),
            partial(drift_of, aws, names, foundation=foundation),
            doubted=doubted or way.repair,
            drift=drift,
        )
        promotion = promotion_of(config, now=way.now, protected=not way.unprotected)
        if live.drift.hurts:  # what visitors do not get is no baseline
            promotion = None
        todo = plan(
            release,
            live,
            foundation=foundation,
            origin=world.origin,
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


def _what_is_live(
    read: Callable[..., Live], look: Callable[[], Drift], *, doubted: bool, drift: Drift | None
) -> tuple[Live, Drift | None]:
    """As it is recorded, and as it is where that is `doubted`."""
    live = read()
    if drift is None and (doubted or live.doubted):
        drift = look()
    if drift is None:
        return live, None
    if drift:
        live = read(drift=drift)
    return replace(live, domains_work=False), drift  # nobody has looked at the site's names


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


def _production_url(config: Config) -> str:
    hosts = config.settings.production.domain
    return f"https://{hosts[0]}" if hosts else ""


def new_functions(decided: Decided) -> tuple[Function, ...]:
    return tuple(changed_functions(decided.release, decided.live))


def changed_files(decided: Decided) -> list[File]:
    before = {**decided.live.files, **decided.live.immutable}
    return [file for file in decided.release.files if before.get(file.key) != file.digest]
