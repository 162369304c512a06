"""Tables that are gone with a site's data: named, never made again by themselves. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from runner.aws import tables
from runner.aws.session import Aws
from runner.errors import Problem, aws_error
from runner.names import Names
from runner.plan.drift import Finding, State
from runner.plan.inventory import What


def finding(aws: Aws, name: str) -> Finding:
    """What is gone, by the table's name in DynamoDB, with what AWS still has of it."""
    return Finding(kind=What.TABLE, name=name, state=State.LOST, told=_told(aws, name))


def check(aws: Aws, names: Names, *, lost: Sequence[str]) -> None:
    """Raises JamError `JAM-DRIFT` for tables that are gone, by their names in the settings."""
    if not lost:
        return
    problems = (
        Problem(where=f"tables.{each}", message=f"{names.table(each)}: {_told(aws, name)}")
        for each in lost
        for name in [names.table(each)]
    )
    raise aws_error(
        "JAM-DRIFT",
        "Tables of production are gone; nothing was changed, and no empty one takes their place.",
        hint=hint(names, lost),
        problems=tuple(problems),
    )


def hint(names: Names, lost: Sequence[str]) -> str:
    """How to go on. What is restored bears no tags.

    Source: DynamoDB developer guide, "Restoring a DynamoDB table from a backup".
    """
    first = names.table(lost[0])
    return (
        "Restore it under the same name (aws dynamodb restore-table-from-backup "
        f"--target-table-name {first} --backup-arn ...), tag it jam:site={names.site} and "
        f"jam:environment={names.environment}, and deploy; or run `jam-deploy deploy "
        f"--empty-tables {','.join(lost)}` to begin with an empty one."
    )


def _told(aws: Aws, name: str) -> str:
    """A table that had point-in-time recovery leaves a backup for 35 days when it is deleted.

    Source: DynamoDB developer guide, "Before You Begin Using Point In Time Recovery".
    """
    found = tables.backups(aws, name)
    kept = f"its last backup is {found[-1]}" if found else "AWS has no backup of it"
    return f"it was deleted with its data; {kept}"
