"""The mark that something is not as recorded: the next deploy looks at everything, and mends.

A record of its own: it is written without the lease, by whoever notices.
"""

from __future__ import annotations

from typing import Any

from runner.aws import written
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.names import Names


def put(aws: Aws, names: Names, *, why: str) -> bool:
    """Leaves the mark; False where these credentials only read, or there are no records."""
    item: Any = {
        **written.doubt_key(names),
        "at": {"N": str(int(aws.clock()))},
        "why": {"S": why[:1000]},
    }
    with explained(), tolerating("AccessDeniedException", "ResourceNotFoundException"):
        aws.records.put_item(TableName=names.records, Item=item)
        return True
    return False


def drop(aws: Aws, names: Names, *, at: int) -> None:
    """Everything was looked at since `at`; what was noticed later stays marked."""
    with explained(), tolerating("ConditionalCheckFailedException"):
        aws.records.delete_item(
            TableName=names.records,
            Key=written.doubt_key(names),
            ConditionExpression="attribute_not_exists(#at) OR #at <= :at",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":at": {"N": str(at)}},
        )
