"""The hold on production: a record that keeps the next pushes from going live."""

from __future__ import annotations

from typing import Any

from runner.aws import written
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.live import Hold


def put(aws: Aws, names: Names, hold: Hold) -> None:
    """Holds production; a second hold replaces the words of the first."""
    with explained():
        aws.records.put_item(TableName=names.records, Item=written.hold_item(names, hold))


def drop(aws: Aws, names: Names) -> None:
    """Frees production; what was free stays free."""
    key: Any = written.hold_key(names)
    with explained(), tolerating("ResourceNotFoundException"):
        aws.records.delete_item(TableName=names.records, Key=key)
