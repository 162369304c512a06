"""The record of an environment's names: which it should have, and whether visitors get it there."""

from __future__ import annotations

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names


def record(aws: Aws, names: Names, *, hosts: tuple[str, ...], works: bool) -> None:
    """By whoever looked last, beside what a deploy records; nothing before the first one."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key={"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "environment"}},
            UpdateExpression="SET #domains = :domains, #work = :work",
            ConditionExpression="attribute_exists(#release)",
            ExpressionAttributeNames={
                "#domains": "domains",
                "#work": "domains_work",
                "#release": "release",
            },
            ExpressionAttributeValues={
                ":domains": {"L": [{"S": each} for each in hosts]},
                ":work": {"BOOL": works},
            },
        )
