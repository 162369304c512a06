"""What the records say of previews, and which of it explains a resource. Pure.

What all previews share is a foundation; a preview's own is explained by its releases on record, so
that what a killed run left, or somebody made by hand, is explained by nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from runner.names import ALIAS, PREVIEW, PREVIEWS, Names
from runner.plan.hosts import Host
from runner.plan.inventory import TAGGED, Thing, What
from runner.plan.ledger import ARCHIVES, DESTROY, fixed, is_for

SHARED = "what previews share"
POOL = "the pool of previews' hosts"
# Previews with equal rules share them, so that a closing leaves them to gc.
UNUSED = "header rules of previews that are closed"
_HEADERS = re.compile(r"h/[0-9a-f]{16}\.[0-9]+")
SECRET = "secret"  # noqa: S105  # a key's name
_OBJECTS = re.compile(rf"{PREVIEWS}/(?:(pr-[0-9]+)/)?(releases|assets)/(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A preview as it is recorded.

    `owns` are names of functions and tables, `versions` pairs of a Lambda name and a version,
    `header_sets` digests. `is_whole`: every release says what it is made of. `at_it`: a run has
    the lease.
    """

    environment: str
    host: str = ""
    closed: int = 0
    releases: frozenset[str] = frozenset()
    owns: frozenset[str] = frozenset()
    versions: frozenset[tuple[str, str]] = frozenset()
    header_sets: frozenset[str] = frozenset()
    is_whole: bool = True
    at_it: bool = False

    def __str__(self) -> str:
        return f"preview {self.environment}" + (", being closed" if self.closed else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """All records of a site's previews; without `exists` there are none.

    `ids` are those of the shared distribution and API, `releases` those of the shared part,
    `entries` entry's versions; before the first of these is recorded they may be anything's.
    `destroying`: a run of `destroy` began and has not ended.
    """

    exists: bool = False
    destroying: bool = False
    ids: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    releases: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    hosts: tuple[Host, ...] = ()

    def of(self, environment: str) -> str:
        """What explains what is a preview's; empty where nothing of it is on record."""
        tenant = self.tenants.get(environment)
        return str(tenant) if tenant and tenant.releases else ""


def without_run(told: Previewed, environment: str) -> Previewed:
    """The same where nobody is at that preview."""
    tenants = {
        name: replace(each, at_it=each.at_it and name != environment)
        for name, each in told.tenants.items()
    }
    return replace(told, tenants=tenants)


def is_of_previews(thing: Thing, names: Names) -> bool:
    """By its tags, or by a name that only previews' resources have."""
    shared = names.previews
    if thing.environment:
        return thing.environment == PREVIEWS or bool(PREVIEW.fullmatch(thing.environment))
    plain = thing.name.removeprefix("/aws/lambda/").removeprefix("/aws/vendedlogs/")
    return f"{plain}-".startswith(f"{shared.prefix}-")


def explained(thing: Thing, told: Previewed, names: Names) -> str:
    """For what is previews' (`is_of_previews`): a step, a preview; empty if nothing explains it."""
    if not told.exists or (thing.kind in TAGGED and not thing.is_tagged):
        return ""
    if told.destroying:
        return DESTROY
    if thing.kind is What.DISTRIBUTION:
        return _distribution(thing, told)
    if PREVIEW.fullmatch(thing.environment):
        return _of_preview(thing, told)
    return _shared(thing, told, names.previews)


def is_stray(thing: Thing, told: Previewed, names: Names) -> bool:
    """Whether it is of a kind that killed runs leave, by its shape ours, and explained by nothing.

    The foundation's own kinds are never collected, and no object that somebody else put there.
    """
    if explained(thing, told, names) not in ("", UNUSED):
        return False
    if thing.kind is What.TABLE:
        return bool(PREVIEW.fullmatch(thing.environment))
    if thing.kind is What.OBJECTS:
        return bool(_OBJECTS.match(thing.name))
    if thing.kind is What.KEY:
        return thing.name.startswith(("e/", "r/", "h/"))
    return thing.kind in _LEFT


_LEFT = frozenset(
    {
        What.DNS_RECORD,
        What.CERTIFICATE,
        What.API_STAGE,
        What.SPARE_DEPLOYMENT,
        What.VERSION,
        What.FUNCTION,
        What.LOG_GROUP,
    }
)


def owner(thing: Thing) -> str:
    """The environment under whose lease it was made."""
    if thing.kind is What.API_STAGE:
        return thing.name
    if thing.kind is What.SPARE_DEPLOYMENT:  # as `preview_api` describes it
        found = thing.name.partition(" ")[0]
        return found if PREVIEW.fullmatch(found) else PREVIEWS
    if thing.kind is What.KEY and thing.name.startswith("r/pr-"):
        return thing.name.split("/")[1]
    if thing.kind is What.KEY and thing.name.startswith("e/"):
        return environment_of(thing.name.removeprefix("e/")) or PREVIEWS
    return thing.environment


def environment_of(host: str) -> str:
    """Whose host it is by its name alone: `pr-7.…` or `0123abcd--pr-7.…`; empty if it says none."""
    found = host.partition(".")[0].rpartition("--")[2]
    return found if PREVIEW.fullmatch(found) else ""


def _distribution(thing: Thing, told: Previewed) -> str:
    if thing.key in told.ids or not told.ids:
        return SHARED
    host = next((each for each in told.hosts if each.distribution == thing.key), None)
    if host is None:
        return ""
    if host.lost:
        return f"{POOL}; {host.lost} by hand"
    if host.retired:
        return f"{POOL}; it goes"
    return told.of(host.environment) or POOL


def _of_preview(thing: Thing, told: Previewed) -> str:
    tenant = told.tenants.get(thing.environment)
    if tenant is None or not tenant.releases:
        return ""
    if thing.kind is What.OBJECTS:
        return _objects(thing.name, told)
    if thing.kind is What.VERSION:
        is_known = (thing.of, thing.key) in tenant.versions or not tenant.is_whole
        return str(tenant) if is_known else ""
    name = thing.name.removeprefix("/aws/lambda/")
    return str(tenant) if name in tenant.owns else ""


def _shared(thing: Thing, told: Previewed, names: Names) -> str:
    if thing.name in fixed(names).get(thing.kind, ()):
        return SHARED
    programs = fixed(names)[What.FUNCTION]
    match thing.kind:
        case What.CERTIFICATE | What.DNS_RECORD:
            return SHARED if is_for(thing, told.domains) else ""
        case What.API:
            is_first = thing.key in told.ids or not told.ids
            known = is_first or thing.name.startswith(f"{names.api}-")
            return SHARED if known else ""
        case What.API_STAGE:
            return told.of(thing.name)
        case What.SPARE_DEPLOYMENT:
            tenant = told.tenants.get(owner(thing))
            return str(tenant) if tenant and tenant.at_it else ""
        case What.KEY:
            return _key(thing.name, told)
        case What.OBJECTS:
            return _objects(thing.name, told)
        case What.VERSION:
            known = not _is_entry(thing, names) or thing.key in told.entries or not told.ids
            return SHARED if thing.of in programs and known else ""
        case What.ALIAS | What.FUNCTION_URL:
            return SHARED if _is_entry(thing, names) and thing.key == ALIAS else ""
        case What.LOG_GROUP:
            return SHARED if thing.name.removeprefix("/aws/lambda/") in programs else ""
    return ""


def _is_entry(thing: Thing, names: Names) -> bool:
    return thing.of == names.entry


def _key(key: str, told: Previewed) -> str:
    kind, _, rest = key.partition("/")
    if kind == "e":
        return _host(rest, told)
    if kind == "h":
        digest = rest.partition(".")[0]
        unused = UNUSED if _HEADERS.fullmatch(key) else ""
        return next(_with(told.tenants.values(), digest), unused)
    if kind != "r":
        return SHARED if key == SECRET else ""
    environment, _, release = rest.rpartition("/")
    if not environment:
        return SHARED if release in told.releases else ""
    tenant = told.tenants.get(environment)
    return str(tenant) if tenant and release in tenant.releases else ""


def _with(tenants: Collection[Tenant], digest: str) -> Iterator[str]:
    yield from (str(it) for it in tenants if digest in it.header_sets)
    yield from (str(it) for it in tenants if it.releases and not it.is_whole)


def _host(host: str, told: Previewed) -> str:
    """One of the pool by its lease, one below the site's domain by its name."""
    leased = (each.environment for each in told.hosts if each.domain.lower() == host)
    return next(filter(None, map(told.of, leased)), "") or told.of(environment_of(host))


def _objects(key: str, told: Previewed) -> str:
    if key.startswith(ARCHIVES):
        return SHARED
    found = _OBJECTS.match(key)
    if not found:
        return ""
    environment, kind, rest = found[1] or "", found[2], found[3]
    release = rest.partition("/")[0]
    if not environment:
        return SHARED if kind == "releases" and release in told.releases else ""
    tenant = told.tenants.get(environment)
    is_known = tenant and (release in tenant.releases if kind == "releases" else tenant.releases)
    return str(tenant) if is_known else ""
