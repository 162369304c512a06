"""EventBridge Scheduler: what it refuses, and that schedules really fire, as their role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from runner.local.cloud import Cloud
from tests.background_site import ACCOUNT, REGION, Site, trust
from tests.local_cloud import refusal

OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def site(running: Cloud) -> Site:
    running.reset()
    return Site(running)


def plan(
    site: Site, target: dict[str, Any], expression: str = "rate(5 minutes)", **more: Any
) -> Any:
    given = {"Name": "tick", "FlexibleTimeWindow": OFF, "ScheduleExpression": expression}
    return site.scheduler.create_schedule(**(given | {"Target": target} | more))


def test_a_rate_calls_the_function_at_once_and_then_at_each_period(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    role = site.role("planner", "lambda:InvokeFunction", resource=arn)
    plan(site, {"Arn": arn, "RoleArn": role})
    site.leap(14 * 60)
    assert site.ran("f") == 3


def test_without_an_input_a_scheduled_event_comes_and_an_input_has_its_attributes_filled(
    site: Site,
) -> None:
    url, arn = site.queue("taken")
    role = site.role("planner", "sqs:SendMessage", resource=arn)
    made = plan(site, {"Arn": arn, "RoleArn": role}, Name="plain", expression="rate(1 day)")
    text = '{"at": "<aws.scheduler.scheduled-time>", "try": "<aws.scheduler.attempt-number>"}'
    plan(site, {"Arn": arn, "RoleArn": role, "Input": text}, expression="rate(1 day)")
    site.leap(1)
    bodies = [letter["body"] for letter in site.letters(url)]
    event = next(body for body in bodies if "source" in body)
    other = next(body for body in bodies if "try" in body)
    assert (event["source"], event["detail-type"]) == ("aws.scheduler", "Scheduled Event")
    assert event["resources"] == [made["ScheduleArn"]]
    assert event["detail"] == "{}"
    assert (event["account"], event["region"]) == (ACCOUNT, REGION)
    assert other["try"] == "1"
    assert other["at"].endswith("Z")


def test_cron_fires_at_its_time_of_day_in_its_zone_and_at_fires_once(site: Site) -> None:
    url, arn = site.queue("taken")
    role = site.role("planner", "sqs:SendMessage")
    target = {"Arn": arn, "RoleArn": role, "Input": '"<aws.scheduler.scheduled-time>"'}
    plan(site, target, "cron(30 8 * * ? *)", ScheduleExpressionTimezone="Asia/Tokyo")
    site.leap(3 * 86_400)
    times = [letter["body"] for letter in site.letters(url)]
    assert len(times) == 3
    assert all(time.endswith("T23:30:00Z") for time in times)


def test_a_one_time_schedule_goes_after_it_fired_if_it_says_so(site: Site) -> None:
    url, arn = site.queue("taken")
    role = site.role("planner", "sqs:SendMessage")
    target = {"Arn": arn, "RoleArn": role, "Input": '"once"'}
    when = _at(site.cloud.clock.now() + 3600)
    plan(site, target, when, ActionAfterCompletion="DELETE")
    plan(site, target, when, Name="stays")
    site.leap(1800)
    assert site.letters(url) == []
    site.leap(7200)
    assert [letter["body"] for letter in site.letters(url)] == ["once", "once"]
    listed = site.scheduler.list_schedules()["Schedules"]
    assert [each["Name"] for each in listed] == ["stays"]


def _at(moment: float) -> str:
    return f"at({datetime.fromtimestamp(int(moment), UTC):%Y-%m-%dT%H:%M:%S})"


def test_a_role_without_the_right_is_tried_again_and_the_dead_letter_tells_why(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    url, dead = site.queue("dead")
    role = site.role("planner", "sqs:SendMessage")
    target = {
        "Arn": arn, "RoleArn": role, "Input": '{"n": 1}',
        "DeadLetterConfig": {"Arn": dead}, "RetryPolicy": {"MaximumRetryAttempts": 2},
    }  # fmt: skip
    made = plan(site, target, "rate(1 day)")
    site.leap(600)
    (letter,) = site.letters(url)
    assert site.ran("f") == 0
    assert letter["body"] == {"n": 1}
    assert letter["ERROR_CODE"] == "AccessDenied"
    assert "lambda:InvokeFunction" in letter["ERROR_MESSAGE"]
    assert letter["RETRY_ATTEMPTS"] == "2"
    assert letter["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert (letter["SCHEDULE_ARN"], letter["TARGET_ARN"]) == (made["ScheduleArn"], arn)
    assert site.metric("AWS/Scheduler", "InvocationAttemptCount", ScheduleGroup="default") == 3


def test_a_right_that_comes_late_lets_a_retry_through(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    role = site.role("planner")
    plan(site, {"Arn": arn, "RoleArn": role}, "rate(1 day)")
    site.leap(100)
    assert site.ran("f") == 0
    site.allow("planner", "lambda:InvokeFunction")
    site.leap(600)
    assert site.ran("f") == 1


def test_the_right_to_one_version_is_not_the_right_to_another(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    role = site.role("planner", "lambda:InvokeFunction", resource=arn.replace(":1", ":2"))
    plan(site, {"Arn": arn, "RoleArn": role})
    site.leap(3600)
    assert site.ran("f") == 0


def test_a_role_that_stops_trusting_scheduler_is_used_no_more(site: Site) -> None:
    url, arn = site.queue("taken")
    role = site.role("planner", "sqs:SendMessage")
    plan(site, {"Arn": arn, "RoleArn": role})
    site.leap(1)
    site.iam.update_assume_role_policy(
        RoleName="planner", PolicyDocument=trust("lambda.amazonaws.com")
    )
    site.letters(url)
    site.leap(3600)
    assert site.letters(url) == []


def test_a_disabled_schedule_does_not_fire_and_an_update_begins_anew(site: Site) -> None:
    url, arn = site.queue("taken")
    target = {"Arn": arn, "RoleArn": site.role("planner", "sqs:SendMessage"), "Input": '"x"'}
    plan(site, target, State="DISABLED")
    site.leap(3600)
    assert site.letters(url) == []
    site.scheduler.update_schedule(
        Name="tick", Target=target, FlexibleTimeWindow=OFF, ScheduleExpression="rate(1 hour)"
    )
    kept = site.scheduler.get_schedule(Name="tick")
    assert (kept["State"], kept["ScheduleExpression"]) == ("ENABLED", "rate(1 hour)")
    site.leap(2 * 3600 - 60)
    assert len(site.letters(url)) == 1


def test_start_and_end_bound_a_rate(site: Site) -> None:
    url, arn = site.queue("taken")
    target = {"Arn": arn, "RoleArn": site.role("planner", "sqs:SendMessage"), "Input": '"x"'}
    now = site.cloud.clock.now()
    plan(site, target, StartDate=now + 3600, EndDate=now + 3600 + 620)
    site.leap(3599)
    assert site.letters(url) == []
    site.leap(86_400)
    assert len(site.letters(url)) == 3


def test_a_flexible_window_delays_by_no_more_than_its_minutes(site: Site) -> None:
    url, arn = site.queue("taken")
    target = {"Arn": arn, "RoleArn": site.role("planner", "sqs:SendMessage"), "Input": '"x"'}
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    plan(site, target, "rate(1 hour)", FlexibleTimeWindow=window)
    site.leap(15 * 60 + 1)
    assert len(site.letters(url)) == 1


def test_a_deleted_schedule_group_or_reset_account_fires_nothing(site: Site) -> None:
    url, arn = site.queue("taken")
    target = {"Arn": arn, "RoleArn": site.role("planner", "sqs:SendMessage"), "Input": '"x"'}
    site.scheduler.create_schedule_group(Name="g")
    plan(site, target, GroupName="g", StartDate=site.cloud.clock.now() + 60)
    site.scheduler.delete_schedule_group(Name="g")
    assert site.scheduler.get_schedule_group(Name="g")["State"] == "DELETING"
    site.leap(3600)
    assert site.letters(url) == []
    assert refusal(lambda: site.scheduler.get_schedule_group(Name="g")) == (
        "ResourceNotFoundException", 404,
    )  # fmt: skip


def _fine(arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:1") -> dict[str, Any]:
    return {"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/planner"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Name": "a b"}, "pattern"),
        ({"Name": "x" * 65}, "length less than or equal to 64"),
        ({"ScheduleExpression": "rate(0 minutes)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "rate(5 seconds)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "cron(0 10 * * * *)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "cron(0 10 ? * ? *)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "cron(0 10 * * ?)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "at(2027-01-01 10:00:00)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid Schedule Expression"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
         "MaximumWindowInMinutes"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}}, "1440"),
        ({"Target": {**_fine(), "RetryPolicy": {"MaximumRetryAttempts": 186}}}, "185"),
        ({"Target": {**_fine(), "RetryPolicy": {"MaximumEventAgeInSeconds": 86_401}}}, "86400"),
        ({"Target": {**_fine(), "Input": "{not json"}}, "JSON"),
        ({"Target": {**_fine(), "DeadLetterConfig": {
            "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q.fifo"}}}, "pattern"),
        ({"Target": _fine("nowhere")}, "Provided Arn is not in correct format."),
        ({"Target": {**_fine(), "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}},
         "must allow AWS EventBridge Scheduler to assume the role"),
        ({"StartDate": 1_000_000_000}, "5 minutes ago"),
        ({"EndDate": 1_000_000_000}, "EndDate"),
        ({"State": "PAUSED"}, "enum value set"),
    ],
)  # fmt: skip
def test_what_create_schedule_refuses(site: Site, given: dict[str, Any], message: str) -> None:
    site.role("planner", "lambda:InvokeFunction")
    with pytest.raises(ClientError) as caught:
        plan(site, **{"target": _fine()} | given)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]
    assert site.scheduler.list_schedules()["Schedules"] == []


@pytest.mark.parametrize(
    ("services", "condition", "taken"),
    [
        (("scheduler.amazonaws.com",), None, True),
        (("lambda.amazonaws.com",), None, False),
        (("scheduler.amazonaws.com",), {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        (("scheduler.amazonaws.com",), {"StringEquals": {"aws:SourceAccount": "1"}}, False),
        (("scheduler.amazonaws.com",), {"ArnLike": {"aws:SourceArn":
            f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"}}, True),
        (("scheduler.amazonaws.com",), {"ArnLike": {"aws:SourceArn":
            f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/tick"}}, False),
    ],
)  # fmt: skip
def test_the_role_must_trust_scheduler_for_the_group(
    site: Site, services: tuple[str, ...], condition: Any, taken: bool
) -> None:
    site.role("planner", services=services, condition=condition)
    if taken:
        plan(site, _fine())
    else:
        assert refusal(lambda: plan(site, _fine()))[0] == "ValidationException"


def test_a_new_role_is_refused_for_a_while(site: Site) -> None:
    site.iam.create_role(
        RoleName="planner", AssumeRolePolicyDocument=trust("scheduler.amazonaws.com")
    )
    assert refusal(lambda: plan(site, _fine())) == ("ValidationException", 400)
    site.leap(10)
    plan(site, _fine())


def test_the_same_call_again_is_the_same_schedule_and_another_a_conflict(site: Site) -> None:
    site.role("planner")
    first = plan(site, _fine(), ClientToken="once")
    assert plan(site, _fine(), ClientToken="once")["ScheduleArn"] == first["ScheduleArn"]
    other = {"ClientToken": "once", "expression": "rate(1 hour)"}
    assert refusal(lambda: plan(site, _fine(), **other)) == ("ConflictException", 409)
    assert refusal(lambda: plan(site, _fine())) == ("ConflictException", 409)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("get_schedule", {"Name": "none"}),
        ("delete_schedule", {"Name": "none"}),
        ("get_schedule", {"Name": "none", "GroupName": "none"}),
        ("get_schedule_group", {"Name": "none"}),
        ("delete_schedule_group", {"Name": "none"}),
        ("list_tags_for_resource", {
            "ResourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/none"}),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(site: Site, operation: str, given: Any) -> None:
    call = getattr(site.scheduler, operation)
    assert refusal(lambda: call(**given)) == ("ResourceNotFoundException", 404)


def test_groups_have_tags_and_default_stays(site: Site) -> None:
    tags = [{"Key": "jam:site", "Value": "notes"}]
    arn = site.scheduler.create_schedule_group(Name="g", Tags=tags)["ScheduleGroupArn"]
    site.scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "more", "Value": "1"}])
    site.scheduler.untag_resource(ResourceArn=arn, TagKeys=["more"])
    assert site.scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    found = site.resourcegroupstaggingapi.get_resources(
        TagFilters=[{"Key": "jam:site", "Values": ["notes"]}]
    )
    assert [each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [arn]
    names = [each["Name"] for each in site.scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert names == ["default", "g"]
    assert refusal(lambda: site.scheduler.delete_schedule_group(Name="default"))[0] == (
        "ValidationException"
    )


def test_lists_come_in_pages_and_by_group_prefix_and_state(site: Site) -> None:
    site.role("planner")
    site.scheduler.create_schedule_group(Name="g")
    plan(site, _fine(), Name="a1")
    plan(site, _fine(), Name="a2", State="DISABLED")
    plan(site, _fine(), Name="b1", GroupName="g")
    first = site.scheduler.list_schedules(MaxResults=2)
    rest = site.scheduler.list_schedules(NextToken=first["NextToken"])
    assert [e["Name"] for e in first["Schedules"] + rest["Schedules"]] == ["a1", "a2", "b1"]
    for given, names in (
        ({"GroupName": "g"}, ["b1"]),
        ({"NamePrefix": "a"}, ["a1", "a2"]),
        ({"State": "DISABLED"}, ["a2"]),
    ):
        assert [e["Name"] for e in site.scheduler.list_schedules(**given)["Schedules"]] == names
