"""What production's record says of previews: with which wish they were prepared last."""

from __future__ import annotations

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names


def record(aws: Aws, names: Names, *, wish: str) -> None:
    """Beside what a deploy records; nothing before the first one."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key={"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "environment"}},
            UpdateExpression="SET #ahead = :ahead",
            ConditionExpression="attribute_exists(#release)",
            ExpressionAttributeNames={"#ahead": "ahead", "#release": "release"},
            ExpressionAttributeValues={":ahead": {"S": wish}},
        )
