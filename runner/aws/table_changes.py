"""Changes of tables that DynamoDB cannot make: found by reading, refused before the first write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from runner.aws import tables
from runner.aws.session import Aws
from runner.errors import Problem, site_error
from runner.model import Index, Key, Table
from runner.names import Names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

Keys = tuple[Key, ...]


def check(aws: Aws, names: Names, *, wanted: Iterable[Table]) -> None:
    """Raises JamError `JAM-TABLE-CHANGE` with every change of an existing table that cannot be.

    Source: DynamoDB API reference, UpdateTable: it changes no key schema, and no index of either
    kind once it is there; UpdateTimeToLive: one change an hour.
    """
    problems = tuple(problem for table in wanted for problem in _problems(aws, names, table))
    if problems:
        raise site_error(
            "JAM-TABLE-CHANGE",
            "tables cannot be changed so; nothing was written",
            hint="Give what is new another name and move the data, or undo the change in jam.toml.",
            problems=problems,
        )


def _problems(aws: Aws, names: Names, table: Table) -> Iterator[Problem]:
    name, at = names.table(table.name), f"tables.{table.name}"
    found = tables.find(aws, name)
    if found is None:
        return
    was, wanted = _keys(found, found["KeySchema"]), _wanted(table)
    if was != wanted:
        message = f"the keys of {name} are {_told(was)}, not {_told(wanted)}"
        yield Problem(where=at, message=message)
    for index in table.indexes:
        yield from _index_problems(found, index, at=f"{at}.indexes.{index.name}")
    live = tables.find_ttl(aws, name)
    if live and table.ttl and live != table.ttl:
        message = f"items of {name} go by `{live}`, which changes once an hour at most"
        hint = f"leave `ttl` out, deploy, and set `{table.ttl}` an hour later"
        yield Problem(where=f"{at}.ttl", message=message, hint=hint)


def _index_problems(found: TableDescriptionTypeDef, index: Index, *, at: str) -> Iterator[Problem]:
    local = {each["IndexName"]: each for each in found.get("LocalSecondaryIndexes", [])}
    others = {each["IndexName"]: each for each in found.get("GlobalSecondaryIndexes", [])}
    mine, foreign = (local, others) if index.local else (others, local)
    if index.name in foreign:
        kind = "with" if index.local else "without"
        yield Problem(where=at, message=f"it was made {kind} a `hash`, which cannot change")
    elif index.name not in mine:
        if index.local:
            message = "an index without a `hash` is made with its table only"
            yield Problem(where=at, message=message, hint="give it a `hash`")
    elif (was := _keys(found, mine[index.name]["KeySchema"])) != _wanted(index):
        message = f"its keys are {_told(was)}, not {_told(_wanted(index))}"
        yield Problem(where=at, message=message, hint="give the new index another name")


def _keys(found: TableDescriptionTypeDef, schema: Iterable[Any]) -> Keys:
    kinds = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
    keys = sorted(schema, key=lambda each: str(each["KeyType"]))  # HASH before RANGE
    return tuple((each["AttributeName"], kinds[each["AttributeName"]]) for each in keys)


def _wanted(keyed: Table | Index) -> Keys:
    return (keyed.hash_key, *([keyed.range_key] if keyed.range_key else []))


def _told(keys: Keys) -> str:
    return " and ".join(f"{name}:{kind}" for name, kind in keys)
