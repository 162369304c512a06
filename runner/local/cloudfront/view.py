"""A distribution as the edges read it: frozen, with its policies and functions looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which names of a kind (headers, cookies, query strings) a policy takes."""

    all: bool = False
    names: frozenset[str] = frozenset()  # taken; if `all`, left out
    added: frozenset[str] = frozenset()  # CloudFront's own headers beside all of the visitor's

    def takes(self, name: str) -> bool:
        return (name in self.names) != self.all

    @property
    def nothing(self) -> bool:
        return not self.all and not self.names

    @property
    def own(self) -> frozenset[str]:
        """The names of CloudFront's own headers that it asks for."""
        return self.added if self.all else self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRules:
    """A cache policy: seconds, encodings, and what belongs to the key."""

    minimum: int
    default: int
    maximum: int
    gzip: bool
    brotli: bool
    headers: Selection
    cookies: Selection
    queries: Selection

    @property
    def enabled(self) -> bool:
        return self.maximum > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """An origin request policy; none is one that takes nothing."""

    headers: Selection = Selection()
    cookies: Selection = Selection()
    queries: Selection = Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderPolicy:
    """A response headers policy: names in lower case. `forced` replace what the origin sent."""

    added: Pairs = ()
    forced: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """An origin access control."""

    behaviour: str  # never | always | no-override
    kind: str  # s3 | lambda | ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where requests go. `bucket` is empty for a custom origin; seconds are real ones."""

    id: str
    domain: str
    path: str
    headers: Pairs
    bucket: str
    signing: Signing | None
    attempts: int
    connect_seconds: float
    read_seconds: float
    protocol: str = "https-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Origins in the order of asking, and the statuses on which the next one is asked."""

    members: tuple[Origin, ...]
    statuses: frozenset[int]


Target = Origin | Group


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRef:
    """A published function as a behaviour runs it."""

    name: str
    etag: str
    code: str
    runtime: str
    store: str  # ARN, or empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens with the paths of one pattern."""

    pattern: re.Pattern[str]
    target: Target
    protocol: str
    methods: frozenset[str]
    cached_methods: frozenset[str]
    compress: bool
    cache: CacheRules
    forward: Forwarding
    headers: HeaderPolicy
    on_request: FunctionRef | None
    on_response: FunctionRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """What a status of the origin becomes; an empty `page` leaves it as it is."""

    page: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What serves some hosts."""

    id: str
    arn: str
    domain: str
    aliases: tuple[str, ...]
    enabled: bool
    root: str
    behaviours: tuple[Behaviour, ...]  # in order; the default one is last
    origins: Mapping[str, Origin]
    errors: Mapping[int, ErrorRule]

    def behaviour(self, path: str) -> Behaviour:
        """The first whose pattern matches; `path` is the visitor's own, not a function's."""
        plain = normalised(path)
        for behaviour in self.behaviours:
            if behaviour.pattern.fullmatch(plain):
                return behaviour
        return self.behaviours[-1]


_ODD = re.compile(r"%|//|/\.{1,2}(?:/|$)")
_UNRESERVED = re.compile(r"%(?:[46][1-9A-F]|[57][0-9A]|5F|7E|2[DE]|3[0-9])", re.IGNORECASE)


def normalised(path: str) -> str:
    """Without escapes that need none, empty segments and dot segments."""
    if not _ODD.search(path):
        return path
    plain = _UNRESERVED.sub(lambda found: unquote(found[0]), path)
    kept: list[str] = []
    segments = plain.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    closed = bool(kept) and segments[-1] in ("", ".", "..")
    return "/" + "/".join(kept) + ("/" if closed else "")
