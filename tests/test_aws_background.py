"""What AWS is asked for functions without a waiting visitor."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import Stubber

from runner.aws import background, dead_letters, documents, openapi, schedules
from runner.aws.bootstrap import template
from runner.aws.session import Aws, connect
from runner.aws.versions import wanted_of
from runner.aws.wanted import foundation
from runner.errors import JamError
from runner.model import Api, Background, Grants
from runner.names import Names
from runner.plan.background import ACCEPTOR, Unattended
from runner.plan.foundation import Role
from runner.plan.refs import Made, Ref
from tests.builders import a_function

NAMES = Names("notes", "123456789012", "eu-central-1")
HERE = "eu-central-1:123456789012"
QUEUE = f"arn:aws:sqs:{HERE}:jam-notes-dead-letters"
ALL = Unattended(schedules=True, requests=True)
TAGS = [
    {"Key": "jam:site", "Value": "notes"},
    {"Key": "jam:environment", "Value": "production"},
]
OURS = (Role.SCHEDULER, Role.BACKGROUND)
WORK = replace(a_function("work"), background=Background(requests=True, retries=1))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    passed = iter(range(10_000))
    return connect(
        region="eu-central-1",
        clock=lambda: float(next(passed)),
        sleep=lambda _: None,
        chance=lambda: 0.0,
    )


def actions(document: documents.Document) -> set[str]:
    found = [each["Action"] for each in document["Statement"]]
    return {one for each in found for one in ([each] if isinstance(each, str) else each)}


def test_scheduler_may_take_its_role_for_this_sites_schedules_alone() -> None:
    (statement,) = documents.trust(Role.SCHEDULER, NAMES)["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": "123456789012",
        "aws:SourceArn": f"arn:aws:scheduler:{HERE}:schedule-group/jam-notes",
    }


@pytest.mark.parametrize(
    ("role", "needs", "may"),
    [
        (Role.SCHEDULER, ALL, {"lambda:InvokeFunction", "sqs:SendMessage"}),
        (
            Role.BACKGROUND,
            ALL,
            {"lambda:InvokeFunction", "logs:CreateLogStream", "logs:PutLogEvents"},
        ),
        (
            Role.FUNCTIONS,
            ALL,
            {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"},
        ),
        (Role.FUNCTIONS, Unattended(), {"logs:CreateLogStream", "logs:PutLogEvents"}),
        (Role.API, ALL, {"lambda:InvokeFunction"}),
    ],
)
def test_roles_may_do_what_is_needed_and_nothing_else(
    role: Role, needs: Unattended, may: set[str]
) -> None:
    found = documents.permissions(role, NAMES, needs)
    assert actions(found) == may
    functions = [each["Resource"] for each in found["Statement"] if "lambda" in each["Action"]]
    assert all(each.startswith(f"arn:aws:lambda:{HERE}:function:jam-notes-") for each in functions)


def test_the_boundary_takes_in_what_these_roles_do() -> None:
    resources = json.loads(template())["Resources"]
    boundary = resources["Boundary"]["Properties"]["PolicyDocument"]
    failing = documents.granted(Grants(owner="a", failures=True), NAMES)
    roles = [documents.permissions(role, NAMES, ALL) for role in (*ALL.roles[:3], *OURS)]
    for document in (*roles, failing):
        assert actions(document) <= actions(boundary)


def test_only_a_site_that_needs_it_has_another_foundation() -> None:
    def digest(needs: Unattended) -> str:
        return foundation(NAMES, tables=(), router="", response="", unattended=needs).digest

    needs = (Unattended(), Unattended(schedules=True), Unattended(requests=True), ALL)
    assert len({digest(each) for each in needs}) == 4


def test_the_api_says_over_any_visitor_whom_the_acceptor_invokes() -> None:
    arn = f"arn:aws:lambda:{HERE}:function:jam-notes--work:3"
    acceptor = background.acceptor_arn(NAMES, {Ref(Made.VERSION, ACCEPTOR): "2"})
    body = openapi.body(
        NAMES, (WORK,), Api(), role_arn="role", arns={"work": arn}, acceptor=acceptor
    )
    (operation,) = body["paths"]["/.functions/work"].values()
    integration = operation["x-amazon-apigateway-integration"]
    called = f"arn:aws:lambda:{HERE}:function:jam-notes-background:2"
    assert f"/functions/{called}/invocations" in integration["uri"]
    assert integration["requestParameters"] == {
        "overwrite:path": "$request.path",
        "remove:header.x-jam-key": "''",
        "overwrite:header.x-jam-function": arn,
    }


def test_versions_differ_by_what_becomes_of_their_failures() -> None:
    def description(retries: int) -> str:
        function = replace(WORK, background=replace(WORK.background, retries=retries))
        return wanted_of(function, NAMES, role_arn="r", versions={}).description

    plain = wanted_of(a_function("work"), NAMES, role_arn="r", versions={}).description
    assert len({description(0), description(1), plain}) == 3


KEEP: dict[str, Any] = {
    "FunctionName": NAMES.function("work"),
    "Qualifier": "7",
    "MaximumRetryAttempts": 1,
    "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
}
NOT_YET = "The function's execution role does not have permissions to call SendMessage on " + QUEUE


def test_a_right_that_is_new_is_waited_for(aws: Aws) -> None:
    with Stubber(aws.functions) as stub:
        refused = ("put_function_event_invoke_config", "InvalidParameterValueException", NOT_YET)
        stub.add_client_error(*refused, expected_params=KEEP)
        stub.add_response("put_function_event_invoke_config", {}, KEEP)
        background.keep_failures(aws, NAMES, function=WORK, version="7")
        stub.assert_no_pending_responses()


def test_a_right_that_never_comes_is_told_with_what_may_help(aws: Aws) -> None:
    with Stubber(aws.functions) as stub:
        for _ in range(200):
            stub.add_client_error(
                "put_function_event_invoke_config", "InvalidParameterValueException", NOT_YET
            )
        with pytest.raises(JamError) as caught:
            background.keep_failures(aws, NAMES, function=WORK, version="7")
    assert caught.value.code == "JAM-ROLE-NOT-READY"
    assert "bootstrap" in caught.value.hint


SCHEDULE: dict[str, Any] = {
    "Name": NAMES.function("nightly"),
    "GroupName": "jam-notes",
    "Description": "jam-deploy: nightly of notes",
    "ScheduleExpression": "rate(1 day)",
    "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "State": "ENABLED",
    "Target": {
        "Arn": f"arn:aws:lambda:{HERE}:function:{NAMES.function('nightly')}:7",
        "RoleArn": "arn:role",
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
        "DeadLetterConfig": {"Arn": QUEUE},
    },
}


def put(aws: Aws) -> None:
    schedules.put(
        aws, NAMES, function="nightly", schedule="rate(1 day)", version="7", role_arn="arn:role"
    )


def test_a_schedule_that_differs_is_moved_by_one_write(aws: Aws) -> None:
    with Stubber(aws.schedules) as stub:
        stub.add_response("get_schedule", {**SCHEDULE, "State": "DISABLED"})
        stub.add_response("update_schedule", {"ScheduleArn": "arn:x"}, SCHEDULE)
        put(aws)
        stub.assert_no_pending_responses()


def test_a_schedule_that_is_as_wanted_is_left_alone(aws: Aws) -> None:
    with Stubber(aws.schedules) as stub:
        stub.add_response("get_schedule", SCHEDULE)
        put(aws)


def test_a_schedule_that_is_missing_is_made(aws: Aws) -> None:
    with Stubber(aws.schedules) as stub:
        stub.add_client_error("get_schedule", "ResourceNotFoundException")
        stub.add_response("create_schedule", {"ScheduleArn": "arn:x"}, SCHEDULE)
        put(aws)
        stub.assert_no_pending_responses()


def test_a_schedule_that_is_gone_already_is_no_error(aws: Aws) -> None:
    with Stubber(aws.schedules) as stub:
        stub.add_client_error("delete_schedule", "ResourceNotFoundException")
        schedules.drop(aws, NAMES, function="nightly")


def test_somebody_elses_queue_of_our_name_is_left_alone(aws: Aws) -> None:
    with Stubber(aws.queues) as stub:
        stub.add_response("get_queue_url", {"QueueUrl": "https://sqs/q"})
        stub.add_response("list_queue_tags", {"Tags": {"team": "other"}})
        with pytest.raises(JamError) as caught:
            dead_letters.make(aws, NAMES)
    assert caught.value.code == "JAM-NOT-OURS"


def test_the_queue_keeps_letters_encrypted_and_long_and_its_alarm_has_its_name(aws: Aws) -> None:
    with Stubber(aws.queues) as queues, Stubber(aws.metrics) as alarms:
        queues.add_client_error("get_queue_url", "QueueDoesNotExist")
        queues.add_response(
            "create_queue",
            {"QueueUrl": "https://sqs/q"},
            {
                "QueueName": "jam-notes-dead-letters",
                "Attributes": {
                    "MessageRetentionPeriod": "1209600",
                    "SqsManagedSseEnabled": "true",
                },
                "tags": {"jam:site": "notes", "jam:environment": "production"},
            },
        )
        wanted = {**dead_letters.told(NAMES)[1], "Tags": TAGS}
        alarms.add_response("describe_alarms", {"MetricAlarms": []})
        alarms.add_response("put_metric_alarm", {}, wanted)
        assert dead_letters.make(aws, NAMES) == QUEUE
        queues.assert_no_pending_responses()
        alarms.assert_no_pending_responses()
    assert wanted["Dimensions"] == [{"Name": "QueueName", "Value": "jam-notes-dead-letters"}]
    assert wanted["Threshold"] == 1
