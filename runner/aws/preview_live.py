"""Reads what a preview shows, and as much of the rest as its plan needs. Reads only.

All that can be read at once is: a pushed commit waits for few answers one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.aws import keyvalues, pool_records, preview_records, previews, published, records
from runner.aws.live import recorded_ids, versions_of, with_files
from runner.aws.looks_at_live import manifest_of
from runner.aws.preview_records import Recorded
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.model import Function
from runner.names import PREVIEWS, Names
from runner.package.summary import Summary
from runner.plan.foundation import ENTRY, Role
from runner.plan.groundwork import Foundation
from runner.plan.hosts import Host
from runner.plan.live import Live
from runner.plan.previewing import LEASE
from runner.plan.publishing import role_of
from runner.plan.refs import Made, Ref
from runner.together import at_once

FUNCTIONS = Ref(Made.ROLE, Role.FUNCTIONS)
LOOKS = 6  # at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all previews of a site share: its record, the foundation that it should be, and what
    its wildcard still lacks, where this run has looked."""

    environment: Environment
    foundation: Foundation = field(repr=False)
    lacks: tuple[str, ...] = ()

    @property
    def is_firm(self) -> bool:
        wanted = self.foundation.domains
        named = self.environment.domains == wanted and (self.works or not wanted)
        return named and self.environment.foundation == self.foundation.digest

    @property
    def works(self) -> bool:
        """Whether previews are to be found below the site's own domain by now."""
        return bool(self.environment.domains) and self.environment.domains_work

    @property
    def store(self) -> str:
        return self.environment.ids[Made.STORE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A preview at one moment: its records, what its host shows, its last release's manifest, what
    production has published, and the secret of all passwords. `hosts` are the pool's."""

    recorded: Recorded
    shown: Mapping[str, Any]
    manifest: Mapping[str, Any]
    published: Summary
    secret: str = field(repr=False)
    hosts: tuple[Host, ...] = ()

    def has_host(self, environment: str) -> bool:
        """Whether its recorded host is the preview's still: one of the pool may have been lost."""
        host = self.recorded.environment.ids.get(Made.DOMAIN, "")
        mine = (each.domain for each in self.hosts if each.environment == environment)
        return host.startswith(f"{environment}.") or host in mine


def first(aws: Aws, names: Names) -> tuple[Environment, Environment]:
    """The preview's record and that of what all share, before anything is built."""
    with explained(), at_once(1) as pool:
        tier = pool.submit(records.read, aws, names.previews, release="")
        found = records.read(aws, names, release="")
        shared = tier.result()
    return (found[0] if found else Environment()), (shared[0] if shared else Environment())


def see(aws: Aws, names: Names, *, release: str, shared: Shared, before: Environment) -> Seen:
    """All at once, by what the record said `before`; what is not so any more is read again."""
    with explained(), at_once(LOOKS) as pool:
        shown = pool.submit(_shown, aws, shared.store, before)
        is_same = before.release == release
        manifest = pool.submit(manifest_of, aws, names, release="" if is_same else before.release)
        theirs = pool.submit(published.read, aws, names)
        secret = pool.submit(keyvalues.secret, aws, shared.store, key=previews.SECRET)
        hosts = pool.submit(pool_records.hosts, aws, names)
        recorded = preview_records.recorded(aws, names, release=release)
        seen = Seen(
            recorded=recorded,
            shown=shown.result(),
            manifest=manifest.result(),
            published=theirs.result(),
            secret=secret.result(),
            hosts=hosts.result(),
        )
        now = recorded.environment
        if now.release == before.release:
            return seen
        manifest = pool.submit(manifest_of, aws, names, release=now.release)
        return replace(seen, shown=_shown(aws, shared.store, now), manifest=manifest.result())


def live_of(
    names: Names, seen: Seen, *, release: str, shared: Shared, agrees: bool, unsure: bool = False
) -> Live:
    """For the planner. `agrees`: its host shows the recorded release, to whom it should; `unsure`:
    a run ended in the middle."""
    there, staged = seen.recorded.environment, seen.recorded.staged
    known = _known(names, shared, there)
    has_host = seen.has_host(names.environment)
    # Functions that a later push did not have are gone, and with them what would call them.
    ready = staged is not None and not unsure and set(staged.functions) <= set(there.functions)
    told = {**versions_of(staged), Ref(Made.RECORD): ""} if staged and ready else {}
    live = Live(
        release=there.release,
        previous=there.previous,
        sequence=there.sequence,
        foundation="" if unsure else there.foundation,
        known={
            **known,
            **told,
            **(_host(there, seen.shown) if has_host else {}),
            Ref(Made.VERSION, ENTRY): shared.environment.entry,
        },
        functions=there.functions,
        stages=there.stages,
        origin=there.origin,
        leased=there.holder is not None,
        leasing=there.leasing,
        history=there.history,
        entry_agrees=not there.release or (agrees and has_host and not unsure),
        staged=ready,
    )
    return with_files(live, seen.manifest)


def roles_of(functions: tuple[Function, ...], known: str) -> dict[Ref, str]:
    """All functions of previews have one role, whatever they ask for."""
    return {role_of(each.grants): known for each in functions}


def _shown(aws: Aws, store: str, there: Environment) -> Mapping[str, Any]:
    """What its host's value says; empty where it has none, or nothing that can be read."""
    if not there.release:
        return {}
    text = keyvalues.get(aws, store, key=previews.host_key(there.ids[Made.DOMAIN]))
    try:
        told = json.loads(text or "{}")
    except ValueError:  # somebody wrote over it
        return {}
    return told if isinstance(told, dict) else {}


def _known(names: Names, shared: Shared, there: Environment) -> dict[Ref, str]:
    found = recorded_ids(names.previews, shared.environment, foundation=shared.foundation)
    ours = {Ref(Made.API): there.ids[Made.API]} if there.stages else {}
    del found[Ref(Made.DOMAIN)]
    return {
        **found,
        Ref(Made.DOMAIN, PREVIEWS): shared.environment.ids[Made.DOMAIN],
        Ref(Made.API, PREVIEWS): shared.environment.ids[Made.API],
        **ours,
    }


def _host(there: Environment, shown: Mapping[str, Any]) -> dict[Ref, str]:
    if not there.release:
        return {}
    return {Ref(Made.DOMAIN): there.ids[Made.DOMAIN], LEASE: str(shown.get("n", 1))}
