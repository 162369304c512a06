"""Events from files, answers of functions, and what `invoke` and `status` make of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from runner.aws.calling import LARGEST, Answer
from runner.aws.calls import Calls, calls
from runner.aws.deployed import Deployed, Described, Environment
from runner.errors import JamError
from runner.model import Origin
from runner.operate.call import Called, document, event_of, payload_of
from runner.operate.choose import Target
from runner.operate.code import get
from runner.operate.status import EnvironmentStatus, FunctionStatus, Status
from runner.report.called import called_text, payload_text
from runner.report.status import status_document, status_text

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()
TARGET = Target(function="jam-s--f-1", version="3", shown="f")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (b'{"a": [1, 2.5, null]}', b'{"a":[1,2.5,null]}'),
        (b'\xef\xbb\xbf{"a": "\xc3\xa9"}', '{"a":"é"}'.encode()),
        (b'"text"\n', b'"text"'),
        (b"[]", b"[]"),
    ],
)
def test_an_event_is_any_json_value(text, sent):
    assert event_of(text, "event.json") == sent


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{\n  "a": 1,\n}', "event.json:3:1"),
        (b"", "event.json:1:1"),
        (b"\xff\xff\xff", "event.json"),
        (b'{"a": NaN}', "event.json"),
        (b'"' + b"x" * LARGEST + b'"', str(LARGEST)),
    ],
)
def test_what_lambda_would_not_take_is_refused_before_the_call_with_its_place(text, told):
    with pytest.raises(JamError) as caught:
        event_of(text, "event.json")
    assert caught.value.code == "JAM-EVENT"
    assert caught.value.turn == 2
    assert told in caught.value.message


def test_what_a_streaming_function_wrote_is_its_prelude_and_its_body():
    written = b'{"statusCode":201}' + bytes(8) + b"one two"
    assert payload_of(answered(written)) == {"statusCode": 201, "body": "one two"}


def answered(payload: bytes, failed: bool = False) -> Answer:
    return Answer(version="3", payload=payload, failed=failed, log="START\nboom\x1b[2J\nEND\n")


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b'{"a":1}', {"a": 1}), (b"", None), (b"null", None), (b"no json", "no json")],
)
def test_a_payload_is_json_or_else_text(payload, value):
    assert payload_of(answered(payload)) == value


def test_a_printed_payload_has_nothing_that_a_terminal_obeys_and_means_the_same():
    value = {"a": "\x1b[31m\u202e\x9b", "b": "é"}
    text = payload_text(answered(json.dumps(value, ensure_ascii=False).encode()))
    assert text.isprintable() or text.replace("\n", "").isprintable()
    assert json.loads(text) == value


def test_a_failed_call_is_shown_with_the_end_of_the_log_and_the_error():
    failure = JamError("JAM-FUNCTION-FAILED", "f failed", hint="look", turn=2)
    called = Called(target=TARGET, answer=answered(b"{}", True), seconds=0.5, failure=failure)
    text = called_text(called, with_log=True)
    assert "f: version 3 answered in 0.50 s" in text
    assert "  │ boom\\u001b[2J" in text
    assert "error[JAM-FUNCTION-FAILED]: f failed\nhint: look" in text
    assert document(called)["error"]["code"] == "JAM-FUNCTION-FAILED"


def test_a_call_that_was_well_has_no_error_and_no_log_unless_asked_for():
    called = Called(target=TARGET, answer=answered(b"{}"), seconds=0.5, failure=None)
    assert called_text(called, with_log=False) == "f: version 3 answered in 0.50 s"
    assert "error" not in document(called)


def described(**more: Any) -> Described:
    given: dict[str, Any] = {
        "function": "jam-s--f-1",
        "arn": "arn",
        "version": "3",
        "runtime": "nodejs22.x",
        "handler": "index.handler",
        "architecture": "arm64",
        "memory": 256,
        "timeout": 10,
        "layers": (),
        "code_sha256": "",
        "location": "",
    }
    return Described(**(given | more))


def test_a_container_image_has_no_code_to_fetch(tmp_path):
    with pytest.raises(JamError) as caught:
        get(TARGET, described(), folder=tmp_path / "new", fetch_from=pytest.fail)
    assert caught.value.code == "JAM-FUNCTION-IMAGE"
    assert not (tmp_path / "new").exists()


class Metrics:
    """CloudWatch with two pages of data points; `asked` are the requests."""

    def __init__(self, values: dict[str, list[float]], error: str = "") -> None:
        self.values = values
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> Metrics:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.asked.append(request)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "GetMetricData")
        ids = {query["Id"] for query in request["MetricDataQueries"]}
        halves = [
            {key: found[half::2] for key, found in self.values.items() if key in ids}
            for half in (0, 1)
        ]
        return [
            {"MetricDataResults": [{"Id": key, "Values": found} for key, found in half.items()]}
            for half in halves
        ]


class Account:
    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics

    def clock(self) -> float:
        return NOW + 1800


def deployed(count: int) -> tuple[Deployed, ...]:
    return tuple(
        Deployed(name=f"f{n}", function=f"jam-s--f{n}-1", version="3") for n in range(count)
    )


def test_calls_are_summed_over_all_hours_and_pages_of_the_live_version():
    metrics = Metrics({"invocations0": [100, 20, 3], "errors0": [0, 2, 0], "invocations1": []})
    found = calls(Account(metrics), deployed(2))  # type: ignore[arg-type]  # a double of two members
    assert found == {"f0": Calls(total=123, failed=2), "f1": Calls(total=0, failed=0)}
    query = metrics.asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]
    assert {"Name": "Resource", "Value": "jam-s--f0-1:3"} in query["Dimensions"]
    assert metrics.asked[0]["EndTime"].timestamp() == NOW + 3600


def test_calls_of_a_function_that_streams_are_counted_under_its_alias():
    metrics = Metrics({"invocations0": [4], "errors0": [1]})
    streaming = (replace(deployed(1)[0], streams=True),)
    assert calls(Account(metrics), streaming) == {"f0": Calls(total=4, failed=1)}  # type: ignore[arg-type]  # a double
    asked = metrics.asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert {each["Name"]: each["Value"] for each in asked} == {
        "FunctionName": "jam-s--f0-1",
        "Resource": "jam-s--f0-1:live",
        "ExecutedVersion": "3",
    }


def test_more_functions_than_one_request_takes_are_asked_for_in_several():
    metrics = Metrics({"invocations299": [7]})
    found = calls(Account(metrics), deployed(300))  # type: ignore[arg-type]  # a double
    assert [len(asked["MetricDataQueries"]) for asked in metrics.asked] == [500, 100]
    assert found is not None
    assert found["f299"].total == 7


def test_without_the_right_to_read_metrics_nothing_is_known_and_nothing_fails():
    assert calls(Account(Metrics({}, "AccessDenied")), deployed(1)) is None  # type: ignore[arg-type]  # a double


def test_any_other_refusal_is_an_error():
    with pytest.raises(JamError):
        calls(Account(Metrics({}, "Throttling")), deployed(1))  # type: ignore[arg-type]  # a double


def test_a_site_without_functions_asks_nothing():
    metrics = Metrics({})
    assert calls(Account(metrics), ()) == {}  # type: ignore[arg-type]  # a double
    assert metrics.asked == []


def a_status(found: Described | None, counted: Calls | None, **more: Any) -> Status:
    given: dict[str, Any] = {
        "environment": "production",
        "release": "0123456789abcdef0123456789abcdef",
        "previous": "fedcba98",
        "since": int(NOW) - 7300,
        "origin": Origin(commit="c0ffee" * 6, branch="main", author="ada"),
        "url": "https://d1.cloudfront.net",
        "functions": (),
    }
    function = FunctionStatus(
        deployed=deployed(1)[0], route="/.functions/f0", described=found, calls=counted
    )
    environment = EnvironmentStatus(
        environment=Environment(**(given | more)), functions=(function,) if found else ()
    )
    return Status(site="s", region="eu-west-1", now=NOW, environments=(environment,))


def test_status_says_since_when_and_from_which_commit():
    text = status_text(a_status(described(), Calls(total=0, failed=0)))
    assert "s, production: release 01234567" in text
    assert "live since 2026-11-21 09:58 UTC (2 h ago)" in text
    assert "commit c0ffeec0ffee (main) by ada" in text
    assert "https://d1.cloudfront.net" in text


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (Calls(total=120, failed=3), "3 of 120 calls failed in 24 h (2.5%)"),
        (Calls(total=0, failed=0), "not called in 24 h, so no error rate"),
        (None, "lack cloudwatch:GetMetricData"),
    ],
)
def test_status_says_plainly_what_is_known_of_a_functions_errors(counted, said):
    (line,) = [
        line
        for line in status_text(a_status(described(), counted)).splitlines()
        if "/.functions/f0" in line
    ]
    assert "nodejs22.x" in line
    assert "version 3" in line
    assert said in line


def test_status_says_what_nobody_recorded():
    text = status_text(a_status(None, None, since=0, origin=Origin(), previous=""))
    assert "an unknown time" in text
    assert "no commit on record" in text
    assert "functions  none" in text
    (environment,) = status_document(a_status(None, None, since=0, origin=Origin(), previous=""))[
        "environments"
    ]
    assert environment["since"] is environment["commit"] is environment["previous"] is None


def test_a_version_that_lambda_lost_stands_out():
    function = FunctionStatus(
        deployed=deployed(1)[0], route="/.functions/f0", described=None, calls=None
    )
    status = a_status(described(), None)
    broken = Status(
        site="s",
        region="eu-west-1",
        now=NOW,
        environments=(
            EnvironmentStatus(
                environment=status.environments[0].environment, functions=(function,)
            ),
        ),
    )
    assert "GONE" in status_text(broken)


def test_a_site_that_is_not_deployed_says_so():
    status = Status(site="s", region="eu-west-1", now=NOW, environments=())
    assert status_text(status) == "s: nothing is live in eu-west-1."
    assert status_document(status)["environments"] == []
