"""DynamoDB tables: the records' own and those of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import busy_error
from runner.model import Table
from runner.names import Names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

Keys = tuple[tuple[str, str], ...]
ACTIVE_BUDGET = 120  # seconds
RECORDS_KEYS = (("pk", "S"), ("sk", "S"))


def make_records(aws: Aws, names: Names) -> str:
    """The records table; returns its name."""
    return _make(aws, names, name=names.records, keys=RECORDS_KEYS)


def make(aws: Aws, names: Names, *, table: Table) -> str:
    """One of the site's own tables; returns its name. An existing one keeps its keys and data."""
    keys = (table.hash_key, *([table.range_key] if table.range_key else []))
    return _make(aws, names, name=names.table(table.name), keys=keys)


def find(aws: Aws, name: str) -> TableDescriptionTypeDef | None:
    try:
        return aws.records.describe_table(TableName=name)["Table"]
    except aws.records.exceptions.ResourceNotFoundException:
        return None


def _make(aws: Aws, names: Names, *, name: str, keys: Keys) -> str:
    """Billed by request, and protected: only `destroy` lifts the protection."""
    if find(aws, name) is None:
        # In use: by our own first attempt, or by somebody else. The tags tell.
        with tolerating("ResourceInUseException"):
            _create(aws, names, name=name, keys=keys)
    arn = _wait(aws, name)
    found = aws.records.list_tags_of_resource(ResourceArn=arn).get("Tags", [])
    ownership.check(ownership.mapped(found), names, what=f"The table {name}")
    return name


def _create(aws: Aws, names: Names, *, name: str, keys: Keys) -> None:
    kinds: Any = [{"AttributeName": key, "AttributeType": kind} for key, kind in keys]
    roles: Any = [
        {"AttributeName": key, "KeyType": "RANGE" if place else "HASH"}
        for place, (key, _) in enumerate(keys)
    ]
    aws.records.create_table(
        TableName=name,
        AttributeDefinitions=kinds,
        KeySchema=roles,
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
        Tags=ownership.tag_list(names),
    )


def _wait(aws: Aws, name: str) -> str:
    def probe() -> str | None:
        table = find(aws, name)
        return table["TableArn"] if table and table["TableStatus"] == "ACTIVE" else None

    return until(
        aws,
        probe,
        budget=ACTIVE_BUDGET,
        late=lambda: busy_error(
            "JAM-TABLE-BUSY",
            f"The table {name} was not active after {ACTIVE_BUDGET} s.",
            hint="Run again: it goes on from here.",
        ),
    )
