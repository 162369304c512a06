"""DynamoDB tables: the records' own and those of the site. Nothing here ever deletes one.

Indexes that are no longer wanted stay as well: a release that is kept may ask them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import JamError, busy_error
from runner.model import Index, Key, Table
from runner.names import Names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

ACTIVE_BUDGET = 120  # seconds
INDEX_BUDGET = 1800  # seconds: a new index is filled with what its table holds
_RECORDS = Table(name="", hash_key=("pk", "S"), range_key=("sk", "S"))


def make_records(aws: Aws, names: Names) -> str:
    """The records table; returns its name."""
    return _make(aws, names, name=names.records, table=_RECORDS)


def make(aws: Aws, names: Names, *, table: Table) -> str:
    """One of the site's own tables; returns its name. An existing one keeps its keys and data."""
    name = _make(aws, names, name=names.table(table.name), table=table)
    _add_indexes(aws, name, table=table)
    _set_ttl(aws, name, wanted=table.ttl)
    _set_recovery(aws, name, wanted=table.recovery)
    return name


def find(aws: Aws, name: str) -> TableDescriptionTypeDef | None:
    try:
        return aws.records.describe_table(TableName=name)["Table"]
    except aws.records.exceptions.ResourceNotFoundException:
        return None


def backups(aws: Aws, name: str) -> tuple[str, ...]:
    """The ARNs of what can be restored of a table, the newest last; it need not exist any more.

    Source: DynamoDB API reference, ListBackups, BackupType.
    """
    found = aws.records.list_backups(TableName=name, BackupType="ALL").get("BackupSummaries", [])
    ordered = sorted(found, key=lambda each: each["BackupCreationDateTime"])
    return tuple(str(each["BackupArn"]) for each in ordered)


def find_ttl(aws: Aws, name: str) -> str:
    """The attribute by which the table's items go; empty where none do."""
    found = aws.records.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    is_on = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return found.get("AttributeName", "") if is_on else ""


def key_schema(hash_key: Key, range_key: Key | None) -> Any:
    """Keys as DynamoDB takes and gives them."""
    keys = [{"AttributeName": hash_key[0], "KeyType": "HASH"}]
    return keys + ([{"AttributeName": range_key[0], "KeyType": "RANGE"}] if range_key else [])


def _make(aws: Aws, names: Names, *, name: str, table: Table) -> str:
    """Billed by request, and protected: only `destroy` lifts the protection."""
    found = find(aws, name)
    if found is None:
        # In use: by our own first attempt, or by somebody else. The tags tell.
        with tolerating("ResourceInUseException"):
            _create(aws, names, name=name, table=table)
    ready = _wait(aws, name)
    tags = aws.records.list_tags_of_resource(ResourceArn=ready["TableArn"]).get("Tags", [])
    ownership.check(ownership.mapped(tags), names, what=f"The table {name}")
    if not ready.get("DeletionProtectionEnabled"):
        aws.records.update_table(TableName=name, DeletionProtectionEnabled=True)
        _wait(aws, name)
    return name


def _create(aws: Aws, names: Names, *, name: str, table: Table) -> None:
    local = [_index(each) for each in table.indexes if each.local]
    others = [_index(each) for each in table.indexes if not each.local]
    indexes: Any = {
        **({"LocalSecondaryIndexes": local} if local else {}),
        **({"GlobalSecondaryIndexes": others} if others else {}),
    }
    aws.records.create_table(
        TableName=name,
        AttributeDefinitions=_attributes(table, *table.indexes),
        KeySchema=key_schema(table.hash_key, table.range_key),
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
        Tags=ownership.tag_list(names),
        **indexes,
    )


def _index(index: Index) -> Any:
    return {
        "IndexName": index.name,
        "KeySchema": key_schema(index.hash_key, index.range_key),
        "Projection": {"ProjectionType": "ALL"},
    }


def _attributes(*keyed: Table | Index) -> Any:
    """Every attribute that is part of a key, once."""
    keys = dict(key for each in keyed for key in (each.hash_key, each.range_key) if key)
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in sorted(keys.items())]


def _add_indexes(aws: Aws, name: str, *, table: Table) -> None:
    """Source: DynamoDB API reference, UpdateTable: one new index a call, on a table at rest."""
    found = _wait(aws, name, budget=INDEX_BUDGET)
    there = {each["IndexName"] for each in found.get("GlobalSecondaryIndexes", [])}
    told = {each["AttributeName"]: each for each in found["AttributeDefinitions"]}
    for index in table.indexes:
        if index.local or index.name in there:
            continue
        told |= {each["AttributeName"]: each for each in _attributes(table, index)}
        aws.records.update_table(
            TableName=name,
            AttributeDefinitions=list(told.values()),  # those of other indexes, too
            GlobalSecondaryIndexUpdates=[{"Create": _index(index)}],
        )
        _wait(aws, name, budget=INDEX_BUDGET)


def _set_ttl(aws: Aws, name: str, *, wanted: str) -> None:
    found = find_ttl(aws, name)
    if found == wanted:
        return
    aws.records.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": bool(wanted), "AttributeName": wanted or found},
    )


def _set_recovery(aws: Aws, name: str, *, wanted: bool | None) -> None:
    if wanted is None:
        return
    described = aws.records.describe_continuous_backups(TableName=name)
    backups: Any = described["ContinuousBackupsDescription"]
    now = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if (now == "ENABLED") == wanted:
        return

    def probe() -> bool | None:
        # A new table's backups are not there at once.
        # Source: DynamoDB API reference, UpdateContinuousBackups, errors.
        with tolerating("ContinuousBackupsUnavailableException"):
            aws.records.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": wanted},
            )
            return True
        return None

    until(aws, probe, budget=ACTIVE_BUDGET, late=lambda: _late(name, ACTIVE_BUDGET))


def _wait(aws: Aws, name: str, *, budget: float = ACTIVE_BUDGET) -> TableDescriptionTypeDef:
    """The table once it and all its indexes are at rest."""

    def probe() -> TableDescriptionTypeDef | None:
        table = find(aws, name)
        if table is None or table["TableStatus"] != "ACTIVE":
            return None
        indexes = table.get("GlobalSecondaryIndexes", [])
        at_rest = all(each.get("IndexStatus", "ACTIVE") == "ACTIVE" for each in indexes)
        return table if at_rest else None

    return until(aws, probe, budget=budget, late=lambda: _late(name, budget))


def _late(name: str, budget: float) -> JamError:
    return busy_error(
        "JAM-TABLE-BUSY",
        f"The table {name} was not active after {budget:g} s.",
        hint="Run again: it goes on from here.",
    )
