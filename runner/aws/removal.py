"""Removes one resource of each kind; what is gone already is fine, what is in use is said.

The order is that of `What`; only what bears this site's tags gets here (runner/destroy.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runner.aws import (
    api,
    api_room,
    certificates,
    domain_removal,
    edge_removal,
    emptying,
    keyvalues,
    tables,
)
from runner.aws.inventory.found import KEPT
from runner.aws.refusals import message_of, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist, until
from runner.errors import JamError, busy_error
from runner.names import Names
from runner.plan.inventory import Thing, What

Remove = Callable[[Aws, Names, Thing], None]

TABLE_BUDGET = 300.0  # seconds
IN_USE_BUDGET = 120.0  # seconds for somebody else's change to end


def remove(aws: Aws, names: Names, thing: Thing) -> None:
    """Harmless to repeat; nothing for what goes with its whole."""
    remover = REMOVERS[thing.kind]
    if remover:
        remover(aws, names, thing)


def collect(aws: Aws, names: Names, thing: Thing) -> bool:
    """Removes a part by itself, while its whole stays; False if something still uses it."""
    if thing.kind is What.VERSION:
        return _version(aws, thing)
    if thing.kind is What.SPARE_DEPLOYMENT:
        return _spare_deployment(aws, names, thing)
    if thing.kind is What.CERTIFICATE:
        return certificates.delete(aws, thing.key)
    if thing.kind is What.API_STAGE:
        _api_stage(aws, names, thing)
    else:
        remove(aws, names, thing)
    return True


def _version(aws: Aws, thing: Thing) -> bool:
    """One that an alias names is refused: somebody moved the alias by hand, say.

    Source: Lambda API reference, DeleteFunction, ResourceConflictException.
    """
    with tolerating("ResourceConflictException"):
        with tolerating("ResourceNotFoundException"):
            aws.functions.delete_function(FunctionName=thing.of, Qualifier=thing.key)
        return True
    return False


def _api_stage(aws: Aws, names: Names, thing: Thing) -> None:
    found = api.find(aws, names)
    if found:
        api_room.drop_stage(aws, found, api_stage=thing.key)


def _spare_deployment(aws: Aws, names: Names, thing: Thing) -> bool:
    """One that somebody made an api_stage of since is refused.

    Source: API Gateway API reference, DeleteDeployment, BadRequestException.
    """
    with tolerating("BadRequestException"):
        found = api.find(aws, names)
        with tolerating("NotFoundException"):
            if found:
                aws.api.delete_deployment(ApiId=found, DeploymentId=thing.key)
        return True
    return False


def _keys(aws: Aws, names: Names, things: tuple[Thing, ...]) -> None:
    store = keyvalues.find(aws, names)
    if store:
        keyvalues.drop(aws, store, keys=[each.key for each in things])


# Kinds of which many go by one call.
BATCHES: Mapping[What, Callable[[Aws, Names, tuple[Thing, ...]], None]] = {What.KEY: _keys}


def is_own(thing: Thing) -> bool:
    """Whether it is removed by a call of its own."""
    return REMOVERS[thing.kind] is not None


def mark_kept(aws: Aws, table: Thing) -> None:
    """`audit` then knows why it is still there."""
    found = tables.find(aws, table.name)
    if found:
        mark: Any = [{"Key": KEPT, "Value": "destroy"}]
        aws.records.tag_resource(ResourceArn=found["TableArn"], Tags=mark)


def _rule(aws: Aws, _: Names, thing: Thing) -> None:
    """Source: EventBridge API reference, DeleteRule: its targets have to go before."""
    with tolerating("ResourceNotFoundException"):
        targets = aws.rules.list_targets_by_rule(Rule=thing.key)["Targets"]
        if targets:
            aws.rules.remove_targets(Rule=thing.key, Ids=[each["Id"] for each in targets])
        aws.rules.delete_rule(Name=thing.key)


def _alarm(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("ResourceNotFound"):
        aws.metrics.delete_alarms(AlarmNames=[thing.key])


def _schedule(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("ResourceNotFoundException"):
        aws.schedules.delete_schedule(Name=thing.key, GroupName=thing.of)


def _schedule_group(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("ResourceNotFoundException"):
        aws.schedules.delete_schedule_group(Name=thing.key)


def _api(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("NotFoundException"):
        aws.api.delete_api(ApiId=thing.key)


def _deployment_group(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("ApplicationDoesNotExistException"):
        aws.deployments.delete_deployment_group(
            applicationName=thing.of, deploymentGroupName=thing.key
        )


def _application(aws: Aws, _: Names, thing: Thing) -> None:
    aws.deployments.delete_application(applicationName=thing.key)


def _function_url(aws: Aws, _: Names, thing: Thing) -> None:
    """Before the function: its own deletion takes the URL down later, and a new function of the
    same name could get the old URL.

    Source: Lambda developer guide, "Creating and managing Lambda function URLs".
    """
    qualifier: Any = {"Qualifier": thing.key} if thing.key else {}
    with tolerating("ResourceNotFoundException"):
        aws.functions.delete_function_url_config(FunctionName=thing.of, **qualifier)


def _function(aws: Aws, _: Names, thing: Thing) -> None:
    """With all versions and aliases. Source: Lambda API reference, DeleteFunction."""

    def delete() -> None:
        with tolerating("ResourceNotFoundException"):
            aws.functions.delete_function(FunctionName=thing.key)

    insist(
        aws,
        delete,
        passes=lambda error: error.response["Error"].get("Code") == "ResourceConflictException",
        late=lambda error: _busy(thing, message_of(error)),
        budget=IN_USE_BUDGET,
    )


def _queue(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
        aws.queues.delete_queue(QueueUrl=thing.key)


def _role(aws: Aws, _: Names, thing: Thing) -> None:
    """Source: IAM API reference, DeleteRole: nothing may be attached to it."""
    role = thing.key
    with tolerating("NoSuchEntity"):
        for name in aws.roles.list_role_policies(RoleName=role)["PolicyNames"]:
            aws.roles.delete_role_policy(RoleName=role, PolicyName=name)
        attached = aws.roles.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        for each in attached:
            aws.roles.detach_role_policy(RoleName=role, PolicyArn=each["PolicyArn"])
        aws.roles.delete_role(RoleName=role)


def _log_group(aws: Aws, _: Names, thing: Thing) -> None:
    with tolerating("ResourceNotFoundException"):
        aws.logs.delete_log_group(logGroupName=thing.key)


def _objects(aws: Aws, names: Names, thing: Thing) -> None:
    emptying.empty(aws, names, prefix=thing.key)


def _bucket(aws: Aws, names: Names, thing: Thing) -> None:
    emptying.empty(aws, names)
    with tolerating("NoSuchBucket"):
        aws.s3.delete_bucket(Bucket=thing.key, ExpectedBucketOwner=names.account)


def _table(aws: Aws, _: Names, thing: Thing) -> None:
    """Its protection is lifted here alone. Source: DynamoDB developer guide, "Using deletion
    protection"."""
    with tolerating("ResourceNotFoundException"):
        found = tables.find(aws, thing.key) or {}
        if found.get("DeletionProtectionEnabled"):
            aws.records.update_table(TableName=thing.key, DeletionProtectionEnabled=False)
            _until(aws, lambda: _is(aws, thing.key, "ACTIVE"), late=partial(_busy, thing))
        aws.records.delete_table(TableName=thing.key)
    _until(aws, lambda: tables.find(aws, thing.key) is None, late=partial(_busy, thing))


def _is(aws: Aws, table: str, status: str) -> bool:
    found = tables.find(aws, table)
    return found is None or found["TableStatus"] == status


def _until(aws: Aws, is_so: Callable[[], bool], *, late: Callable[[], JamError]) -> None:
    until(aws, lambda: is_so() or None, budget=TABLE_BUDGET, late=late)


def _busy(thing: Thing, why: str = "it is still being changed") -> JamError:
    return busy_error(
        "JAM-DESTROY-BUSY",
        f"The {thing.kind} {thing.name} could not be removed yet: {why}",
        hint="Run again: it goes on from here.",
    )


# None: goes with its whole, or is not one site's.
REMOVERS: Mapping[What, Remove | None] = {
    What.RULE: _rule,
    What.ALARM: _alarm,
    What.SCHEDULE: _schedule,
    What.SCHEDULE_GROUP: _schedule_group,
    What.DNS_RECORD: domain_removal.record,
    What.DISTRIBUTION: edge_removal.distribution,
    What.CERTIFICATE: domain_removal.certificate,
    What.EDGE: edge_removal.program,
    What.KEY: None,
    What.STORE: edge_removal.store,
    What.ACCESS: edge_removal.access,
    What.CACHE_POLICY: edge_removal.cache_policy,
    What.FORWARD_POLICY: edge_removal.forward_policy,
    What.API_STAGE: None,
    What.SPARE_DEPLOYMENT: None,
    What.API: _api,
    What.DEPLOYMENT_GROUP: _deployment_group,
    What.APPLICATION: _application,
    What.DEPLOYMENT_CONFIG: None,
    What.FUNCTION_URL: _function_url,
    What.ALIAS: None,
    What.VERSION: None,
    What.FUNCTION: _function,
    What.QUEUE: _queue,
    What.ROLE: _role,
    What.POLICY: None,
    What.LOG_GROUP: _log_group,
    What.OBJECTS: _objects,
    What.BUCKET: _bucket,
    What.TABLE: _table,
    What.STACK: None,
    What.OTHER: None,
}
