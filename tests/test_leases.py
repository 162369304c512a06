"""When a run asks whether the lease is still its own, and what it leaves when it ends."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from runner.aws.holders import LASTS, SKEW
from runner.aws.leases import TRUSTED, Lease
from runner.aws.session import Aws
from runner.errors import JamError, Turn
from runner.model import Origin
from runner.names import Names
from runner.together import later

NAMES = Names("notes", "123456789012", "eu-central-1")


class Table:
    """One lease's record: answers as DynamoDB would, and keeps what was asked."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked: list[str] = []
        self.holder = "us"
        self.turns = 1
        self.refuses = False
        session = boto3.Session("a", "b", region_name="eu-central-1")
        self.aws = Aws(session, None, clock=lambda: self.now, sleep=time.sleep, chance=lambda: 0.0)
        self.aws.gate = self.answer

    def lease(self) -> Lease:
        return Lease(self.aws, NAMES, owner="us", run="a run", origin=Origin())

    def answer(self, model: Any, _params: Any) -> Any:
        self.asked.append(model.name)
        if self.refuses:
            error = {"Code": "ConditionalCheckFailedException", "Message": "no"}
            return AWSResponse("", 400, {}, None), {"Error": error}  # type: ignore[arg-type]  # no body is read
        told = {"Item": self._item()} if model.name == "GetItem" else {"Attributes": {}}
        return AWSResponse("", 200, {}, None), told  # type: ignore[arg-type]  # as above

    def _item(self) -> dict[str, Any]:
        owner = {"owner": self.holder} if self.holder else {}
        texts = {"run": "their run", "origin": "{}", **owner}
        numbers = {"token": f"{self.turns}", "since": "0", "expires": "0"}
        return {
            **{name: {"S": each} for name, each in texts.items()},
            **{name: {"N": each} for name, each in numbers.items()},
        }


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.mark.parametrize(
    ("seconds", "looks"),
    [(0.0, False), (TRUSTED - 1, False), (TRUSTED, True), (LASTS + SKEW, True), (-1.0, True)],
)
def test_a_lease_is_looked_at_unless_it_was_ours_a_moment_ago(
    table: Table, seconds: float, *, looks: bool
) -> None:
    lease = table.lease()
    lease.take(say=str)
    table.now += seconds
    lease.check()
    assert table.asked == ["UpdateItem", *(["GetItem"] if looks else [])]


def test_what_is_trusted_ends_long_before_anybody_else_may_take_it() -> None:
    assert TRUSTED < (LASTS + SKEW) / 3


def test_whoever_was_refused_a_write_looks(table: Table) -> None:
    lease = table.lease()
    lease.take(say=str)
    table.holder = "them"
    lease.check()
    with pytest.raises(JamError, match="their run has taken over"):
        lease.check(looks=True)


def test_a_renewal_that_was_refused_ends_the_trust(table: Table) -> None:
    lease = table.lease()
    lease.take(say=str)
    table.refuses = True
    lease.renew()
    table.refuses, table.holder = False, "them"
    with pytest.raises(JamError, match="taken over"):
        lease.check()


def test_a_lease_that_was_never_asked_for_or_went_with_a_record_is_not_released_again(
    table: Table,
) -> None:
    with table.lease().kept():
        pass
    assert table.asked == []
    lease = table.lease()
    with lease.kept():
        lease.take(say=str)
        lease.freed()
    assert table.asked == ["UpdateItem"]


@pytest.mark.parametrize(
    ("holder", "turns", "is_lost"),
    [("us", 1, False), ("", 1, False), ("", 2, True), ("them", 2, True)],
    ids=["ours", "free, and nobody's since", "another's, and free again", "another's"],
)
def test_a_failure_is_of_who_took_over_only_where_somebody_did(
    table: Table, holder: str, turns: int, *, is_lost: bool
) -> None:
    lease = table.lease()
    lease.take(say=str)
    table.holder, table.turns = holder, turns
    failed = JamError("JAM-VERIFY", "not what it should be", hint="", turn=Turn.SITE)
    assert lease.is_lost_by(failed) == is_lost


def test_a_lease_may_be_given_back_beside_what_follows_and_what_goes_wrong_is_heard_of(
    table: Table,
) -> None:
    with later() as beside:
        lease = table.lease()
        with lease.kept(later=beside):
            lease.take(say=str)
    assert table.asked == ["UpdateItem"] * 2

    def refused() -> None:
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"), later() as beside:
        beside(refused)


def test_one_attempt_says_who_has_it_and_waits_for_nobody(table: Table) -> None:
    lease = table.lease()
    table.refuses = True
    assert lease.attempt() is not None
    table.refuses = False
    assert lease.attempt() is None
    lease.take(say=str)
    assert table.asked == ["UpdateItem"] * 2
