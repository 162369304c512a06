"""Which resource a step makes, as people know it. Pure."""

from __future__ import annotations

from runner.names import CACHE_POLICY, FORWARD_POLICY, Names
from runner.plan.background import (
    MakeDeadLetters,
    MakeScheduleGroup,
    PutSchedule,
)
from runner.plan.foundation import (
    Access,
    Edge,
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
    Policy,
)
from runner.plan.inventory import What
from runner.plan.promotion import MakeDeployments, MakeGuard
from runner.plan.releasing import TendFunction
from runner.plan.steps import Step
from runner.plan.streaming import GrantStream, MakeStreamUrl


def named(step: Step, names: Names) -> tuple[What, str]:  # noqa: PLR0912 -- a table
    """The resource that a step of the foundation, or of what follows a release, makes."""
    match step:
        case MakeRecords():
            return What.TABLE, names.records
        case MakeBucket() | GrantFiles():
            return What.BUCKET, names.bucket
        case MakeRole(role=role):
            return What.ROLE, f"{names.prefix}-{role}"
        case MakeTable(table=table):
            return What.TABLE, names.table(table.name)
        case MakeAccess(access=access):
            return What.ACCESS, {
                Access.FILES: names.files_access,
                Access.ENTRY: names.entry_access,
            }[access]
        case MakePolicy(policy=policy):
            if policy is Policy.CACHE:
                return What.CACHE_POLICY, CACHE_POLICY.rstrip("-")
            return What.FORWARD_POLICY, FORWARD_POLICY.rstrip("-")
        case MakeStore():
            return What.STORE, names.store
        case MakeEdge(edge=edge):
            named = {
                Edge.ROUTER: names.router,
                Edge.RESPONSE: names.response,
                Edge.STREAM: names.stream,
            }
            return What.EDGE, named[edge]
        case MakeApi():
            return What.API, names.api
        case MakeKeeper():
            return What.FUNCTION, names.keeper
        case MakeEntryUrl() | GrantEntry():
            return What.FUNCTION, names.entry
        case MakeDistribution():
            return What.DISTRIBUTION, names.prefix
        case MakeDeadLetters():
            return What.QUEUE, names.dead_letters
        case MakeScheduleGroup():
            return What.SCHEDULE_GROUP, names.schedules
        case MakeDeployments():
            return What.APPLICATION, names.application
        case MakeGuard():
            return What.FUNCTION, names.guard
        case MakeStreamUrl(function=name) | GrantStream(function=name):
            return What.FUNCTION, names.function(name)
        case PutSchedule(function=name):
            return What.SCHEDULE, names.function(name)
        case TendFunction(function=name):
            return What.FUNCTION, names.function(name)
    return What.OTHER, str(step)
