"""What a site needs before its first release, and the steps that make it. Pure, as `decide`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.model import Table
from runner.plan.background import (
    BackgroundFoundation,
    Unattended,
    foundation_of,
)
from runner.plan.foundation import (
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
from runner.plan.promotion import (
    MakeDeployments,
    MakeGuard,
    PromotionFoundation,
)
from runner.plan.refs import Made, Ref
from runner.plan.streaming import (
    StreamFoundation,
    grants_of,
    placed,
    urls_of,
)
from runner.plan.streams import Stream


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
