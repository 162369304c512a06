"""Asynchronous invocations: what is refused, tried again, told to destinations, and lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compute_site import ACCOUNT, REGION, Plane

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:taken"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    plane = Plane(tmp_path)
    plane.create(DeadLetterConfig={"TargetArn": DEAD})
    return plane


def put(plane: Plane, **given: Any) -> dict[str, Any]:
    return plane("PutFunctionEventInvokeConfig", FunctionName="f", **given)


def send(plane: Plane, payload: bytes = b'{"n": 1}', **more: Any) -> None:
    plane("Invoke", FunctionName="f", InvocationType="Event", Payload=payload, **more)
    plane.clock.pass_by()


def record(plane: Plane, arn: str = QUEUE) -> dict[str, Any]:
    (letter,) = [letter for to, letter in plane.post.sent if to == arn]
    found: dict[str, Any] = json.loads(letter.body)
    return found


def test_a_success_is_told_to_its_destination_and_to_nobody_else(plane: Plane) -> None:
    put(plane, DestinationConfig={"OnSuccess": {"Destination": QUEUE}})
    send(plane)
    told = record(plane)
    assert [to for to, _ in plane.post.sent] == [QUEUE]
    assert told["version"] == "1.0"
    assert told["requestPayload"] == told["responsePayload"] == {"n": 1}
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert told["requestContext"]["functionArn"] == f"{ARN}:$LATEST"
    assert told["requestContext"]["condition"] == "Success"
    assert told["requestContext"]["approximateInvokeCount"] == 1


def test_after_the_last_try_destination_and_dead_letter_queue_hear_of_it(plane: Plane) -> None:
    put(plane, DestinationConfig={"OnFailure": {"Destination": QUEUE}})
    plane.pool.error = "Error"
    plane.pool.answer = b'{"errorType": "Error", "errorMessage": "no"}'
    send(plane)
    told = record(plane)
    assert plane.clock.waited == [0, 60, 120]
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["responseContext"]["functionError"] == "Unhandled"
    assert told["responsePayload"]["errorMessage"] == "no"
    (dead,) = [letter for to, letter in plane.post.sent if to == DEAD]
    assert json.loads(dead.body) == {"n": 1}
    assert dead.attributes["ErrorCode"] == ("Number", "200")
    assert dead.attributes["ErrorMessage"] == ("String", "no")
    assert dead.attributes["RequestID"] == ("String", told["requestContext"]["requestId"])


@pytest.mark.parametrize(("retries", "waited"), [(0, [0]), (1, [0, 60]), (2, [0, 60, 120])])
def test_the_number_of_retries_is_a_setting(plane: Plane, retries: int, waited: list[int]) -> None:
    put(plane, MaximumRetryAttempts=retries)
    plane.pool.error = "Error"
    send(plane)
    assert plane.clock.waited == waited


def test_an_event_too_old_to_be_tried_again_is_given_up(plane: Plane) -> None:
    given = {"MaximumEventAgeInSeconds": 90, "DestinationConfig": {
        "OnFailure": {"Destination": QUEUE}}}  # fmt: skip
    put(plane, **given)
    plane.pool.error = "Error"
    send(plane)
    told = record(plane)["requestContext"]
    assert plane.clock.waited == [0, 60, 30]
    assert (told["condition"], told["approximateInvokeCount"]) == ("EventAgeExceeded", 2)


def test_zero_concurrency_sends_events_to_the_end_without_a_try(plane: Plane) -> None:
    put(plane, DestinationConfig={"OnFailure": {"Destination": QUEUE}})
    plane("PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    send(plane)
    told = record(plane)
    assert told["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert told["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in told
    assert plane.pool.ran == []


def test_a_throttled_event_comes_again_ever_later_for_six_hours(plane: Plane) -> None:
    plane.pool.busy = True
    send(plane)
    assert plane.clock.waited[:5] == [0, 1, 2, 4, 8]
    assert max(plane.clock.waited) == 300
    assert sum(plane.clock.waited) == 6 * 3600
    (dead,) = [letter for to, letter in plane.post.sent if to == DEAD]
    assert dead.attributes["ErrorCode"] == ("Number", "429")


def test_a_destination_that_may_not_be_used_is_counted_and_nothing_arrives(plane: Plane) -> None:
    put(plane, DestinationConfig={"OnSuccess": {"Destination": QUEUE}})
    plane.post.refused.add(QUEUE)
    counted: list[str] = []
    plane.invoker.on_event.append(lambda metric, _event, _value: counted.append(metric))
    send(plane)
    assert plane.post.sent == []
    assert counted == ["AsyncEventsReceived", "AsyncEventAge", "DestinationDeliveryFailures"]


def test_a_bus_gets_the_record_as_an_event_of_lambdas(plane: Plane) -> None:
    put(plane, DestinationConfig={"OnSuccess": {"Destination": BUS}})
    send(plane)
    ((_, letter),) = plane.post.sent
    event = letter.event or {}
    assert event["source"] == "lambda"
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["resources"] == [BUS, f"{ARN}:$LATEST"]
    assert event["detail"]["requestPayload"] == {"n": 1}


def test_each_qualifier_has_settings_of_its_own(plane: Plane) -> None:
    plane("PublishVersion", FunctionName="f")
    plane.wait()
    put(plane, Qualifier="1", MaximumRetryAttempts=0)
    plane.pool.error = "Error"
    send(plane, Qualifier="1")
    assert plane.clock.waited == [0]
    listed = plane("ListFunctionEventInvokeConfigs", FunctionName="f")
    assert [each["FunctionArn"] for each in listed["FunctionEventInvokeConfigs"]] == [f"{ARN}:1"]


def test_a_function_deleted_meanwhile_is_tried_no_more(plane: Plane) -> None:
    plane("Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
    plane("DeleteFunction", FunctionName="f")
    plane.clock.pass_by()
    assert plane.pool.ran == []


def test_put_replaces_update_adds_and_delete_takes_away(plane: Plane) -> None:
    put(plane, MaximumRetryAttempts=0)
    plane("UpdateFunctionEventInvokeConfig", FunctionName="f", MaximumEventAgeInSeconds=60)
    kept = plane("GetFunctionEventInvokeConfig", FunctionName="f")
    assert (kept["MaximumRetryAttempts"], kept["MaximumEventAgeInSeconds"]) == (0, 60)
    assert kept["FunctionArn"] == f"{ARN}:$LATEST"
    assert kept["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert "MaximumRetryAttempts" not in put(plane, MaximumEventAgeInSeconds=70)
    plane("DeleteFunctionEventInvokeConfig", FunctionName="f")
    assert plane.refusal("GetFunctionEventInvokeConfig", FunctionName="f") == (
        "ResourceNotFoundException"
    )


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "InvalidParameterValueException"),
        ({"MaximumRetryAttempts": 3}, "ValidationException"),
        ({"MaximumRetryAttempts": -1}, "ValidationException"),
        ({"MaximumEventAgeInSeconds": 59}, "ValidationException"),
        ({"MaximumEventAgeInSeconds": 21_601}, "ValidationException"),
        ({"MaximumRetryAttempts": 1, "Qualifier": "9"}, "ResourceNotFoundException"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:x:1:missing"}}},
         "InvalidParameterValueException"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:x:1:refused"}}},
         "InvalidParameterValueException"),
        ({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:ecs:x:1:cluster"}}},
         "InvalidParameterValueException"),
    ],
)  # fmt: skip
def test_what_an_event_invoke_config_refuses(plane: Plane, given: Any, code: str) -> None:
    plane.post.missing.add("arn:aws:sqs:x:1:missing")
    plane.post.refused.add("arn:aws:sqs:x:1:refused")
    assert plane.refusal("PutFunctionEventInvokeConfig", FunctionName="f", **given) == code


@pytest.mark.parametrize(
    "arn", [f"{QUEUE}.fifo", ARN, "arn:aws:sqs:eu-west-1:123456789012:refused", "nowhere"]
)
def test_what_a_dead_letter_queue_must_be(plane: Plane, arn: str) -> None:
    plane.post.refused.add("arn:aws:sqs:eu-west-1:123456789012:refused")
    assert plane.refusal(
        "UpdateFunctionConfiguration", FunctionName="f", DeadLetterConfig={"TargetArn": arn}
    ) in ("InvalidParameterValueException", "ValidationException")


def test_an_empty_arn_takes_the_dead_letter_queue_away(plane: Plane) -> None:
    plane("UpdateFunctionConfiguration", FunctionName="f", DeadLetterConfig={"TargetArn": ""})
    plane.wait()
    assert "DeadLetterConfig" not in plane("GetFunctionConfiguration", FunctionName="f")
    plane.pool.error = "Error"
    send(plane)
    assert plane.post.sent == []
