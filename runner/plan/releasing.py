"""Steps of one release: staging it, switching to it, tidying up afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runner.model import Api, File, Function, Grants, HeaderSet, Origin, Release, Routing, Upkeep
from runner.plan.foundation import Role
from runner.plan.live import Hold
from runner.plan.publishing import STORE_REVISION, PublishStep, megabytes, role_of
from runner.plan.refs import Made, Ref, Refs
from runner.plan.streams import Stream

Stages = tuple[tuple[str, tuple[str, ...]], ...]
"""api_stages, newest first, each with the releases that name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRelease:
    """Written before the release's first resource, so that nothing is ever unaccounted for."""

    release: str
    origin: Origin = field(compare=False)
    owns: tuple[str, ...] = ()  # names of a preview's functions and tables
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.RECORD),)

    def __str__(self) -> str:
        return f"record release {self.release[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutFiles:
    """Upload what AWS does not have yet."""

    release: str
    files: tuple[File, ...] = field(repr=False)
    over: frozenset[str] = frozenset()  # keys whose bytes somebody changed: these are replaced
    needs: ClassVar[Refs] = (Ref(Made.BUCKET), Ref(Made.RECORD))
    makes: ClassVar[Refs] = (Ref(Made.FILES, "put"),)

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        return f"upload {len(self.files)} files, {megabytes(self.bytes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFiles:
    """Copy unchanged files of the live release on the server side: nothing leaves the runner."""

    release: str
    origin: str
    files: tuple[File, ...] = field(repr=False)
    needs: ClassVar[Refs] = (Ref(Made.BUCKET), Ref(Made.RECORD))
    makes: ClassVar[Refs] = (Ref(Made.FILES, "copy"),)

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        size = megabytes(self.bytes)
        return f"copy {len(self.files)} unchanged files, {size}, from {self.origin[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutManifest:
    """Last of the release's objects: its presence says that the release is whole."""

    release: Release = field(repr=False)
    after: Refs = ()
    makes: ClassVar[Refs] = (Ref(Made.MANIFEST),)

    @property
    def needs(self) -> Refs:
        return (Ref(Made.BUCKET), Ref(Made.RECORD), *self.after)

    def __str__(self) -> str:
        return "upload the manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFunctions:
    """A role with exactly these rights: of one function, or of all with the common grants."""

    grants: Grants
    needs: ClassVar[Refs] = (Ref(Made.RECORD),)

    @property
    def makes(self) -> Refs:
        return (role_of(self.grants),)

    def __str__(self) -> str:
        rights = [f"{table}:{access}" for table, access in self.grants.tables]
        calls = [f"invoke {function}" for function in self.grants.invoke]
        secrets = [f"secret {path}" for _, path in self.grants.secrets]
        told = ", ".join([*rights, *calls, *secrets])
        return f"grant {self.grants.owner or 'functions'} {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeApiStage:
    """Import, deploy and name a snapshot whose integrations call qualified versions."""

    api_stage: str
    functions: tuple[Function, ...]
    api: Api = field(default_factory=Api)
    through: Refs = ()  # the acceptor of background requests, where there are any
    again: bool = False  # what stands calls versions that are gone

    @property
    def needs(self) -> Refs:
        versions = (Ref(Made.VERSION, function.name) for function in self.functions)
        role = Ref(Made.ROLE, Role.API)
        made = (Ref(Made.RECORD), Ref(Made.API), Ref(Made.STORE), Ref(Made.KEEPER))
        return (*made, role, *versions, *self.through)

    makes: ClassVar[Refs] = (Ref(Made.API_STAGE),)

    def __str__(self) -> str:
        return f"create api_stage {self.api_stage} with {len(self.functions)} functions"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRouting:
    """What the router and the response function must know of this release; with the same write they
    lose what they knew of those that it `forgets`."""

    release: str
    routing: Routing
    header_sets: tuple[HeaderSet, ...]
    forgets: tuple[str, ...] = ()
    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.RECORD))
    makes: ClassVar[Refs] = (Ref(Made.ROUTING), STORE_REVISION)

    def __str__(self) -> str:
        return f"write routing of {self.release[:8]} to the key value store"


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBackRouting:
    """What the router has forgotten of other releases that are kept, by their manifests."""

    releases: tuple[str, ...]
    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.BUCKET), Ref(Made.RECORDS))
    makes: ClassVar[Refs] = ()

    def __str__(self) -> str:
        return f"write routing of {len(self.releases)} kept releases to the key value store"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStaged:
    """The release lies ready: from now on it can be activated at any time."""

    release: Release = field(repr=False)

    def __str__(self) -> str:
        return f"record that {self.release.id[:8]} is ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAlias:
    """Point the entry's alias at this release's version, all of it."""

    release: str

    def __str__(self) -> str:
        return f"point the entry at {self.release[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """One value in the key value store: from here on visitors get this release."""

    release: str
    routing: Routing
    replaces: str

    def __str__(self) -> str:
        was = self.replaces[:8] or "nothing"
        return f"activate {self.release[:8]} (was {was})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLive:
    """The environment's record, one number further; refused where a newer run was first."""

    release: str
    previous: str
    sequence: int
    foundation: str
    stages: Stages = ()
    streams: tuple[Stream, ...] = ()
    tables: tuple[str, ...] = ()  # the site's own, by the names of its settings
    origins: str = ""
    trailing: bool = False  # something of it still has to follow: schedules, streams, upkeep
    origin: Origin = field(default_factory=Origin, repr=False)  # the newest run so far
    history: tuple[str, ...] = ()  # releases that were live, the newest first
    hold: Hold | None = None  # set at the same moment

    def __str__(self) -> str:
        return f"record that {self.release[:8]} is live, number {self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFollowed:
    """Everything of the live release has followed it."""

    sequence: int

    def __str__(self) -> str:
        return f"record that nothing of number {self.sequence} is left to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropApiStage:
    """Old api_stages, and the routing of the releases that named them: made again when needed.

    While a release is staged that takes their place: whoever has it waits for nothing afterwards.
    The record, of which this is number `sequence`, names what `stays` before anything goes.
    """

    api_stages: tuple[str, ...]
    stays: Stages = field(repr=False)
    sequence: int
    releases: tuple[str, ...] = ()  # those that no other step of the plan forgets
    after: Refs = ()
    makes: ClassVar[Refs] = ()

    @property
    def needs(self) -> Refs:
        return (Ref(Made.RECORDS), Ref(Made.STORE), Ref(Made.API), *self.after)

    def __str__(self) -> str:
        return f"drop api_stage {', '.join(self.api_stages)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TendFunction:
    """What holds for a function whatever its version; with the release, and back with it."""

    function: str
    upkeep: Upkeep

    def __str__(self) -> str:
        return f"{self.upkeep} for {self.function}"


ReleaseStep = (
    RecordRelease
    | PutFiles
    | CopyFiles
    | PutManifest
    | GrantFunctions
    | PublishStep
    | MakeApiStage
    | WriteRouting
    | BringBackRouting
    | DropApiStage
)
SwitchStep = RecordStaged | MoveAlias | Activate | RecordLive
SettleStep = TendFunction | RecordFollowed
