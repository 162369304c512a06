"""Steps that publish what runs at Lambda, and the wait until it can be called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runner.model import Function, Grants, Release
from runner.plan.foundation import ENTRY, Role
from runner.plan.refs import Made, Ref, Refs

# Larger archives reach Lambda through the bucket. Source: Lambda developer guide, "Lambda quotas".
INLINE = 50_000_000  # bytes


ALIAS_REVISION, STORE_REVISION = Ref(Made.REVISION, ENTRY), Ref(Made.REVISION, "store")


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} KB"


def role_of(grants: Grants) -> Ref:
    """The role that a function with these grants runs as."""
    failures = "+" if grants.failures else ""
    return Ref(Made.ROLE, f"~{grants.owner}{failures}" if grants else Role.FUNCTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFunction:
    """A new version with this code and these settings; an equal one is adopted."""

    function: Function
    tables: tuple[str, ...] = ()
    changed: bool = False  # there was another version of it before
    ready: bool = True  # only once it can be called; else `AwaitVersions` waits for it

    @property
    def needs(self) -> Refs:
        tables = (Ref(Made.TABLE, table) for table in self.tables)
        through = (Ref(Made.BUCKET),) if self.function.size > INLINE else ()
        grants = self.function.grants
        called = (Ref(Made.VERSION, other) for other in grants.invoke)
        letters = (Ref(Made.DEAD_LETTERS),) if grants.failures else ()
        return (Ref(Made.RECORD), role_of(grants), *tables, *called, *through, *letters)

    @property
    def makes(self) -> Refs:
        return (Ref(Made.VERSION, self.function.name),)

    def __str__(self) -> str:
        verb = "update" if self.changed else "create"
        return f"{verb} function {self.function.name}, {megabytes(self.function.size)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEntry:
    """The entry version of this release, its documents inside."""

    release: Release = field(repr=False)
    ready: bool = True
    makes: ClassVar[Refs] = (Ref(Made.VERSION, ENTRY),)
    needs: ClassVar[Refs] = (Ref(Made.RECORD), Ref(Made.ROLE, Role.ENTRY))

    def __str__(self) -> str:
        return "publish the entry version"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitVersions:
    """What was published a moment ago can be called; an api_stage that names it is made meanwhile.

    An integration is an ARN to API Gateway, which asks nothing of the function. `moves`: the
    entry's alias is moved next, and what revision it has was looked at under the lease.
    """

    functions: tuple[str, ...]
    moves: bool = False

    @property
    def needs(self) -> Refs:
        return tuple(Ref(Made.VERSION, each) for each in self.functions)

    @property
    def makes(self) -> Refs:
        return (ALIAS_REVISION,) if self.moves else ()

    def __str__(self) -> str:
        return f"wait until {len(self.functions)} versions can be called"


PublishStep = PublishFunction | PublishEntry | AwaitVersions
