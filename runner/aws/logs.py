"""Log groups of ours: made by us, so that they bear our tags and forget."""

from __future__ import annotations

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names


def make_group(aws: Aws, names: Names, *, group: str, days: int) -> None:
    """The log group, whose lines are kept for so many days; a service's own keeps them for ever."""
    with tolerating("ResourceAlreadyExistsException"):
        aws.logs.create_log_group(logGroupName=group, tags=ownership.tags_of(names))
    aws.logs.put_retention_policy(logGroupName=group, retentionInDays=days)
