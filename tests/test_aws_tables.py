"""The site's tables on the embedded cloud: made, changed where DynamoDB can, refused where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from runner.aws import table_changes, tables
from runner.aws.session import Aws
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.model import Index, Table
from runner.names import Names
from tests.aws_site import an_account

BY_AUTHOR = Index(name="by-author", hash_key=("author", "S"), range_key=("at", "N"))
BY_TITLE = Index(name="by-title", hash_key=("title", "S"))
LATEST = Index(name="latest", hash_key=("id", "S"), range_key=("at", "N"), local=True)
NOTES = Table(name="notes", hash_key=("id", "S"), range_key=("part", "N"))
NAME = "jam-notes-production-notes"


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as cloud:
        yield cloud


@pytest.fixture
def cloud(one_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    one_cloud.reset()
    return one_cloud


@pytest.fixture
def aws(cloud: Cloud) -> Aws:
    return an_account(cloud)


@pytest.fixture
def names(aws: Aws) -> Names:
    return Names("notes", aws.account, aws.region)


def make(aws: Aws, names: Names, **settings: object) -> dict:
    assert tables.make(aws, names, table=replace(NOTES, **settings)) == NAME
    return dict(aws.records.describe_table(TableName=NAME)["Table"])


def test_a_table_is_billed_by_request_and_protected(aws: Aws, names: Names) -> None:
    found = make(aws, names)
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["DeletionProtectionEnabled"] is True


def test_protection_that_somebody_lifted_comes_back(aws: Aws, names: Names) -> None:
    make(aws, names)
    aws.records.update_table(TableName=NAME, DeletionProtectionEnabled=False)
    assert make(aws, names)["DeletionProtectionEnabled"] is True


def test_a_new_table_has_all_its_indexes(aws: Aws, names: Names) -> None:
    found = make(aws, names, indexes=(BY_AUTHOR, BY_TITLE, LATEST))
    assert {each["IndexName"] for each in found["GlobalSecondaryIndexes"]} == {
        "by-author",
        "by-title",
    }
    assert [each["IndexName"] for each in found["LocalSecondaryIndexes"]] == ["latest"]


def test_indexes_join_an_existing_table_one_call_each_and_stay(
    cloud: Cloud, aws: Aws, names: Names
) -> None:
    make(aws, names)
    before = cloud.journal.last
    make(aws, names, indexes=(BY_AUTHOR, BY_TITLE))
    assert cloud.journal.count("dynamodb", "UpdateTable", since=before) == 2
    found = make(aws, names)
    assert len(found["GlobalSecondaryIndexes"]) == 2


def test_what_is_as_wanted_costs_no_write(cloud: Cloud, aws: Aws, names: Names) -> None:
    wanted = {"indexes": (BY_AUTHOR,), "ttl": "expires", "recovery": True}
    make(aws, names, **wanted)
    before = cloud.journal.last
    make(aws, names, **wanted)
    assert not cloud.journal.writes(since=before)


def test_items_go_by_an_attribute_until_it_is_left_out(aws: Aws, names: Names) -> None:
    make(aws, names, ttl="expires")
    assert tables.find_ttl(aws, NAME) == "expires"
    make(aws, names)
    assert tables.find_ttl(aws, NAME) == ""


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [(None, None, "DISABLED"), (True, None, "ENABLED"), (True, False, "DISABLED")],
)
def test_recovery_that_nobody_names_stays_as_it_is(
    aws: Aws, names: Names, *, before: bool | None, after: bool | None, status: str
) -> None:
    make(aws, names, recovery=before)
    make(aws, names, recovery=after)
    found = aws.records.describe_continuous_backups(TableName=NAME)
    recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == status


@pytest.mark.parametrize(
    ("was", "wanted", "message"),
    [
        ({}, {"hash_key": ("key", "S")}, "are id:S and part:N, not key:S and part:N"),
        ({}, {"range_key": None}, "are id:S and part:N, not id:S"),
        ({}, {"hash_key": ("id", "N")}, "not id:N and part:N"),
        ({}, {"indexes": (LATEST,)}, "indexes.latest: an index without a `hash` is made with"),
        (
            {"indexes": (BY_AUTHOR,)},
            {"indexes": (replace(BY_AUTHOR, range_key=None),)},
            "its keys are author:S and at:N, not author:S",
        ),
        (
            {"indexes": (BY_AUTHOR,)},
            {"indexes": (replace(LATEST, name="by-author"),)},
            "it was made with a `hash`",
        ),
        ({"ttl": "expires"}, {"ttl": "until"}, "items of jam-notes-production-notes go by"),
    ],
)
def test_a_change_that_dynamodb_cannot_make_is_refused_by_name(
    aws: Aws, names: Names, *, was: dict, wanted: dict, message: str
) -> None:
    make(aws, names, **was)
    with pytest.raises(JamError) as raised:
        table_changes.check(aws, names, wanted=[replace(NOTES, **{**was, **wanted})])
    assert raised.value.code == "JAM-TABLE-CHANGE"
    assert message in str(raised.value)


def test_a_new_table_and_new_indexes_are_no_problem(aws: Aws, names: Names) -> None:
    make(aws, names)
    wanted = [replace(NOTES, indexes=(BY_AUTHOR,), ttl="expires"), replace(NOTES, name="new")]
    table_changes.check(aws, names, wanted=wanted)
