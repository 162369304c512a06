"""The nouns of a release, as frozen values that know nothing of AWS or GitHub.

Pure: no network, no clock, no disk. `source` and `archive` are paths to read later; they take no
part in equality, so that equal builds are equal wherever they lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Source(Protocol):
    """Where a file's bytes lie: a `Path`, or what takes less room than one."""

    def __fspath__(self) -> str: ...

    def read_bytes(self) -> bytes: ...


class Kind(StrEnum):
    """How a file of the site is stored, cached and routed."""

    DOCUMENT = "document"  # an HTML file: follows `live`
    ASSET = "asset"  # any other file: follows the visitor's pin
    IMMUTABLE = "immutable"  # carries its own content hash in its name: stored once, for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the site.

    `path` is where it lies in the publish folder, decoded, with `/` (`about/index.html`).
    `key` is its one storage key below the release or below `assets/` (see runner/paths.py).
    `digest` is the sha256 of the bytes that visitors get, in hex; `size` counts them.
    `headers` is the reference `<digest>.<parts>` of its header set, or empty.
    """

    path: str
    key: str
    kind: Kind
    digest: str
    size: int
    content_type: str
    cache_control: str
    headers: str = ""
    source: Source = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSet:
    """Response headers that several files share; `ref` is `<digest>.<parts>`.

    `parts` are the JSON text in pieces of at most 1 KB, the largest value of a KeyValueStore.
    Source: CloudFront developer guide, "Quotas on CloudFront Functions".
    """

    ref: str
    headers: tuple[tuple[str, str], ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One rule of `_redirects`, in order of precedence.

    `source` and `target` keep Netlify's placeholders (`:name`, `*`, `:splat`); `query` are the
    parameters that must be present (`id`, `:id`); `status` is 200 (rewrite), 301, 302, 303, 307,
    308, 404 or 410; `force` was written `!`. `countries` and `languages` are lower case.
    """

    source: str
    target: str
    status: int
    force: bool = False
    query: tuple[tuple[str, str], ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What a function may use beside its own log; without any it has the site's common role.

    `owner` is the one function that has them, empty where all share those of `[functions]`.
    `tables` are pairs of a table and `r`, `w` or `rw`; `invoke` names other functions. `secrets`
    are pairs of a variable and the name of a parameter in Systems Manager. `tracing` is to X-Ray,
    `network` to make interfaces in a VPC. `failures`: Lambda puts its failed events among the
    site's dead letters in its name; alone that is no reason for a role of its own.
    """

    owner: str = ""
    tables: tuple[tuple[str, str], ...] = ()
    invoke: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    tracing: bool = False
    network: bool = False
    failures: bool = False

    def __bool__(self) -> bool:
        used = (self.tables, self.invoke, self.secrets, self.tracing, self.network)
        return any(used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """What Lambda offers around a function's code, version by version: nothing, if not asked."""

    layers: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tracing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What holds for a function whatever its version: it follows the live release.

    `log_days` its log is kept; `reserved` are invocations at once that are its own and its most.
    """

    log_days: int = 30
    reserved: int | None = None

    def __str__(self) -> str:
        reserved = "" if self.reserved is None else f", reserve {self.reserved} invocations"
        return f"keep {self.log_days} days of logs{reserved}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What runs a function without waiting for its answer, and what becomes of a failure.

    `schedule` is a rate or cron expression in UTC. `requests` are answered 202 at once and handed
    on. A failed event is tried `retries` times more; then it goes to the site's dead letters.
    """

    schedule: str = ""
    requests: bool = False
    retries: int = 2

    def __bool__(self) -> bool:
        return bool(self.schedule) or self.requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Whose tokens open a route: a JWT's `iss`, and its `aud` or `client_id`."""

    name: str
    issuer: str
    audience: tuple[str, ...]


# A function's own 401 and 403 have this header; a refusal by the API, in its place, has not.
OWN_REFUSAL = "x-jam-own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Which requests API Gateway lets through to a function's route: all, if nothing is said.

    `rate` is in requests a second, `burst` in requests; None is the account's own limit.
    """

    authorizer: Authorizer | None = None
    scopes: tuple[str, ...] = ()
    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function of the site.

    `name` is its path below the functions folder (`notes/[id]`), `route` what API Gateway matches
    (`/.functions/notes/{id}`), `methods` either `("ANY",)` or a list; without methods no request
    reaches it (a schedule alone). `stream`: its answer is sent as it is made, from its own URL.
    `digest` covers code and settings in 32 hex digits, not who is let through to it;
    `code_sha256` is Lambda's own base64 digest of the archive.
    `memory` is in MB, `timeout` in seconds. The environment never reaches a log.
    """

    name: str
    route: str
    methods: tuple[str, ...]
    runtime: str
    handler: str
    architecture: str
    memory: int
    timeout: int
    digest: str
    code_sha256: str
    size: int
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    grants: Grants = Grants()
    hosting: Hosting = Hosting()
    upkeep: Upkeep = Upkeep()
    background: Background = Background()
    admission: Admission = Admission()
    stream: bool = False
    archive: Path = field(compare=False)


Key = tuple[str, str]
"""A key attribute of a table with its type: `(name, "S" | "N" | "B")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A secondary index with all attributes; a `local` one shares its table's hash key.

    A local index reads what was just written, and is made with its table or never.
    """

    name: str
    hash_key: Key
    range_key: Key | None = None
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A DynamoDB table of the site.

    `ttl` is the attribute with the second of the epoch from which an item goes. `recovery` turns
    point-in-time recovery on or off; None leaves it as it is.
    """

    name: str
    hash_key: Key
    range_key: Key | None = None
    indexes: tuple[Index, ...] = ()
    ttl: str = ""
    recovery: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What the router must know of a release: at most 500 bytes of JSON in the KeyValueStore.

    `api_stage` is empty for a site without functions. `immutable` are patterns with exactly one
    `*` (`assets/*`, `_next/static/*.js`) over storage keys. `headers` is the reference of the
    header set that all immutable files share. `spa` says that extensionless navigations get the
    start document, except below the first path segments in `except_below`.
    """

    api_stage: str
    immutable: tuple[str, ...] = ()
    headers: str = ""
    spa: bool = False
    except_below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What holds for all routes of a release: other origins that may call, and the access log."""

    cors: tuple[str, ...] = ()
    access_log: bool = True
    log_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The immutable result of one build. Its `id` is the digest of all that: 32 hex digits."""

    id: str
    files: tuple[File, ...]
    header_sets: tuple[HeaderSet, ...]
    redirects: tuple[Redirect, ...]
    functions: tuple[Function, ...]
    routing: Routing
    api: Api = Api()
    not_found: str = ""  # the key of the site's 404 page, if it has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a release came from: told in records, comments and `status`, never in its id.

    `number` and `attempt` are those of the run in its `workflow`: they say which run is the newer.
    `pull` is the number of the pull request that brought the commit, 0 where nobody knows one.
    Without a `number` it was deployed by hand; `dirty`: from files that differ from the commit.
    """

    commit: str = ""
    author: str = ""
    branch: str = ""
    run: str = ""
    workflow: str = ""
    number: int = 0
    attempt: int = 0
    pull: int = 0
    dirty: bool = False

    @property
    def short(self) -> str:
        """The commit as `git describe --dirty` has it; empty where nobody knows one."""
        return self.commit[:12] + "-dirty" * self.dirty
