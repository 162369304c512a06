"""What the records say that there is, and which of it explains a resource. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.model import Origin
from runner.names import (
    ALIAS,
    BOUNDARY,
    CACHE_POLICY,
    CODE_DEPLOY_ROLE,
    FORWARD_POLICY,
    PRODUCTION,
    Names,
)
from runner.plan.inventory import TAGGED, Thing, What

FOUNDATION = "foundation"
ACCOUNT = "the account, for every site"
DESTROY = "a run of `destroy` that has not ended"
SURVIVED = "left by a run of `destroy` that did not end: `jam-deploy gc` takes it"
KEPT = "kept when its site was destroyed"
ASSETS = f"{PRODUCTION}/assets/"
RELEASES = f"{PRODUCTION}/releases/"
NEWEST = "~newest.json"  # what production published last, for previews to read
ARCHIVES = "functions/"  # larger archives on their way to Lambda
POLICIES = frozenset({What.CACHE_POLICY, What.FORWARD_POLICY})
_CONFIG = re.compile(r"jam-(canary|linear)-\d+pct-\d+m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One release on record, with all that its record names; `at` and `expired` in epoch seconds.

    `opened` is the epoch second until which somebody may look at it by a link.
    `versions` are pairs of a Lambda name and a version, entry's among them; `header_sets` are the
    digests that its manifest names, `assets` the keys below `assets/`. `is_known` is False where
    its manifest could not be read: then nothing is known of these two.
    """

    release: str
    is_ready: bool = False
    at: int = 0
    expired: int = 0
    opened: int = 0
    origin: Origin = field(default_factory=Origin)
    versions: frozenset[tuple[str, str]] = frozenset()
    roles: frozenset[str] = frozenset()
    api_stage: str = ""
    header_sets: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    is_known: bool = False
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All records of one site. Without `exists` there are none.

    `ids` are those of the distribution and the API; `scheduled` Lambda names that run by schedule,
    `streams` those with a function URL, `tables` those with the site's data, by their names in the
    settings. `rollout` is the id of an open one. `destroying`: a run of `destroy` began and has not
    ended; `survived`: a deploy came after one. `sites` are all sites of
    the account and region that have records, `environments` those of this site; `domains` its host
    names.
    """

    exists: bool = False
    live: str = ""
    previous: str = ""
    candidate: str = ""
    rollout: str = ""
    sequence: int = 0
    destroying: bool = False
    survived: bool = False
    ids: frozenset[str] = frozenset()
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    scheduled: frozenset[str] = frozenset()
    streams: frozenset[str] = frozenset()
    history: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    sites: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()

    def state(self, release: str) -> str:
        """As people say it: `live release 0123abcd`."""
        named = {self.previous: "previous", self.candidate: "candidate", self.live: "live"}
        entry = next((each for each in self.entries if each.release == release), None)
        if entry is None and release not in named:
            return ""
        kept = "kept" if entry and entry.is_ready else "staging"
        state = "expired" if entry and entry.expired and release != self.live else kept
        return f"{named.get(release) or state} release {release[:8]}"

    def first(self, is_it: Callable[[Entry], bool]) -> str:
        """The release that explains something; a live one before others, else empty."""
        found = [each.release for each in self.entries if is_it(each)]
        found.sort(key=lambda each: each not in (self.live, self.candidate))
        return self.state(found[0]) if found else self._unfinished

    @property
    def _unfinished(self) -> str:
        """A release whose record does not say yet what it is made of."""
        return next((self.state(each.release) for each in self.entries if not each.is_ready), "")


def explained(thing: Thing, ledger: Ledger, names: Names) -> str:
    """What explains it: the account, another site, a record or a step; empty if nothing does."""
    if _is_shared(thing):
        return ACCOUNT
    if thing.kind is What.OTHER:
        return ""
    whose = site_of(thing, ledger, names)
    if whose != names.site:
        return f"site {whose}" if whose in ledger.sites else ""
    if thing.kept and not ledger.exists:
        return KEPT
    if not ledger.exists or (thing.kind in TAGGED and not thing.is_tagged):
        return ""
    if ledger.destroying:
        return DESTROY
    if thing.environment not in ("", PRODUCTION):
        known = thing.environment in ledger.environments
        return f"preview {thing.environment}" if known else ""
    return _of_kind(thing, ledger, names)


def _is_shared(thing: Thing) -> bool:
    return (
        thing.kind is What.STACK
        or (thing.kind is What.POLICY and thing.name == BOUNDARY)
        or (thing.kind is What.ROLE and thing.name == CODE_DEPLOY_ROLE)
        or (thing.kind is What.DEPLOYMENT_CONFIG and bool(_CONFIG.fullmatch(thing.name)))
        or is_policy_of_all(thing)
    )


def is_policy_of_all(thing: Thing) -> bool:
    """One that every site of the account uses, rather than a site's own."""
    return thing.kind in POLICIES and thing.name.startswith((CACHE_POLICY, FORWARD_POLICY))


def site_of(thing: Thing, ledger: Ledger, names: Names) -> str:
    """By its tags, else the site with the longest name that fits; empty if none does.

    A part is listed for this site alone.
    """
    if thing.site:
        return thing.site
    if thing.of:
        return names.site
    plain = thing.name.removeprefix("/aws/lambda/").removeprefix("/aws/vendedlogs/")
    sites = sorted({*ledger.sites, names.site}, key=len, reverse=True)
    fits = (site for site in sites if f"{plain}-".startswith(f"jam-{site}-"))
    return next(fits, "")


def _of_kind(thing: Thing, ledger: Ledger, names: Names) -> str:  # noqa: PLR0912 -- a table
    if thing.name in fixed(names).get(thing.kind, ()):
        return FOUNDATION
    match thing.kind:
        case What.DISTRIBUTION | What.API:
            return FOUNDATION if not ledger.ids or thing.key in ledger.ids else ""
        case What.CERTIFICATE | What.DNS_RECORD:
            return FOUNDATION if is_for(thing, ledger.domains) else ""
        case What.ALARM:
            is_open = ledger.rollout and thing.name.startswith(f"{names.prefix}-{ledger.rollout}")
            return f"rollout of release {ledger.candidate[:8]}" if is_open else ""
        case What.SCHEDULE:
            return ledger.state(ledger.live) if thing.name in ledger.scheduled else ""
        case What.TABLE:
            return FOUNDATION if thing.name.startswith(names.table("")) else ""
        case What.API_STAGE:
            stages = dict(ledger.stages)
            users = stages.get(thing.name, ())
            recorded = next(filter(None, map(ledger.state, users)), "")
            return recorded or ledger.first(lambda each: each.api_stage == thing.name)
        case What.SPARE_DEPLOYMENT:
            return ledger.first(lambda each: each.api_stage == thing.name.partition(" ")[0])
        case What.ROLE:
            return ledger.first(lambda each: thing.name in each.roles)
        case What.LOG_GROUP:
            return _function(thing.name.removeprefix("/aws/lambda/"), ledger, names)
        case What.FUNCTION | What.VERSION | What.ALIAS | What.FUNCTION_URL:
            return _compute(thing, ledger, names)
        case What.KEY:
            return _key(thing.name, ledger)
        case What.OBJECTS:
            return _objects(thing.name, ledger)
    return ""


def fixed(names: Names) -> Mapping[What, tuple[str, ...]]:
    """What every site has, or may have, by its name."""
    roles = (names.functions_role, names.entry_role, names.api_role, names.guard_role,
             names.keeper_role)  # fmt: skip
    return {
        What.RULE: (names.guard_clock, names.guard_word),
        What.ALARM: (names.dead_letters,),
        What.SCHEDULE_GROUP: (names.schedules,),
        What.EDGE: (names.router, names.response, names.stream),
        What.KEY: ("live", "token", "key", "bearer"),
        What.STORE: (names.store,),
        What.ACCESS: (names.files_access, names.entry_access),
        # Each site had its own once; `gc` takes them where no distribution uses them any more.
        What.CACHE_POLICY: (f"{names.prefix}-cache",),
        What.FORWARD_POLICY: (f"{names.prefix}-forward",),
        What.DEPLOYMENT_GROUP: (PRODUCTION,),
        What.APPLICATION: (names.application,),
        What.FUNCTION: (names.entry, names.guard, names.acceptor, names.keeper),
        What.QUEUE: (names.dead_letters,),
        What.ROLE: (*roles, names.scheduler_role, names.background_role),
        What.LOG_GROUP: (names.access_log,),
        What.BUCKET: (names.bucket,),
        What.TABLE: (names.records,),
    }


def is_for(thing: Thing, domains: frozenset[str]) -> bool:
    """A certificate is for all of an environment's host names, a record for one of them."""
    if thing.kind is What.DNS_RECORD:
        return thing.of in domains
    return frozenset(thing.name.split(", ")) == domains


def _compute(thing: Thing, ledger: Ledger, names: Names) -> str:
    if thing.kind is What.FUNCTION:
        return _function(thing.name, ledger, names)
    if thing.kind is What.VERSION:
        if thing.of in (names.guard, names.acceptor, names.keeper):
            return FOUNDATION
        return ledger.first(lambda each: (thing.of, thing.key) in each.versions)
    if thing.of == names.entry:
        return FOUNDATION if thing.kind is What.FUNCTION_URL or thing.key == ALIAS else ""
    return ledger.state(ledger.live) if thing.of in ledger.streams else ""


def _function(function: str, ledger: Ledger, names: Names) -> str:
    if function in (names.entry, names.guard, names.acceptor, names.keeper):
        return FOUNDATION
    if not function.startswith(names.functions):
        return ""
    return ledger.first(lambda each: any(function == one for one, _ in each.versions))


def _key(key: str, ledger: Ledger) -> str:
    kind, _, rest = key.partition("/")
    if kind == "r":
        return ledger.state(rest)
    if kind == "h":
        digest = rest.partition(".")[0]
        return ledger.first(lambda each: digest in each.header_sets or not each.is_known)
    return ""


def _objects(key: str, ledger: Ledger) -> str:
    if key.startswith(RELEASES):
        return ledger.state(key.removeprefix(RELEASES).partition("/")[0])
    if key.startswith(ASSETS):
        asset = key.removeprefix(ASSETS)
        return ledger.first(lambda each: asset in each.assets or not each.is_known)
    if key.startswith(ARCHIVES) or key == f"{PRODUCTION}/{NEWEST}":
        return FOUNDATION
    return ""
