"""Log groups of ours: made by us, so that they bear our tags and forget."""

from __future__ import annotations

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names

# What a deploy's credentials need, on every resource, to turn an API's access log on; CloudWatch
# Logs changes its own resource policy with them.
# Source: API Gateway developer guide, "Configure logging for HTTP APIs in API Gateway".
DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:CreateLogGroup",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)


def make_group(aws: Aws, names: Names, *, group: str, days: int) -> None:
    """The log group, whose lines are kept for so many days; a service's own keeps them for ever."""
    listed = aws.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    found = next((each for each in listed if each["logGroupName"] == group), None)
    if found is None:
        with tolerating("ResourceAlreadyExistsException"):  # our own first attempt
            aws.logs.create_log_group(logGroupName=group, tags=ownership.tags_of(names))
    if found is None or found.get("retentionInDays") != days:
        aws.logs.put_retention_policy(logGroupName=group, retentionInDays=days)
