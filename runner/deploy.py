"""The table of contents of a deploy: read, build, package, plan, apply, verify.

Each stage is a module; this one only hands values on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from runner.apply import Applied, Known, apply, known_of
from runner.aws import keyvalues, records
from runner.aws.leases import Lease
from runner.aws.live import check_bootstrap, read_live
from runner.aws.perform import Content, performer
from runner.aws.records import Environment
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.session import Aws, connect
from runner.aws.tables import make_records
from runner.aws.upload import copy, put
from runner.aws.wanted import foundation as wanted_foundation
from runner.build.environment import for_build
from runner.build.run import build
from runner.build.shims import shims
from runner.candidate import try_edge, try_entry
from runner.config.load import Config
from runner.config.pending import refuse_pending
from runner.edge import response_code, router_code, stream_code
from runner.errors import JamError
from runner.fetch import Fetch, fetch_from
from runner.guard.rollout import Act
from runner.model import File, Function, Release
from runner.names import PRODUCTION, Names
from runner.package.entry import package as entry_archive
from runner.package.guard import digest as guard_digest
from runner.package.manifest import manifest
from runner.package.site import WORK, Surroundings, package, resolved
from runner.plan.background import unattended
from runner.plan.decide import Foundation, changed_functions, plan
from runner.plan.foundation import ENTRY, MakeDistribution
from runner.plan.live import Live
from runner.plan.order import IsAncestor
from runner.plan.promotion import OnOpen, OpenRollout
from runner.plan.refs import Made, Ref
from runner.plan.releasing import PutFiles
from runner.plan.steps import Plan
from runner.plan.streams import streams_of
from runner.promote import (
    SUPERSEDED,
    Follower,
    check_alarms_are_here,
    foreseen,
    is_open,
    promotion_of,
)
from runner.report.rollout import told_of
from runner.report.text import Check, Outcome, Uploaded, changes
from runner.report.watch import Watcher
from runner.rollback import mend
from runner.toolchain import find
from runner.turn import leased, newer_than, origin_of, overtaken, run_of, told
from runner.verify import ROUTES_SETTLE, Patience, smoke, verify

# Seconds until every edge has the new value; a launch post of AWS says "a few seconds", a sample of
# AWS's measured 26. A new distribution takes minutes.
# Source: CloudFront developer guide, "Amazon CloudFront KeyValueStore".
SETTLES = 120.0
SETTLES_NEW = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a command touches outside of the site: all of it comes in by the front door.

    `clock` counts seconds from anywhere, `now` seconds of the epoch; `cache` is a folder of the
    user's for what may be downloaded again. `is_ancestor` knows the commits' history, if anybody.
    """

    environment: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    watcher: Watcher
    cache: Path
    is_ancestor: IsAncestor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a release is to reach its visitors, beyond the settings: the options of `deploy`."""

    now: bool = False
    wait: bool = True
    unprotected: bool = False


_WAY = Way()


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

    @property
    def changes(self) -> tuple[str, ...]:
        """What a visitor will find changed; nothing where the release is live already."""
        return () if self.release.id == self.live.release else changes(self.release, self.live)


def deploy(config: Config, world: World, way: Way = _WAY) -> tuple[Outcome, tuple[str, ...]]:
    """What became of it, and what a visitor finds changed; an older run does not even build."""
    refuse_pending(config.settings)
    begun = world.clock()
    with world.watcher.stage("read"):
        aws = account_of(world, region=config.region)
        names = Names(config.site, aws.account, config.region, aws.partition)
        there = _overtaken(world, aws=aws, names=names)
    if there:
        seconds = world.clock() - begun
        release_id = there.rollout or there.release
        return told(
            aws,
            names,
            there,
            outcome="superseded",
            release=release_id,
            seconds=seconds,
            near=_loopback(world),
        ), ()
    decided = decide(config, world, way, aws=aws)
    return release(decided, world), decided.changes


def _overtaken(world: World, *, aws: Aws, names: Names) -> Environment | None:
    """What is there, if a newer run brought it: asked where runs are numbered."""
    mine = origin_of(world.environment)
    if not mine.number:
        return None
    with explained():
        found = records.read(aws, names, release="")
    newer = newer_than(mine, found[0], is_ancestor=world.is_ancestor) if found else None
    if not found or not newer:
        return None
    world.watcher.note(overtaken(newer))
    return found[0]


def decide(config: Config, world: World, way: Way = _WAY, *, aws: Aws | None = None) -> Decided:
    """Builds, packages, reads what is live and decides; changes nothing in AWS."""
    begun = world.clock()
    refuse_pending(config.settings)
    if aws is None:
        with world.watcher.stage("read"):
            aws = account_of(world, region=config.region)
    names = Names(config.site, aws.account, config.region, aws.partition)
    check_alarms_are_here(config, names)
    release = _packaged(config, world, aws=aws)
    return _against_live(config, world, way, aws=aws, names=names, release=release, begun=begun)


def _against_live(
    config: Config,
    world: World,
    way: Way,
    *,
    aws: Aws,
    names: Names,
    release: Release,
    begun: float,
    lease: Lease | None = None,
) -> Decided:
    """The plan for `release` upon what is live now."""
    with world.watcher.stage("plan"):
        foundation = wanted_foundation(
            names,
            tables=config.tables,
            router=router_code(),
            response=response_code(),
            unattended=unattended(release.functions),
            streams=streams_of(release.functions),
            stream=stream_code(),
            guard=guard_digest() if promotion_of(config) else "",
        )
        unsure = lease is not None and lease.inherited is not None
        live = read_live(aws, names, release=release.id, foundation=foundation, unsure=unsure)
        promotion = promotion_of(config, now=way.now, protected=not way.unprotected)
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
    )


def release(decided: Decided, world: World) -> Outcome:
    """Carries the plan out and verifies what visitors get."""
    known = decided.live.known
    turn = _turn(decided, world)
    if turn is Next.CHANGE:
        if decided.live.rollout and _on_open(decided) is not OnOpen.SUPERSEDE:
            decided = _made_way(decided, world)  # to wait for its end needs no lease
        _prepare(decided)
        run, say = run_of(world.environment), world.watcher.note
        mine = origin_of(world.environment)
        with leased(decided.aws, decided.names, run=run, say=say, origin=mine) as lease:
            decided, known, turn = _changed(_again(decided, world, lease=lease), world)
    if turn is Next.FOLLOW:
        return _followed(decided, world, known=known)
    if turn is Next.VERIFY:
        return _live(decided, world, known=known)
    return _outcome(decided, world, known=known, outcome=turn, checks=())


class Next(StrEnum):
    """What there is to do for this run; the last three are how it ends."""

    CHANGE = "change"
    FOLLOW = "follow"
    VERIFY = "verify"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    HELD = "held"


def _turn(decided: Decided, world: World) -> Next:
    live, todo = decided.live, decided.plan
    mine = origin_of(world.environment)
    left = decided.lease and decided.lease.inherited
    if left:  # read before the lease was ours
        live = replace(live, leasing=left.origin)
    if newer := newer_than(mine, live, is_ancestor=world.is_ancestor):
        world.watcher.note(overtaken(newer))
        return Next.SUPERSEDED
    if live.rollout == decided.release.id:
        return Next.FOLLOW
    ready = not (todo.staging.is_empty and todo.readying.is_empty)
    if _is_held(decided) and not ready:
        return Next.HELD
    # What another run is at, or left, may not stay as it was read.
    others = live.leased and decided.lease is None
    return Next.UNCHANGED if todo.is_empty and not live.rollout and not others else Next.CHANGE


def _is_held(decided: Decided) -> bool:
    """While a hold lasts nothing else goes live; what is live may still be mended."""
    return decided.live.hold is not None and decided.release.id != decided.live.release


def _prepare(decided: Decided) -> None:
    """Before a site's first deploy there is no table that could hold a lease."""
    if decided.live.sequence:
        return
    aws, names = decided.aws, decided.names
    check_bootstrap(aws, names, live=decided.live, foundation=decided.foundation)
    check_secrets(aws, functions=_new_functions(decided))
    with explained():
        make_records(aws, names)


def _again(decided: Decided, world: World, *, lease: Lease) -> Decided:
    """The plan as it is under the lease: another run may have ended meanwhile, or died."""
    with explained():
        found = records.read(decided.aws, decided.names, release="")
    there = found[0] if found else Environment()
    if lease.inherited:
        world.watcher.note("a run before this one ended in the middle: everything is set again")
    elif _is_as_read(there, decided.live):
        live = replace(decided.live, hold=there.hold, leased=True)
        return replace(decided, live=live, lease=lease)
    return _planned_again(decided, world, lease=lease)


def _mended(decided: Decided, world: World, *, lease: Lease) -> Decided:
    """A rollout starts from what is recorded: what a dead run left between is put right first."""
    with world.watcher.stage("mend"):
        mend(decided.aws, decided.names, lease=lease, watcher=world.watcher, clock=world.clock)
    return _planned_again(decided, world, lease=lease)


def _is_as_read(there: Environment, live: Live) -> bool:
    def decides(it: Environment | Live) -> tuple[object, ...]:
        return (it.sequence, it.release, it.foundation, it.rollout, it.trailing, it.streams)

    return decides(there) == decides(live)


def _changed(decided: Decided, world: World) -> tuple[Decided, Known, Next]:
    """Under the lease: stages and switches, if it is this run's turn still."""
    turn = _turn(decided, world)
    if turn is not Next.CHANGE:
        return decided, decided.live.known, turn
    if _is_held(decided):
        staged = _staged(decided, world)
        known = _apply(decided, world, part=decided.plan.readying, known=staged).known
        return decided, known, Next.HELD
    if decided.live.rollout:
        decided = _made_way(decided, world)
        if decided.plan.is_empty:
            return decided, decided.live.known, Next.UNCHANGED
    elif decided.plan.opens and decided.lease and decided.lease.inherited:
        decided = _mended(decided, world, lease=decided.lease)
    staged = _staged(decided, world)
    if decided.plan.opens:
        with world.watcher.stage("smoke"):
            _tried(decided, world, known=staged)
        world.watcher.note(foreseen_of(decided))
    with world.watcher.stage("switch"):
        known = _apply(decided, world, part=decided.plan.switching, known=staged).known
    if decided.lease:
        decided.lease.done()
    return decided, known, Next.FOLLOW if decided.plan.opens else Next.VERIFY


def foreseen_of(decided: Decided) -> str:
    """What the plan's rollout will be able to find out; empty without one."""
    steps = decided.plan.switch
    promotions = (step.promotion for step in steps if isinstance(step, OpenRollout))
    promotion = next(promotions, None)
    return foreseen(decided.aws, decided.names, promotion) if promotion else ""


def _live(decided: Decided, world: World, *, known: Known) -> Outcome:
    try:
        with world.watcher.stage("verify"):
            checks = _verified(decided, world, known=known)
    except JamError:
        if not _is_replaced(decided):
            raise
        world.watcher.note("SUPERSEDED: it was live, and a newer run has replaced it since")
        return _outcome(decided, world, known=known, outcome=Next.SUPERSEDED, checks=())
    return _outcome(decided, world, known=known, outcome="live", checks=checks)


def _is_replaced(decided: Decided) -> bool:
    """Whether another release went live while this one was looked at."""
    with explained():
        found = records.read(decided.aws, decided.names, release="")
    return found is not None and found[0].release != decided.release.id


def _followed(decided: Decided, world: World, *, known: Known) -> Outcome:
    """The rollout to its end; what follows a release once it is live is done after it."""
    if not decided.way.wait:
        return _outcome(decided, world, known=known, outcome="open", checks=())
    with world.watcher.stage("rollout"):
        ended = _follower(decided, world, known=known).follow()
    if ended.outcome != "live":
        told = replace(_outcome(decided, world, known=known, outcome=ended.outcome, checks=()))
        return replace(told, rollout=told_of(ended))
    if not decided.plan.following.is_empty:
        known = _settled(decided, world, known=known)
    return replace(_live(decided, world, known=known), rollout=told_of(ended))


def _settled(decided: Decided, world: World, *, known: Known) -> Known:
    """What follows the release, unless a newer run is at it already: that one sees to it."""
    run, say = run_of(world.environment), world.watcher.note
    mine = origin_of(world.environment)
    with (
        world.watcher.stage("settle"),
        leased(decided.aws, decided.names, run=run, say=say, origin=mine) as lease,
    ):
        found = records.read(decided.aws, decided.names, release="")
        ours = found and found[0].release == decided.release.id and not found[0].rollout
        if lease.inherited or not ours:
            return known
        applied = _apply(
            replace(decided, lease=lease), world, part=decided.plan.following, known=known
        )
        lease.done()
    return applied.known


def _made_way(decided: Decided, world: World) -> Decided:
    """What another candidate's rollout leaves behind, by setting; the plan as it is then.

    An older candidate that gives way leaves live what was live before.
    """
    on_open = _on_open(decided)
    if on_open is OnOpen.REFUSE:
        raise is_open(decided.live.rollout)
    follower = _follower(decided, world, known=decided.live.known)
    with world.watcher.stage("rollout"):
        if on_open is OnOpen.WAIT:
            ended = follower.follow()
        else:
            ended = follower.act(
                Act.TAKE_BACK, f"release {decided.release.id[:8]} came after it{SUPERSEDED}"
            )
    if ended.outcome == "open":
        raise is_open(decided.live.rollout)
    return _planned_again(decided, world, lease=decided.lease)


def _on_open(decided: Decided) -> OnOpen:
    return OnOpen(decided.config.settings.production.rollout.on_open)


def _planned_again(decided: Decided, world: World, *, lease: Lease | None) -> Decided:
    return _against_live(
        decided.config,
        world,
        decided.way,
        aws=decided.aws,
        names=decided.names,
        release=decided.release,
        begun=decided.begun,
        lease=lease,
    )


def _follower(decided: Decided, world: World, *, known: Known) -> Follower:
    return Follower(decided.aws, decided.names, known=known, say=world.watcher.note)


def account_of(world: World, *, region: str | None) -> Aws:
    """The AWS account that the credentials lead to, seen to be reachable."""
    aws = connect(region=region, clock=world.now, sleep=world.sleep, chance=world.chance)
    world.watcher.note(f"AWS account {aws.account}, {aws.region}")
    return aws


def _packaged(config: Config, world: World, *, aws: Aws) -> Release:
    around = Surroundings(
        environment=world.environment,
        tools=for_build(
            world.environment, site={}, jam_environment=PRODUCTION, url="", commit="", cache=None
        ),
        cache=world.cache,
        echo=world.watcher.output,
        parameter=aws.parameter,
        today=datetime.fromtimestamp(world.now(), UTC).date(),
    )
    with world.watcher.stage("build"):
        built = build(
            config.commands,
            config.root,
            publish=config.publish,
            environment=_build_environment(config, world, around=around),
            echo=world.watcher.output,
        )
    with world.watcher.stage("package"):
        return package(config, built.publish, around)


def _build_environment(config: Config, world: World, *, around: Surroundings) -> dict[str, str]:
    section = config.settings.build.environment
    domain = config.settings.production.domain
    return for_build(
        world.environment,
        site=dict(resolved(section, around, where="build.environment")),
        jam_environment=PRODUCTION,
        url=f"https://{domain}" if domain else "",
        commit=world.environment.get("GITHUB_SHA", ""),
        node=shims(find(world.cache).node, world.cache),
        cache=world.cache / "packages",
    )


def _staged(decided: Decided, world: World) -> Known:
    check_bootstrap(decided.aws, decided.names, live=decided.live, foundation=decided.foundation)
    check_secrets(decided.aws, functions=_new_functions(decided))
    world.watcher.planned(decided.plan)
    with world.watcher.stage("stage"):
        known = known_of(decided.live, decided.plan)
        staged = _apply(decided, world, part=decided.plan.staging, known=known).known
        # A streaming function has no version of its own to be tried at: its URL is the alias's.
        functions = [each for each in _new_functions(decided) if not each.stream]
        if functions:
            smoke(
                functions,
                fetch=_fetch(decided, world, base=_api_url(decided, staged)),
                explain=lambda each: _last_words(decided, each, known=staged),
                patience=_patience(world, ROUTES_SETTLE),
            )
    return staged


def _tried(decided: Decided, world: World, *, known: Known) -> None:
    """The candidate at 0 %: what fails here nobody saw, and nothing is switched."""
    from runner.aws.trial import ask_entry

    aws, names, release = decided.aws, decided.names, decided.release
    version = known[Ref(Made.VERSION, ENTRY)]
    with explained():
        token = keyvalues.token(aws, known[Ref(Made.STORE)])
    try_entry(release, lambda event: ask_entry(aws, names, version=version, event=event))
    try_edge(
        release,
        files=_changed_files(decided),
        functions=[each for each in _new_functions(decided) if not each.stream],
        fetch=_fetch(decided, world, base=f"https://{known[Ref(Made.DOMAIN)]}"),
        token=token,
        patience=_patience(world, _settles(decided)),
    )


def _apply(decided: Decided, world: World, *, part: Plan, known: Known) -> Applied:
    perform = performer(
        decided.aws,
        decided.names,
        release=decided.release,
        foundation=decided.foundation,
        content=Content(
            put=put,
            copy=copy,
            manifest=manifest,
            entry_archive=_entry_archive,
            guard_archive=lambda: _guard_archive(decided, world),
        ),
        lease=decided.lease,
    )
    return apply(part, perform, known=known, progress=world.watcher, clock=world.clock)


def _entry_archive(release: Release) -> bytes:
    return entry_archive(release, manifest(release), read=lambda file: file.source.read_bytes())


def _guard_archive(decided: Decided, world: World) -> bytes:
    from runner.package import guard
    from runner.package.functions.requirements import Installer

    work = decided.config.root / WORK
    installer = Installer(
        root=decided.config.root,
        cache=work / "cache" / "python",
        toolchain=find(world.cache),
        environment=for_build(
            world.environment, site={}, jam_environment=PRODUCTION, url="", commit="", cache=None
        ),
        echo=world.watcher.output,
    )
    return guard.package(installer, work)


def _verified(decided: Decided, world: World, *, known: Known) -> tuple[Check, ...]:
    base = f"https://{known[Ref(Made.DOMAIN)]}"
    return verify(
        decided.release,
        files=_changed_files(decided),
        functions=_new_functions(decided),
        fetch=_fetch(decided, world, base=base),
        glance=fetch_from(base, connect_to=_loopback(world), whole=False),
        patience=_patience(world, _settles(decided)),
    )


def _changed_files(decided: Decided) -> list[File]:
    before = {**decided.live.files, **decided.live.immutable}
    return [file for file in decided.release.files if before.get(file.key) != file.digest]


def _settles(decided: Decided) -> float:
    """A changed distribution takes as long as a new one to reach every edge."""
    new = any(isinstance(step, MakeDistribution) for step in decided.plan.stage)
    return SETTLES_NEW if new else SETTLES


def _patience(world: World, seconds: float) -> Patience:
    return Patience(seconds=seconds, clock=world.clock, sleep=world.sleep)


def _new_functions(decided: Decided) -> tuple[Function, ...]:
    return tuple(changed_functions(decided.release, decided.live))


def _last_words(decided: Decided, function: Function, *, known: Known) -> str:
    from runner.aws.trial import last_words

    if function.background.requests:  # to call it would be to run it
        group = f"/aws/lambda/{decided.names.acceptor}"
        return f"Its requests are taken in by the acceptor, whose log is {group}."
    version = known[Ref(Made.VERSION, function.name)]
    return last_words(decided.aws, decided.names, function=function, version=version)


def _fetch(decided: Decided, world: World, *, base: str) -> Fetch:
    return fetch_from(base, connect_to=_loopback(world))


def _loopback(world: World) -> str:
    """The embedded cloud's endpoint, if that is what we work on."""
    endpoint = world.environment.get("AWS_ENDPOINT_URL", "")
    return endpoint if urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1") else ""


def _api_url(decided: Decided, known: Known) -> str:
    stage = decided.release.routing.api_stage
    if not stage:
        return ""
    api, region = known.get(Ref(Made.API), ""), decided.names.region
    return f"https://{api}.execute-api.{region}.amazonaws.com/{stage}"


def _outcome(
    decided: Decided, world: World, *, known: Known, outcome: str, checks: tuple[Check, ...]
) -> Outcome:
    puts = [step for step in decided.plan.stage if isinstance(step, PutFiles)]
    domain = known.get(Ref(Made.DOMAIN), "")
    loopback = urlsplit(_loopback(world))
    label = domain.partition(".")[0]
    return Outcome(
        site=decided.names.site,
        environment=PRODUCTION,
        release=decided.release.id,
        previous=decided.live.release,
        url=f"https://{domain}",
        local_url=f"http://{label}.localhost:{loopback.port}/" if loopback.netloc else "",
        api_url=_api_url(decided, known),
        prefix=f"{PRODUCTION}/releases/{decided.release.id}/",
        outcome=outcome,
        seconds=world.clock() - decided.begun,
        calls=decided.aws.calls,
        uploaded=Uploaded(
            files=sum(len(step.files) for step in puts), bytes=sum(step.bytes for step in puts)
        ),
        checks=checks,
    )
