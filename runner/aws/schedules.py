"""The site's schedules: one a function, named as it is, in a group that bears our tags."""

from __future__ import annotations

from typing import Any

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names

# What Scheduler could not hand to Lambda for so long is a dead letter. It is then long past its
# time, and an hourly run is not followed by those that it missed.
# Source: EventBridge Scheduler API reference, RetryPolicy.
LATE = 3600  # seconds
ATTEMPTS = 185  # the most


def find_group(aws: Aws, names: Names) -> str | None:
    """The name of the group."""
    try:
        return str(aws.schedules.get_schedule_group(Name=names.schedules)["Name"])
    except aws.schedules.exceptions.ResourceNotFoundException:
        return None


def make_group(aws: Aws, names: Names) -> str:
    """The group, made where it is missing; returns its name."""
    if find_group(aws, names) is None:
        with tolerating("ConflictException"):  # our own first attempt
            aws.schedules.create_schedule_group(
                Name=names.schedules, Tags=ownership.tag_list(names)
            )
    found = aws.schedules.list_tags_for_resource(ResourceArn=names.schedules_arn).get("Tags", [])
    what = f"The group of schedules {names.schedules}"
    ownership.check(ownership.mapped(found), names, what=what)
    return names.schedules


def put(
    aws: Aws, names: Names, *, function: str, schedule: str, version: str, role_arn: str
) -> None:
    """Runs this version of the function by `schedule`, whatever ran by which one before."""
    wanted = _wanted(names, function=function, schedule=schedule, version=version)
    wanted["Target"]["RoleArn"] = role_arn
    try:
        found = aws.schedules.get_schedule(Name=wanted["Name"], GroupName=names.schedules)
    except aws.schedules.exceptions.ResourceNotFoundException:
        aws.schedules.create_schedule(**wanted)
        return
    if any(found.get(key) != value for key, value in wanted.items()):
        aws.schedules.update_schedule(**wanted)


def drop(aws: Aws, names: Names, *, function: str) -> None:
    """The function runs by no schedule any more."""
    with tolerating("ResourceNotFoundException"):
        aws.schedules.delete_schedule(Name=names.function(function), GroupName=names.schedules)


def _wanted(names: Names, *, function: str, schedule: str, version: str) -> dict[str, Any]:
    """All of it: an update sets what it does not name to its default.

    Lambda is invoked with an event; what it fails at is its own to retry.
    Sources: EventBridge Scheduler API reference, UpdateSchedule; Lambda developer guide, "Invoke a
    Lambda function on a schedule".
    """
    name = names.function(function)
    return {
        "Name": name,
        "GroupName": names.schedules,
        "Description": f"jam-deploy: {function} of {names.site}",
        "ScheduleExpression": schedule,
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Target": {
            "Arn": f"{names.function_arn(name)}:{version}",
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": LATE,
                "MaximumRetryAttempts": ATTEMPTS,
            },
            "DeadLetterConfig": {"Arn": names.dead_letters_arn},
        },
    }
