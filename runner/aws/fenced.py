"""Writes of records that happen under a lease alone: all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from runner.aws.holders import holder_of, lost
from runner.aws.leases import Lease
from runner.aws.refusals import explain
from runner.aws.session import Aws
from runner.aws.waiting import insist

REFUSED = "ConditionalCheckFailed"
# A lease is renewed while it is asked for. Source: DynamoDB developer guide, "Amazon DynamoDB
# Transactions: How it works", transaction conflict handling.
COLLIDES = 30.0  # seconds
MOST = 99  # beside the lease. Source: DynamoDB API reference, TransactWriteItems


def write(aws: Aws, items: Sequence[Any], *, lease: Lease | None) -> bool:
    """Whether the items' own conditions held, and they were written; at most `MOST` of them.

    Without a lease nobody else may be at it. Raises JamError
    `JAM-LEASE-LOST` where another run has taken over.
    """
    together: Any = [*items, *([{"ConditionCheck": lease.condition}] if lease else [])]

    def send() -> None:
        aws.records.transact_write_items(TransactItems=together)

    try:
        insist(aws, send, passes=collides, late=explain, budget=COLLIDES)
    except aws.records.exceptions.TransactionCanceledException as error:
        reasons: Any = error.response["CancellationReasons"]
        codes = [each["Code"] for each in reasons]
        if lease and codes[-1] == REFUSED:
            raise lost(holder_of(reasons[-1].get("Item", {}))) from error
        if REFUSED not in codes:
            raise
        return False
    return True


def collides(error: ClientError) -> bool:
    """Whether another write of the same items was under way, and nothing else was wrong."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {each["Code"] for each in reasons} - {"None"}
    return codes == {"TransactionConflict"}
