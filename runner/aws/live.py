"""Reads what is live: four calls where nothing has changed, more where something has.

Reads only. What is missing is told from what is denied by AWS's own code; a denial is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from runner.aws import (
    api,
    dead_letters,
    deployments,
    distributions,
    edge,
    entry,
    files,
    guard,
    keeper,
    keyvalues,
    lost_tables,
    records,
    rights,
    roles,
    schedules,
    table_changes,
    tables,
    urls,
)
from runner.aws.looks_at_live import UNPREPARED, Early, Looks
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment, Staged
from runner.model import Kind
from runner.names import PRODUCTION, Names
from runner.plan.drift import Drift
from runner.plan.foundation import ENTRY, Access, Policy, Role, edges_of
from runner.plan.groundwork import Foundation
from runner.plan.live import Live
from runner.plan.refs import Made, Ref
from runner.together import at_once

LOOKS = 8  # at once
NONE = Drift()


def read_live(
    aws: Aws,
    names: Names,
    *,
    release: str,
    foundation: Foundation,
    unsure: bool = False,
    drift: Drift = NONE,
    early: Early = UNPREPARED,
) -> Live:
    """What production serves, and as much of the rest as the plan for `release` needs.

    `unsure`: a run ended in the middle, so what visitors get is not taken as recorded. With a
    `drift` nothing is: what stands of the foundation is found, what is gone is left out.
    """
    doubts = unsure or bool(drift)
    with explained(), at_once(LOOKS) as pool:
        looks = Looks(aws, names, pool, release=release, doubts=doubts)
        environment, staged = _records(aws, names, looks, release=release, early=early)
        firm = environment.foundation == foundation.digest and not drift
        live = recorded(environment, agrees=looks.agree(environment), unsure=doubts)
        if environment.tables is None and environment.foundation == foundation.digest:
            live = replace(live, tables=tuple(each.name for each in foundation.tables))
        if drift:
            live, staged = _without(live, drift), None
        known = recorded_ids(names, environment, foundation=foundation) if firm else {}
        if firm and live.release == release and live.entry_agrees:
            return replace(live, known=known)
        found = {} if firm else found_ids(aws, names, foundation=foundation)
        ready = staged is not None and _stands(staged, environment)
        return replace(
            with_files(live, looks.manifest(), lost=drift.files),
            tables=_tables(live, foundation, found=None if firm else found),
            known={**known, **found, **(versions_of(staged) if staged and ready else {})},
            existing=frozenset(found),
            staged=ready,
        )


def _records(
    aws: Aws, names: Names, looks: Looks, *, release: str, early: Early
) -> tuple[Environment, Staged | None]:
    """What is recorded; `looks` are begun upon what was known before, and upon it."""
    if early.before:
        early.tell(early.before)
        looks.begin(early.before)
    there, staged = records.read(aws, names, release=release) or (Environment(), None)
    early.tell(there)
    looks.begin(there)
    return early.without_us(there), staged


def _tables(
    live: Live, foundation: Foundation, *, found: Mapping[Ref, str] | None
) -> tuple[str, ...]:
    """Those that are, or were, there. Where the records are gone nobody knows: all of them."""
    unknown = found is not None and Ref(Made.RECORDS) not in found
    forgotten = unknown and Ref(Made.DISTRIBUTION) in (found or {})
    return tuple(each.name for each in foundation.tables) if forgotten else live.tables


def check_bootstrap(
    aws: Aws,
    names: Names,
    *,
    live: Live,
    foundation: Foundation,
    renewed: frozenset[str] = frozenset(),
) -> None:
    """Before the first write of a foundation: JamError `JAM-BOOTSTRAP` without the boundary.

    `JAM-DRIFT` for tables that are gone with their data, unless they are `renewed`.
    `JAM-TABLE-CHANGE` for tables that cannot become what is wanted. On a first deploy also
    `JAM-DENIED` where IAM says that a create would be refused.
    """
    if live.foundation == foundation.digest:
        return
    gone = [
        each.name
        for each in foundation.tables
        if each.name in live.tables and Ref(Made.TABLE, each.name) not in live.existing
    ]
    with explained():
        lost_tables.check(aws, names, lost=[each for each in gone if each not in renewed])
        roles.check_boundary(aws, names)
        table_changes.check(aws, names, wanted=foundation.tables)
        if not live.foundation:
            rights.check(aws, names)


def recorded(environment: Environment, *, agrees: bool, unsure: bool) -> Live:
    """What the record says; `agrees`: alias and store say the same."""
    return Live(
        release=environment.release,
        previous=environment.previous,
        sequence=environment.sequence,
        foundation=environment.foundation,
        functions=environment.functions,
        stages=environment.stages,
        rollout=environment.rollout,
        opening=environment.opening,
        trailing=environment.trailing or (unsure and bool(environment.release)),
        origin=environment.origin,
        offered=environment.offered,
        leased=environment.holder is not None,
        turns=environment.turns,
        leasing=environment.leasing,
        hold=environment.hold,
        history=environment.history,
        tables=environment.tables or (),
        domains=environment.domains,
        domains_work=environment.domains_work,
        ahead=environment.ahead,
        doubted=environment.doubted,
        streams=environment.streams,
        origins=environment.origins,
        entry=environment.entry,
        entry_agrees=not environment.release or (agrees and not unsure),
    )


def _stands(staged: Staged, environment: Environment) -> bool:
    """Whether its api_stage is still there: a deploy drops the oldest, and their routing."""
    return not staged.api_stage or staged.api_stage in dict(environment.stages)


def versions_of(staged: Staged) -> dict[Ref, str]:
    """What a release that lies ready is made of at Lambda."""
    functions = {Ref(Made.VERSION, name): each.version for name, each in staged.functions.items()}
    return {**functions, Ref(Made.VERSION, ENTRY): staged.entry}


def _without(live: Live, drift: Drift) -> Live:
    """As if the foundation had never been made, nor what is gone of the live release."""
    kept = {name: each for name, each in live.functions.items() if name not in drift.functions}
    return replace(live, foundation="", functions=kept, domains_work=False, drift=drift)


def with_files(
    live: Live, manifest: Mapping[str, Any], *, lost: frozenset[str] = frozenset()
) -> Live:
    """The manifest's files are [kind, type, cache, headers, digest] by storage key."""
    stored = manifest.get("files", {})
    if lost:
        stored = {key: each for key, each in stored.items() if key not in lost}
    immutable = {key: each[4] for key, each in stored.items() if each[0] == Kind.IMMUTABLE}
    return replace(
        live,
        files={key: each[4] for key, each in stored.items() if key not in immutable},
        immutable=immutable,
        header_sets=frozenset() if live.drift else frozenset(manifest.get("headers", {})),
    )


def recorded_ids(
    names: Names, environment: Environment, *, foundation: Foundation
) -> dict[Ref, str]:
    """Everything of a firm foundation: our own names, and the recorded ids that AWS picked."""
    needs = foundation.unattended
    return {
        Ref(Made.RECORDS): names.records,
        Ref(Made.BUCKET): names.bucket,
        Ref(Made.KEEPER): names.keeper,
        **{Ref(Made.ROLE, role): roles.arn_of(role, names) for role in foundation.roles},
        **{Ref(Made.TABLE, each.name): names.table(each.name) for each in foundation.tables},
        **({Ref(Made.DEAD_LETTERS): names.dead_letters_arn} if needs else {}),
        **({Ref(Made.SCHEDULE_GROUP): names.schedules} if needs.schedules else {}),
        **({Ref(Made.GUARD): names.guard} if foundation.guard else {}),
        **({Ref(Made.DEPLOYMENTS): PRODUCTION} if foundation.guard else {}),
        **{Ref(made): value for made, value in environment.ids.items()},
    }


def found_ids(aws: Aws, names: Names, *, foundation: Foundation) -> dict[Ref, str]:
    """What exists of the foundation, with the ids that AWS picked."""
    looks = _looks(aws, names, foundation=foundation)
    with at_once(LOOKS) as pool:
        found = dict(zip(looks, pool.map(lambda look: look(), looks.values()), strict=True))
        distribution = pool.submit(distributions.find, aws, names).result()
    if distribution:
        found[Ref(Made.DISTRIBUTION)], found[Ref(Made.DOMAIN)] = distribution
    return {ref: value for ref, value in found.items() if value is not None}


def _looks(
    aws: Aws, names: Names, *, foundation: Foundation
) -> dict[Ref, Callable[[], str | None]]:
    def table(name: str) -> Callable[[], str | None]:
        return lambda: name if tables.find(aws, name) else None

    def role(which: Role) -> Callable[[], str | None]:
        return lambda: roles.find_arn(aws, names, role=which)

    needs = foundation.unattended
    background: dict[Ref, Callable[[], str | None]] = {}
    if needs:
        background[Ref(Made.DEAD_LETTERS)] = partial(dead_letters.find, aws, names)
    if needs.schedules:
        background[Ref(Made.SCHEDULE_GROUP)] = partial(schedules.find_group, aws, names)
    if foundation.guard:
        background[Ref(Made.DEPLOYMENTS)] = partial(deployments.find, aws, names)
        background[Ref(Made.GUARD)] = partial(guard.find, aws, names)
    return {
        Ref(Made.RECORDS): table(names.records),
        Ref(Made.BUCKET): lambda: names.bucket if files.exists(aws, names) else None,
        Ref(Made.STORE): partial(keyvalues.find, aws, names),
        Ref(Made.API): partial(api.find, aws, names),
        Ref(Made.KEEPER): partial(keeper.find, aws, names),
        Ref(Made.ENTRY_URL): partial(entry.find_url, aws, names),
        **{
            Ref(Made.STREAM_URL, each.name): partial(urls.find, aws, names.function(each.name))
            for each in foundation.streams
        },
        **{Ref(Made.ROLE, each): role(each) for each in foundation.roles},
        **background,
        **{Ref(Made.TABLE, each.name): table(names.table(each.name)) for each in foundation.tables},
        **{
            Ref(Made.ACCESS, each): partial(edge.find_access, aws, names, access=each)
            for each in Access
        },
        **{Ref(Made.POLICY, each): partial(edge.find_policy, aws, policy=each) for each in Policy},
        **{
            Ref(Made.EDGE, each): partial(edge.find_edge, aws, names, edge=each)
            for each in edges_of(foundation.streams)
        },
    }
