"""Whether a resource bears the tags of one environment of ours. Reads only."""

from __future__ import annotations

from runner.aws import ownership, tables
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.inventory import Thing, What


def is_of_environment(aws: Aws, names: Names, thing: Thing) -> bool:
    """For functions, log groups and tables by their names; False for what is not there."""
    if thing.kind is What.FUNCTION:
        return _function(aws, names, thing.name)
    if thing.kind is What.LOG_GROUP:
        return _log_group(aws, names, thing.name)
    return thing.kind is What.TABLE and _table(aws, names, thing.name)


def _function(aws: Aws, names: Names, name: str) -> bool:
    with tolerating("ResourceNotFoundException"):
        found = aws.functions.list_tags(Resource=names.function_arn(name))
        return ownership.is_ours(found.get("Tags", {}), names)
    return False


def _log_group(aws: Aws, names: Names, group: str) -> bool:
    with tolerating("ResourceNotFoundException"):
        found = aws.logs.list_tags_for_resource(resourceArn=names.log_group_arn(group))
        return ownership.is_ours(found.get("tags", {}), names)
    return False


def _table(aws: Aws, names: Names, name: str) -> bool:
    found = tables.find(aws, name)
    if found is None:
        return False
    told = aws.records.list_tags_of_resource(ResourceArn=found["TableArn"]).get("Tags", [])
    return ownership.is_ours(ownership.mapped(told), names)
