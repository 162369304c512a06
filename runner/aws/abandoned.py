"""The lease of a run that is known to be dead: free at once, not only when it has run out."""

from __future__ import annotations

from runner.aws.holders import key_of
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names


def free(aws: Aws, names: Names, *, run: str) -> None:
    """Nothing where another run has it, or nobody. Who takes it next knows that one ended in the
    middle: the owner stays, as where a lease ran out."""
    with tolerating("ConditionalCheckFailedException", "ResourceNotFoundException"):
        aws.records.update_item(
            TableName=names.records,
            Key=key_of(names),
            UpdateExpression="SET #expires = :over",
            ConditionExpression="#run = :run AND attribute_exists(#owner)",
            ExpressionAttributeNames={"#expires": "expires", "#run": "run", "#owner": "owner"},
            ExpressionAttributeValues={":run": {"S": run}, ":over": {"N": "0"}},
        )
