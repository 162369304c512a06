"""What an environment's record says beside its release: written by whoever looked last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names


def note_domains(aws: Aws, names: Names, *, hosts: tuple[str, ...], works: bool) -> None:
    """Which names it should have, and whether visitors get it there."""
    listed = {"L": [{"S": each} for each in hosts]}
    _note(aws, names, {"domains": listed, "domains_work": {"BOOL": works}})


def note_ahead(aws: Aws, names: Names, *, wish: str) -> None:
    """With which wish previews were prepared."""
    _note(aws, names, {"ahead": {"S": wish}})


def _note(aws: Aws, names: Names, values: Mapping[str, Any]) -> None:
    """Nothing before a first release: a record without one would be taken for an environment."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key={"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "environment"}},
            UpdateExpression="SET " + ", ".join(f"#{each} = :{each}" for each in values),
            ConditionExpression="attribute_exists(#release)",
            ExpressionAttributeNames={f"#{each}": each for each in ("release", *values)},
            ExpressionAttributeValues={f":{each}": value for each, value in values.items()},
        )
