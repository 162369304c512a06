"""Steps of a pull request's environment, beside those that it shares with production."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runner.model import Api, File, Function, Grants, HeaderSet, Routing
from runner.plan.publishing import role_of
from runner.plan.refs import Made, Ref, Refs

# How many previews had the host, this one included: with the second on a browser is swept once.
LEASE = Ref(Made.DOMAIN, "lease")
HIDDEN = Ref(Made.ROUTING, "hidden")  # nothing leads to the releases that are let go of


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHost:
    """The host name under which the preview is reached: its own, or one of the pool's."""

    environment: str
    domain: str = ""  # of the site's, without the wildcard; empty: the pool
    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = (Ref(Made.DOMAIN), LEASE)

    def __str__(self) -> str:
        host = f"{self.environment}.{self.domain}" if self.domain else "a host of the pool"
        return f"take {host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPublished:
    """Copy what production has published on the server side: nothing leaves the runner."""

    release: str
    origin: str
    files: tuple[File, ...] = field(repr=False)
    needs: ClassVar[Refs] = (Ref(Made.BUCKET), Ref(Made.RECORD))
    makes: ClassVar[Refs] = (Ref(Made.FILES, "published"),)

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        return f"copy {len(self.files)} files of production's {self.origin[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStage:
    """The preview's api_stage answers with what was deployed for it; nothing where it does."""

    api_stage: str
    functions: tuple[Function, ...] = field(repr=False)
    api: Api = field(default_factory=Api, repr=False)

    def __str__(self) -> str:
        return f"lead api_stage {self.api_stage} to the new functions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """One value a host: from here on the preview's visitors get this release.

    With what the router must know of it, in one write: all previews share the store, and each write
    is upon the whole of it.
    """

    environment: str
    release: str
    routing: Routing
    header_sets: tuple[HeaderSet, ...] = field(default=(), repr=False)  # those that are new
    domain: str = ""  # as in `TakeHost`
    password: str = field(default="", repr=False)  # empty: everybody may look
    bypass: str = field(default="", repr=False)  # what tests send in the password's place
    replaces: str = ""

    def __str__(self) -> str:
        was = self.replaces[:8] or "nothing"
        return f"show {self.release[:8]} in {self.environment} (was {was})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowFunctions:
    """What functions of previews may do beyond what the role that all of them share can do anyway.

    Each set of rights is a policy of its own in that role: previews with the same share it.
    """

    grants: tuple[Grants, ...]
    needs: ClassVar[Refs] = (Ref(Made.RECORD),)

    @property
    def makes(self) -> Refs:
        return tuple(dict.fromkeys(role_of(each) for each in self.grants))

    def __str__(self) -> str:
        secrets = sorted({path for each in self.grants for _, path in each.secrets})
        around = [
            name for name in ("tracing", "network") if any(getattr(it, name) for it in self.grants)
        ]
        return f"grant previews {', '.join([*(f'secret {each}' for each in secrets), *around])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HideReleases:
    """The commits of these releases are no longer to be looked at: what was made of them is let go
    of next."""

    releases: tuple[str, ...]
    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.DOMAIN))
    makes: ClassVar[Refs] = (HIDDEN,)

    def __str__(self) -> str:
        return f"hide {len(self.releases)} releases"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """What no release has any more that is remembered; functions by their names at Lambda; `host`
    is one that the preview has left. What the release before it has goes once visitors have the
    new one, all else while that is staged."""

    releases: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    host: str = ""
    after: Refs = ()
    makes: ClassVar[Refs] = ()

    @property
    def needs(self) -> Refs:
        return (Ref(Made.STORE), *self.after)

    def __str__(self) -> str:
        counts = ((len(self.releases), "releases"), (len(self.functions), "functions"))
        more = ((len(self.versions), "versions"), (int(bool(self.host)), "hosts"))
        told = [f"{count} {what}" for count, what in (*counts, *more)]
        return f"let go of {', '.join(each for each in told if not each.startswith('0 '))}"


PreviewStage = TakeHost | CopyPublished | AllowFunctions | HideReleases | LetGo
