"""What an environment serves now, as read from AWS: the other half of the planner's input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from runner.model import Background, Origin, Upkeep
from runner.plan.drift import Drift
from runner.plan.refs import Ref
from runner.plan.streams import Stream

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A function that a recorded release uses: the digest of what was published, and where.

    Without a route (`routed`) only a schedule runs it, or another function.
    """

    digest: str
    version: str
    upkeep: Upkeep = field(default_factory=Upkeep)
    background: Background = field(default_factory=Background)
    routed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Production is kept as it is: by whom, why, and since when in epoch seconds."""

    by: str
    why: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Empty on a first deploy.

    `foundation` is the digest of the foundation as last made; `known` holds the ids that AWS
    picked for it; `existing` what was found of it when it was looked for. `files` are the live
    release's storage keys with their digests, `immutable` those below `assets/`. `stages` are the
    api_stages that exist, newest first, with the releases that use them; `streams` have, or may
    still have, function URLs of their own. `staged` says that the
    wanted release lies ready in AWS already; `entry` is the live release's entry version.
    """

    release: str = ""
    previous: str = ""
    sequence: int = 0
    foundation: str = ""
    known: Mapping[Ref, str] = field(default_factory=lambda: MappingProxyType({}))
    existing: frozenset[Ref] = frozenset()
    files: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    immutable: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    functions: Mapping[str, Published] = field(default_factory=lambda: MappingProxyType({}))
    header_sets: frozenset[str] = frozenset()
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    streams: tuple[Stream, ...] = ()
    origins: str = ""  # the other origins that may call functions, as runner.plan.origins has them
    staged: bool = False
    entry: str = ""
    entry_agrees: bool = True  # alias and KeyValueStore name the recorded release
    rollout: str = ""  # the release of which a rollout is open
    opening: bool = False  # that rollout's run is at it still, or died over it
    trailing: bool = False  # nobody has seen to what follows the live release
    origin: Origin = field(default_factory=Origin)  # of the run that made it live
    offered: Origin = field(default_factory=Origin)  # of the run that opened the rollout
    leased: bool = False  # another run is at it, or ended in the middle
    turns: int = 0  # how often anybody has had the lease
    leasing: Origin = field(default_factory=Origin)  # of that run
    hold: Hold | None = None
    history: tuple[str, ...] = ()  # releases that were live, the newest first
    tables: tuple[str, ...] = ()  # the site's own, as last recorded
    domains: tuple[str, ...] = ()  # host names that it has, or should have by now
    domains_work: bool = False  # visitors were seen to get it under them
    ahead: str = ""  # with which wish previews were prepared last
    doubted: int = 0  # when somebody noticed that something is not as recorded; epoch seconds
    drift: Drift = field(default_factory=Drift)  # what is not as recorded, where that was looked at
