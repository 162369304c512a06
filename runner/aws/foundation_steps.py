"""From a foundation's steps to the calls that make them true; harmless to repeat."""

from __future__ import annotations

from typing import assert_never

from runner.apply import Known
from runner.aws import api, distributions, edge, entry, files, keeper, keyvalues, roles, tables
from runner.aws.session import Aws
from runner.names import PREVIEWS, Names
from runner.plan.background import Unattended
from runner.plan.foundation import (
    ENTRY,
    FoundationStep,
    GrantEntry,
    GrantFiles,
    MakeAccess,
    MakeApi,
    MakeBucket,
    MakeDistribution,
    MakeEdge,
    MakeEntryUrl,
    MakeKeeper,
    MakePolicy,
    MakeRecords,
    MakeRole,
    MakeStore,
    MakeTable,
    Role,
)
from runner.plan.refs import Made, Ref


def performed(
    aws: Aws, names: Names, *, step: FoundationStep, known: Known, unattended: Unattended
) -> Known:
    """What the step made, found or put right."""
    match step:
        case MakeRecords():
            return {Ref(Made.RECORDS): tables.make_records(aws, names)}
        case MakeBucket():
            return {Ref(Made.BUCKET): files.make_bucket(aws, names)}
        case MakeRole(role=role):
            return {Ref(Made.ROLE, role): roles.make(aws, names, role=role, unattended=unattended)}
        case MakeTable(table=table):
            return {Ref(Made.TABLE, table.name): tables.make(aws, names, table=table)}
        case MakeAccess(access=access):
            return {Ref(Made.ACCESS, access): edge.make_access(aws, names, access=access)}
        case MakePolicy(policy=policy):
            return {Ref(Made.POLICY, policy): edge.make_policy(aws, policy=policy)}
        case MakeStore():
            return {Ref(Made.STORE): keyvalues.make(aws, names)}
        case MakeEdge(edge=which, code=code):
            store = known[Ref(Made.STORE)]
            arn = edge.make_edge(aws, names, edge=which, code=code, store_arn=store)
            return {Ref(Made.EDGE, which): arn}
        case MakeApi():
            return {Ref(Made.API): api.make(aws, names)}
        case MakeKeeper() | MakeEntryUrl():
            return _answering(aws, names, step=step, known=known)
        case MakeDistribution() | GrantFiles() | GrantEntry():
            return _distribute(aws, names, step=step, known=known)
        case _:
            assert_never(step)


def _answering(aws: Aws, names: Names, *, step: MakeKeeper | MakeEntryUrl, known: Known) -> Known:
    if isinstance(step, MakeEntryUrl):
        version = known[Ref(Made.VERSION, ENTRY)]
        return {Ref(Made.ENTRY_URL): entry.make_url(aws, names, version=version)}
    store, role_arn = known[Ref(Made.STORE)], known[Ref(Made.ROLE, Role.KEEPER)]
    return {Ref(Made.KEEPER): keeper.make(aws, names, store=store, role_arn=role_arn)}


def _distribute(
    aws: Aws, names: Names, *, step: MakeDistribution | GrantFiles | GrantEntry, known: Known
) -> Known:
    if isinstance(step, MakeDistribution):
        made, domain = distributions.make(aws, names, known=known, streams=step.streams)
        return {Ref(Made.DISTRIBUTION): made, Ref(Made.DOMAIN): domain}
    arn = distributions.arn_of(names, _readers(names, known))
    grant = files.grant if isinstance(step, GrantFiles) else entry.grant
    grant(aws, names, distribution_arn=arn)
    return {}


def _readers(names: Names, known: Known) -> str:
    """One distribution, or for what previews share all of the account's: they are many."""
    is_pool = names.environment == PREVIEWS
    return "*" if is_pool else known[Ref(Made.DISTRIBUTION)]
