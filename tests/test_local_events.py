"""EventBridge and SQS in the whole cloud: events reach what may take them, and nobody else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from tests.background_site import ACCOUNT, REGION, Site
from tests.compute_site import eventually, zipped
from tests.local_cloud import client, refusal

RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/watch"
PATTERN = json.dumps({"source": ["jam.test"], "detail": {"state": [{"prefix": "FAIL"}]}})
SENDS = """
import boto3, os

def handler(event, context):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=event["url"], MessageBody='"sent"')
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def site(running: Cloud) -> Site:
    running.reset()
    return Site(running)


def watch(site: Site, arn: str, *, pattern: str = PATTERN, **target: Any) -> None:
    site.events.put_rule(Name="watch", EventPattern=pattern)
    site.events.put_targets(Rule="watch", Targets=[{"Id": "t", "Arn": arn, **target}])


def publish(site: Site, state: str = "FAILURE") -> Any:
    detail = json.dumps({"state": state})
    entry = {"Source": "jam.test", "DetailType": "Test", "Detail": detail}
    return site.events.put_events(Entries=[entry])


def opened(site: Site, url: str, arn: str, source: str = RULE) -> None:
    """Lets EventBridge send to the queue on behalf of one rule."""
    statement = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    site.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def test_only_events_that_match_reach_a_queue_that_lets_its_rule_in(site: Site) -> None:
    url, arn = site.queue("taken")
    opened(site, url, arn)
    watch(site, arn)
    identity = publish(site)["Entries"][0]["EventId"]
    publish(site, "SUCCESS")
    site.leap(1)
    (letter,) = site.letters(url)
    event = letter["body"]
    assert (event["id"], event["source"], event["detail-type"]) == (identity, "jam.test", "Test")
    assert event["detail"] == {"state": "FAILURE"}
    assert (event["account"], event["region"], event["version"]) == (ACCOUNT, REGION, "0")


@pytest.mark.parametrize("source", ["", f"{RULE}-other"])
def test_a_queue_that_does_not_let_the_rule_in_gets_nothing(site: Site, source: str) -> None:
    url, arn = site.queue("taken")
    dead, dead_arn = site.queue("dead")
    opened(site, dead, dead_arn)
    if source:
        opened(site, url, arn, source)
    watch(site, arn, DeadLetterConfig={"Arn": dead_arn})
    publish(site)
    site.leap(180)
    assert site.letters(url) == []
    (letter,) = site.letters(dead)
    assert (letter["ERROR_CODE"], letter["RULE_ARN"]) == ("NO_PERMISSIONS", RULE)
    assert letter["body"]["detail"] == {"state": "FAILURE"}
    assert site.metric("AWS/Events", "FailedInvocations", RuleName="watch") == 1


def test_a_function_takes_events_that_its_own_policy_lets_in(site: Site) -> None:
    arn = site.function("f", site.role("f", "logs:*"))
    watch(site, arn)
    publish(site)
    site.leap(1)
    assert site.ran("f") == 0
    site.functions.add_permission(
        FunctionName="f", Qualifier="1", StatementId="events", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn=RULE,
    )  # fmt: skip
    publish(site)
    site.leap(1)
    assert site.ran("f") == 1


def test_a_scheduled_rule_sends_an_event_of_its_own_until_it_is_disabled(site: Site) -> None:
    url, arn = site.queue("taken")
    opened(site, url, arn)
    site.events.put_rule(Name="watch", ScheduleExpression="rate(5 minutes)")
    site.events.put_targets(Rule="watch", Targets=[{"Id": "t", "Arn": arn}])
    site.leap(660)
    letters = site.letters(url)
    assert [each["body"]["source"] for each in letters] == ["aws.events"] * 2
    assert letters[0]["body"]["resources"] == [RULE]
    site.events.disable_rule(Name="watch")
    site.leap(3600)
    assert site.letters(url) == []
    site.events.enable_rule(Name="watch")
    site.leap(360)
    assert len(site.letters(url)) == 1


def test_what_the_cloud_emits_is_matched_like_what_is_put(site: Site) -> None:
    url, arn = site.queue("taken")
    opened(site, url, arn)
    watch(site, arn, pattern='{"source": ["aws.codedeploy"]}', InputPath="$.detail.state")
    site.cloud.events.emit(
        "aws.codedeploy", "CodeDeploy Deployment State-change Notification",
        detail={"state": "FAILURE"}, region=REGION,
    )  # fmt: skip
    site.leap(1)
    assert [letter["body"] for letter in site.letters(url)] == ["FAILURE"]


def test_destinations_and_dead_letters_arrive_as_the_role_may(site: Site) -> None:
    url, arn = site.queue("failed")
    role = site.role("f", "logs:*", "sqs:SendMessage")
    site.function("f", role)
    site.functions.put_function_event_invoke_config(
        FunctionName="f", Qualifier="1", MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )  # fmt: skip
    call = {"FunctionName": "f", "Qualifier": "1", "InvocationType": "Event"}
    site.functions.invoke(**call, Payload=b'{"fail": true}')
    eventually(lambda: site.ran("f") == 1)
    site.leap(90)
    eventually(lambda: site.ran("f") == 2)
    (letter,) = site.letters(url)
    assert letter["body"]["requestPayload"] == {"fail": True}
    assert letter["body"]["responsePayload"]["errorMessage"] == "no"
    site.allow("f", "logs:*")
    site.functions.invoke(**call, Payload=b'{"fail": true}')
    eventually(lambda: site.ran("f") == 3)
    site.leap(90)
    eventually(lambda: site.ran("f") == 4)
    site.leap(180)
    assert site.letters(url) == []
    assert site.metric("AWS/Lambda", "DestinationDeliveryFailures", FunctionName="f") == 1
    assert site.metric("AWS/Lambda", "AsyncEventsReceived", FunctionName="f") == 2
    assert site.metric("AWS/Lambda", "AsyncEventsDropped", FunctionName="f") == 2


def test_a_destination_that_the_role_may_not_use_or_that_is_not_there_is_refused(
    site: Site,
) -> None:
    _, arn = site.queue("failed")
    site.function("f", site.role("f", "logs:*"))

    def put(destination: str) -> Any:
        return site.functions.put_function_event_invoke_config(
            FunctionName="f", DestinationConfig={"OnFailure": {"Destination": destination}}
        )

    assert refusal(lambda: put(arn)) == ("InvalidParameterValueException", 400)
    site.allow("f", "sqs:SendMessage")
    assert refusal(lambda: put(f"{arn}-none")) == ("InvalidParameterValueException", 400)
    assert put(arn)["DestinationConfig"]["OnFailure"] == {"Destination": arn}
    kept = site.functions.get_function_event_invoke_config(FunctionName="f")
    assert kept["LastModified"].timestamp() == pytest.approx(site.cloud.clock.now(), abs=60)


def test_a_function_sends_to_queues_only_as_its_role_may(site: Site) -> None:
    url, arn = site.queue("taken")
    role = site.role("f", "logs:*")
    site.functions.create_function(
        FunctionName="f", Runtime=f"python3.{sys.version_info.minor}", Handler="app.handler",
        Role=role, Code={"ZipFile": zipped({"app.py": SENDS})}, Timeout=30,
    )  # fmt: skip
    site.leap(3)
    payload = json.dumps({"url": url})
    refused = site.functions.invoke(FunctionName="f", Payload=payload)
    assert "AccessDenied" in refused["Payload"].read().decode()
    site.allow("f", "sqs:SendMessage", resource=arn)
    assert "FunctionError" not in site.functions.invoke(FunctionName="f", Payload=payload)
    assert [letter["body"] for letter in site.letters(url)] == ["sent"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"EventPattern": '{"a": "text"}'}, "InvalidEventPatternException"),
        ({"EventPattern": "no json"}, "InvalidEventPatternException"),
        ({"ScheduleExpression": "rate(1 minutes)"}, "ValidationException"),
        ({"ScheduleExpression": "at(2027-01-01T00:00:00)"}, "ValidationException"),
        ({"ScheduleExpression": "cron(0 10 * * * *)"}, "ValidationException"),
        ({"ScheduleExpression": "rate(1 day)", "Name": "a b"}, "ValidationException"),
        ({}, "ValidationException"),
    ],
)
def test_what_put_rule_refuses(site: Site, given: dict[str, Any], code: str) -> None:
    assert refusal(lambda: site.events.put_rule(**({"Name": "watch"} | given))) == (code, 400)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Arn": "nowhere"}, "ValidationException"),
        ({"Input": "{"}, "ValidationException"),
        ({"Input": "{}", "InputPath": "$.detail"}, "ValidationException"),
        ({"InputPath": "detail"}, "ValidationException"),
        ({"DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:d.fifo"}},
         "ValidationException"),
        ({"Arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/c"}, "NotImplemented"),
    ],
)  # fmt: skip
def test_what_put_targets_refuses(site: Site, given: dict[str, Any], code: str) -> None:
    site.events.put_rule(Name="watch", EventPattern=PATTERN)
    target = {"Id": "t", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", **given}
    put = site.events.put_targets
    assert refusal(lambda: put(Rule="watch", Targets=[target]))[0] == code
    assert refusal(lambda: put(Rule="none", Targets=[target]))[0] == "ResourceNotFoundException"


def test_a_rule_has_five_targets(site: Site) -> None:
    site.events.put_rule(Name="watch", EventPattern=PATTERN)
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    many = [{"Id": str(number), "Arn": arn} for number in range(6)]
    put = site.events.put_targets
    assert refusal(lambda: put(Rule="watch", Targets=many))[0] == "LimitExceededException"
    put(Rule="watch", Targets=many[:5])


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": ""}, "InvalidArgument"),
        ({"Detail": "no json"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Source": "aws.codedeploy"}, "NotAuthorizedForSource"),
    ],
)
def test_what_put_events_fails(site: Site, entry: dict[str, Any], code: str) -> None:
    given = {"Source": "jam.test", "DetailType": "Test", "Detail": "{}", **entry}
    answer = site.events.put_events(Entries=[given])
    assert (answer["FailedEntryCount"], answer["Entries"][0]["ErrorCode"]) == (1, code)


def test_a_queue_that_holds_letters_shows_in_cloudwatch_minute_by_minute(site: Site) -> None:
    url, _ = site.queue("dead")
    site.sqs.send_message(QueueUrl=url, MessageBody="{}")
    site.leap(300)
    name = "ApproximateNumberOfMessagesVisible"
    assert site.metric("AWS/SQS", name, QueueName="dead") >= 3


def test_a_queue_nobody_uses_is_silent_after_six_hours(site: Site) -> None:
    site.queue("idle")
    site.leap(8 * 3600)
    now = site.cloud.clock.now()
    data = site.cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "idle"}], Period=60,
        StartTime=now - 3600, EndTime=now, Statistics=["Maximum"],
    )  # fmt: skip
    assert data["Datapoints"] == []


def test_a_queues_name_is_free_a_minute_after_it_was_deleted(site: Site) -> None:
    url, _ = site.queue("dead")
    site.sqs.delete_queue(QueueUrl=url)
    code, status = refusal(lambda: site.queue("dead"))
    assert (code, status) == ("AWS.SimpleQueueService.QueueDeletedRecently", 400)
    site.leap(61)
    site.queue("dead")


@pytest.mark.parametrize(
    "attributes",
    [
        {"VisibilityTimeout": "43201"}, {"MessageRetentionPeriod": "59"}, {"DelaySeconds": "x"},
        {"SqsManagedSseEnabled": "true", "KmsMasterKeyId": "alias/aws/sqs"},
    ],
)  # fmt: skip
def test_what_a_queues_attributes_refuse(site: Site, attributes: dict[str, str]) -> None:
    assert refusal(lambda: site.queue("q", **attributes)) == ("InvalidAttributeValue", 400)


def test_an_unknown_key_is_refused_like_everywhere(site: Site) -> None:
    stranger = client(site.cloud, "scheduler", key="AKIAABCDEFGHIJKLMNOP")
    assert refusal(stranger.list_schedules) == ("UnrecognizedClientException", 403)
