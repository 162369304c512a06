"""Steps of the foundation: what a site needs before its first release.

Each is made where it is missing and put right where it differs; each is safe to repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from runner.model import Table
from runner.plan.refs import Made, Ref, Refs
from runner.plan.streams import Stream

ENTRY = "~entry"  # no function of a site can have this name


class Role(StrEnum):
    """The roles of one site."""

    FUNCTIONS = "functions"
    ENTRY = "entry"
    API = "api"
    KEEPER = "keeper"  # knows the distribution's requests from all others
    GUARD = "guard"  # judges rollouts
    SCHEDULER = "scheduler"  # where functions run by schedule
    BACKGROUND = "background"  # where functions take requests in the background


class Access(StrEnum):
    """The two origins that only CloudFront may read."""

    FILES = "files"
    ENTRY = "entry"


class Policy(StrEnum):
    """The distribution's own policies."""

    CACHE = "cache"
    FORWARD = "forward"


class Edge(StrEnum):
    """The CloudFront Functions; the last only where functions stream."""

    ROUTER = "router"
    RESPONSE = "response"
    STREAM = "stream"


def edges_of(streams: tuple[Stream, ...]) -> tuple[Edge, ...]:
    """Those that a distribution with these streaming functions has."""
    return tuple(edge for edge in Edge if streams or edge is not Edge.STREAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """A part of the foundation: made where it is missing, put right where it differs."""

    exists: bool = False

    @property
    def verb(self) -> str:
        return "check" if self.exists else "create"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRecords(_Resource):
    needs: ClassVar[Refs] = ()
    makes: ClassVar[Refs] = (Ref(Made.RECORDS),)

    def __str__(self) -> str:
        return f"{self.verb} the records table"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeBucket(_Resource):
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.BUCKET),)

    def __str__(self) -> str:
        return f"{self.verb} the bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRole(_Resource):
    role: Role
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.ROLE, self.role),)

    def __str__(self) -> str:
        return f"{self.verb} the role of the {self.role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAccess(_Resource):
    access: Access
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.ACCESS, self.access),)

    def __str__(self) -> str:
        return f"{self.verb} CloudFront's access to the {self.access}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePolicy(_Resource):
    policy: Policy
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.POLICY, self.policy),)

    def __str__(self) -> str:
        return f"{self.verb} the {self.policy} policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStore(_Resource):
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.STORE),)

    def __str__(self) -> str:
        return f"{self.verb} the key value store"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeEdge(_Resource):
    edge: Edge
    code: str = field(repr=False)
    needs: ClassVar[Refs] = (Ref(Made.STORE),)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.EDGE, self.edge),)

    def __str__(self) -> str:
        return f"{self.verb} the {self.edge} at the edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeApi(_Resource):
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.API),)

    def __str__(self) -> str:
        return f"{self.verb} the HTTP API"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeKeeper(_Resource):
    """What lets nothing into the API but what comes through the distribution."""

    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.ROLE, Role.KEEPER))
    makes: ClassVar[Refs] = (Ref(Made.KEEPER),)

    def __str__(self) -> str:
        return f"{self.verb} the keeper of the HTTP API"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTable(_Resource):
    table: Table
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.TABLE, self.table.name),)

    def __str__(self) -> str:
        return f"{self.verb} the table {self.table.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeEntryUrl(_Resource):
    """The alias that visitors reach, and its IAM function URL."""

    needs: ClassVar[Refs] = (Ref(Made.VERSION, ENTRY),)
    makes: ClassVar[Refs] = (Ref(Made.ENTRY_URL),)

    def __str__(self) -> str:
        return f"{self.verb} the entry's function URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeDistribution(_Resource):
    """With a path of its own for each function that streams."""

    streams: tuple[Stream, ...] = ()

    @property
    def needs(self) -> Refs:
        return (
            Ref(Made.BUCKET),
            *(Ref(Made.ACCESS, access) for access in Access),
            *(Ref(Made.POLICY, policy) for policy in Policy),
            *(Ref(Made.EDGE, edge) for edge in edges_of(self.streams)),
            Ref(Made.API),
            Ref(Made.KEEPER),  # it must know a new key before any edge sends it
            Ref(Made.ENTRY_URL),
            *(Ref(Made.STREAM_URL, each.name) for each in self.streams),
        )

    makes: ClassVar[Refs] = (Ref(Made.DISTRIBUTION), Ref(Made.DOMAIN))

    def __str__(self) -> str:
        return f"{self.verb} the distribution"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFiles(_Resource):
    """The bucket's policy: TLS only, and this distribution may read and list."""

    needs: ClassVar[Refs] = (Ref(Made.BUCKET), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = ()

    def __str__(self) -> str:
        return f"{self.verb} the distribution's right to read the bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEntry(_Resource):
    """The two permissions that a function URL asks of CloudFront."""

    needs: ClassVar[Refs] = (Ref(Made.ENTRY_URL), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = ()

    def __str__(self) -> str:
        return f"{self.verb} the distribution's right to call the entry"


FoundationStep = (
    MakeRecords
    | MakeBucket
    | MakeRole
    | MakeAccess
    | MakePolicy
    | MakeStore
    | MakeEdge
    | MakeApi
    | MakeKeeper
    | MakeTable
    | MakeEntryUrl
    | MakeDistribution
    | GrantFiles
    | GrantEntry
)
