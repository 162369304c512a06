"""Decides what to do: what should be and what is go in, a `Plan` comes out.

Pure: no network, no clock, no disk. Going back is a plan too: call it with an older release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from runner.model import File, Function, Kind, Origin, Release, Table, Upkeep
from runner.plan.background import (
    ACCEPTOR,
    BackgroundFoundation,
    PublishAcceptor,
    Unattended,
    foundation_of,
    moved_schedules,
)
from runner.plan.domains import named, unnamed
from runner.plan.foundation import (
    ENTRY,
    Access,
    Edge,
    FoundationStep,
    GrantEntry,
    GrantFiles,
    MakeAccess,
    MakeApi,
    MakeBucket,
    MakeDistribution,
    MakeEdge,
    MakeEntryUrl,
    MakeKeeper,
    MakePolicy,
    MakeRecords,
    MakeRole,
    MakeStore,
    MakeTable,
    Policy,
    Role,
    edges_of,
)
from runner.plan.live import Live
from runner.plan.origins import allowed, recorded, reopened
from runner.plan.promotion import (
    MakeDeployments,
    MakeGuard,
    OpenRollout,
    Promotion,
    PromotionFoundation,
)
from runner.plan.publishing import AwaitVersions, PublishEntry, PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    BringBackRouting,
    CopyFiles,
    DropApiStage,
    GrantFunctions,
    MakeApiStage,
    MoveAlias,
    PutFiles,
    PutManifest,
    RecordFollowed,
    RecordLive,
    RecordRelease,
    RecordStaged,
    ReleaseStep,
    TendFunction,
    WriteRouting,
)
from runner.plan.steps import Plan, TidyingStep
from runner.plan.streaming import (
    MoveStream,
    StreamFoundation,
    dropped,
    grants_of,
    moved,
    placed,
    urls_of,
)
from runner.plan.streams import Stream

REMEMBERED = 20  # releases that were live
KEPT_STAGES = 7  # live, candidate and the five before, of API Gateway's ten an API


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What a site needs before its first release: `digest` covers all of it."""

    digest: str
    tables: tuple[Table, ...]
    router: str
    response: str
    unattended: Unattended = field(default_factory=Unattended)
    streams: tuple[Stream, ...] = ()
    stream: str = ""  # the program before them at the edge
    guard: str = ""  # the digest of the program that judges rollouts; empty without them
    domains: tuple[str, ...] = ()  # the host names that it should have, the primary one first

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that the site needs."""
        return (*self.unattended.roles, *((Role.GUARD,) if self.guard else ()))


def plan(
    release: Release,
    live: Live,
    *,
    foundation: Foundation,
    origin: Origin,
    promotion: Promotion | None = None,
) -> Plan:
    """The steps that make `live` serve `release`; an empty plan if it already does.

    With a `promotion` a rollout is opened where there is a release to compare with; `promoted` and
    `settle` follow when it has ended well.
    """
    firm = foundation.digest == live.foundation
    if firm and live.release == release.id and live.entry_agrees:
        return _steady(release, live, foundation=foundation)
    stages = _stages_after(release, live)
    opens = promotion is not None and live.release not in ("", release.id)
    stage = (
        *(() if firm else foundation_steps(foundation, live)),
        *named(foundation.domains, live),
        *(
            ()
            if live.staged
            else _release(release, live, foundation=foundation, origin=origin, opens=opens)
        ),
        *_forgotten(live),
    )
    ready = () if live.staged else (RecordStaged(release=release),)
    recording = replace(
        _recording(release, live, foundation=foundation, stages=stages[:KEPT_STAGES]),
        origin=origin,
        history=_history(release, live),
    )
    sure = firm and not live.trailing
    followers = (
        *moved(release, _known(live)),
        *moved_schedules(release, live, firm=sure),
        *reopened(release, _known(live)),
    )
    settle: tuple[TidyingStep, ...] = (
        *_upkeep(release, _known(live)),
        *dropped(foundation.streams, live, sequence=live.sequence + 1),
        *unnamed(foundation.domains, live),
        *(DropApiStage(api_stage=each, releases=users) for each, users in stages[KEPT_STAGES:]),
    )
    if promotion and opens:
        opened = OpenRollout(
            release=release.id,
            routing=release.routing,
            replaces=live.release,
            entry=live.entry,
            promotion=promotion,
            recording=replace(recording, trailing=bool(followers or settle)),
            streams=tuple(each.function for each in followers if isinstance(each, MoveStream)),
            left=tuple(
                str(each) for each in (*followers, *settle) if not isinstance(each, MoveStream)
            ),
        )
        done = (RecordFollowed(sequence=live.sequence + 1),) if followers or settle else ()
        return Plan(
            stage=stage, switch=(*ready, opened), promoted=followers, settle=(*settle, *done)
        )
    return Plan(
        stage=stage,
        switch=(
            *ready,
            MoveAlias(release=release.id),
            *moved(release, _known(live)),
            Activate(release=release.id, routing=release.routing, replaces=live.release),
            *moved_schedules(release, live, firm=sure),
            *reopened(release, _known(live)),
            recording,
        ),
        settle=settle,
    )


def _steady(release: Release, live: Live, *, foundation: Foundation) -> Plan:
    """What is live already; the guard promoted it if something of it still has to follow."""
    left: tuple[TidyingStep, ...] = (
        *dropped(foundation.streams, live, sequence=live.sequence),
        *unnamed(foundation.domains, live),
    )
    stage = tuple(named(foundation.domains, live))
    if not live.trailing:
        return Plan(stage=stage, settle=left)
    unknown = _known(live)
    return Plan(
        stage=stage,
        promoted=(
            *moved(release, unknown),
            *moved_schedules(release, live, firm=False),
            *reopened(release, unknown),
        ),
        settle=(*_upkeep(release, unknown), *left, RecordFollowed(sequence=live.sequence)),
    )


def _known(live: Live) -> Live:
    """What of functions, aliases and origins is sure to be as it is recorded."""
    if not live.trailing:
        return live
    return replace(live, functions={}, entry_agrees=False, origins="unknown")


def _history(release: Release, live: Live) -> tuple[str, ...]:
    """Without those that the live release was taken back from: nobody wants them before it."""
    known = live.history
    older = known[known.index(live.release) :] if live.release in known else (live.release,)
    past = (each for each in older if each not in ("", release.id))
    return (release.id, *past)[:REMEMBERED]


def _recording(
    release: Release,
    live: Live,
    *,
    foundation: Foundation,
    stages: tuple[tuple[str, tuple[str, ...]], ...],
) -> RecordLive:
    return RecordLive(
        release=release.id,
        previous=live.previous if live.release == release.id else live.release,
        sequence=live.sequence + 1,
        foundation=foundation.digest,
        stages=stages,
        streams=tuple(sorted({*foundation.streams, *live.streams})),
        tables=tuple(each.name for each in foundation.tables) or live.tables,
        origins=recorded(allowed(release.functions, release.api)),
    )


def foundation_steps(
    wanted: Foundation, live: Live
) -> Iterator[FoundationStep | BackgroundFoundation | StreamFoundation | PromotionFoundation]:
    """What makes the foundation, and puts right what of it differs."""

    def exists(kind: Made, name: str = "") -> bool:
        return Ref(kind, name) in live.existing

    code = {
        Edge.ROUTER: wanted.router,
        Edge.RESPONSE: wanted.response,
        Edge.STREAM: wanted.stream,
    }
    streams = placed(wanted.streams, live)
    yield MakeRecords(exists=exists(Made.RECORDS))
    yield MakeBucket(exists=exists(Made.BUCKET))
    for role in wanted.roles:
        yield MakeRole(exists=exists(Made.ROLE, role), role=role)
    for table in wanted.tables:
        yield MakeTable(exists=exists(Made.TABLE, table.name), table=table)
    yield from foundation_of(wanted.unattended, live.existing)
    for access in Access:
        yield MakeAccess(exists=exists(Made.ACCESS, access), access=access)
    for policy in Policy:
        yield MakePolicy(exists=exists(Made.POLICY, policy), policy=policy)
    yield MakeStore(exists=exists(Made.STORE))
    for edge in edges_of(streams):
        yield MakeEdge(exists=exists(Made.EDGE, edge), edge=edge, code=code[edge])
    yield MakeApi(exists=exists(Made.API))
    yield MakeKeeper(exists=exists(Made.KEEPER))
    yield MakeEntryUrl(exists=exists(Made.ENTRY_URL))
    yield from urls_of(streams, live)
    stands = exists(Made.DISTRIBUTION)
    yield MakeDistribution(exists=stands, streams=streams)
    yield GrantFiles(exists=stands)
    yield GrantEntry(exists=stands)
    yield from grants_of(streams, live)
    if wanted.guard:
        yield MakeDeployments(exists=exists(Made.DEPLOYMENTS))
        yield MakeGuard(exists=exists(Made.GUARD), digest=wanted.guard)


def _forgotten(live: Live) -> Iterator[BringBackRouting]:
    if live.drift.unrouted:
        yield BringBackRouting(releases=live.drift.unrouted)


def _release(
    release: Release, live: Live, *, foundation: Foundation, origin: Origin, opens: bool
) -> Iterator[ReleaseStep | PublishAcceptor]:
    yield RecordRelease(release=release.id, origin=origin)
    changed = tuple(changed_functions(release, live))
    for grants in dict.fromkeys(each.grants for each in changed if each.grants):
        yield GrantFunctions(grants=grants)
    # With a changed foundation a table may be new: its functions wait for it.
    firm = foundation.digest == live.foundation
    for function in changed:
        waits = () if firm else tuple(table for table, _ in function.grants.tables)
        before = function.name in live.functions
        yield PublishFunction(function=function, tables=waits, changed=before, ready=not firm)
    yield PublishEntry(release=release, ready=not firm)
    if firm:  # a new foundation has URLs of the versions, and waits for each
        yield AwaitVersions(functions=(*(each.name for each in changed), ENTRY), pointers=not opens)
    files = tuple(_files(release, live))
    yield from files
    yield PutManifest(release=release, after=tuple(ref for step in files for ref in step.makes))
    stage = release.routing.api_stage
    again = stage in live.drift.api_stages
    if stage and (again or stage not in dict(live.stages)):
        yield from api_stage_steps(release, again=again)
    new = tuple(each for each in release.header_sets if each.ref not in live.header_sets)
    yield WriteRouting(release=release.id, routing=release.routing, header_sets=new)


def api_stage_steps(
    release: Release, *, again: bool = False
) -> Iterator[MakeApiStage | PublishAcceptor]:
    """The steps that make its api_stage; they ask for the release's record and its versions."""
    routed = tuple(each for each in release.functions if each.methods and not each.stream)
    through = any(each.background.requests for each in routed)
    if through:
        yield PublishAcceptor()
    yield MakeApiStage(
        api_stage=release.routing.api_stage,
        functions=routed,
        api=release.api,
        through=(Ref(Made.VERSION, ACCEPTOR),) if through else (),
        again=again,
    )


def _upkeep(release: Release, live: Live) -> Iterator[TendFunction]:
    for function in release.functions:
        before = live.functions.get(function.name)
        if live.drift or function.upkeep != (before.upkeep if before else Upkeep()):
            yield TendFunction(function=function.name, upkeep=function.upkeep)


def changed_functions(release: Release, live: Live) -> Iterator[Function]:
    """Functions whose digest is not the one that the live release uses."""
    for function in release.functions:
        published = live.functions.get(function.name)
        if published is None or published.digest != function.digest:
            yield function


def _files(release: Release, live: Live) -> Iterator[PutFiles | CopyFiles]:
    put = tuple(file for file in release.files if not _is_there(file, live))
    same = tuple(
        file for file in release.files if file.kind is not Kind.IMMUTABLE and _is_there(file, live)
    )
    if put:
        yield PutFiles(release=release.id, files=put, over=live.drift.files)
    if same and release.id != live.release:  # else they lie there already
        yield CopyFiles(release=release.id, origin=live.release, files=same)


def _is_there(file: File, live: Live) -> bool:
    stored = live.immutable if file.kind is Kind.IMMUTABLE else live.files
    return stored.get(file.key) == file.digest


def _stages_after(release: Release, live: Live) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The api_stages once `release` is live, newest first, each with the releases that name it."""
    stage = release.routing.api_stage
    if not stage:
        return live.stages
    users = tuple(each for each in dict(live.stages).get(stage, ()) if each != release.id)
    others = tuple(each for each in live.stages if each[0] != stage)
    return ((stage, (release.id, *users)), *others)
