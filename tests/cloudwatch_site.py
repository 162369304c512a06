"""What tests of CloudWatch share: its operations without a cloud, on a clock moved by hand."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from runner.local.clock import Clock
from runner.local.cloudwatch import Settings, Store
from runner.local.cloudwatch.actions import Actions
from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.alarms import Alarms
from runner.local.cloudwatch.describing import Describing
from runner.local.cloudwatch.history import History
from runner.local.cloudwatch.publishing import Publishing
from runner.local.cloudwatch.reading import Reading
from runner.local.letters import Letter, Sender, UndeliveredError
from runner.local.wire import AwsError, Call

REGION = "eu-west-1"
ACCOUNT = "123456789012"
BEGIN = 1_800_000_000  # a whole hour


class Sent:
    """What alarms told topics, functions and the event bus."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str, str]] = []
        self.calls: list[tuple[str, str]] = []
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def publish(self, arn: str, subject: str, message: str, _sender: Sender) -> None:
        if arn.endswith(":absent"):
            raise UndeliveredError("NotFound", "Topic does not exist")
        self.notices.append((arn, subject, message))

    def emit(self, _alarm: Alarm, _source: str, kind: str, detail: Mapping[str, Any]) -> None:
        self.events.append((kind, detail))

    def send(self, arn: str, letter: Letter, *, sender: Sender) -> None:
        assert sender.service == "lambda.alarms.cloudwatch.amazonaws.com"
        self.calls.append((arn, letter.body))


class Plane:
    """CloudWatch's operations, called with dicts as moto's engine calls them."""

    def __init__(self) -> None:
        self.clock = Clock(start=BEGIN)
        self.clock.jump(BEGIN)
        self.settings = Settings()
        self.store = Store(self.clock.now, self.settings)
        self.sent = Sent()
        history = History(self.clock.now)
        actions = Actions(
            account=ACCOUNT,
            history=history,
            outlet=lambda: self.sent,  # type: ignore[arg-type,return-value]  # a double of one of its questions
            publish=self.sent.publish,
            emit=self.sent.emit,
        )
        self.alarms = Alarms(
            account=ACCOUNT,
            clock=self.clock,
            store=self.store,
            history=history,
            actions=actions,
            lock=contextlib.nullcontext,
        )
        self.operations: dict[str, Any] = {}
        for group in (
            Publishing(self.store, self.clock.now),
            Reading(self.store, self.clock.now),
            self.alarms,
            Describing(self.alarms, history),
        ):
            self.operations |= group.operations()

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        call = Call(
            service="cloudwatch", operation=operation, account=ACCOUNT, region=REGION,
            access_key="test",
        )  # fmt: skip
        answer: dict[str, Any] = self.operations[operation](parameters, call)
        return answer

    def refusal(self, operation: str, **parameters: Any) -> str:
        with pytest.raises(AwsError) as caught:
            self(operation, **parameters)
        return caught.value.code

    def wait(self, seconds: float) -> None:
        """Moves the clock; what falls due meanwhile happens, each at its moment."""
        self.clock.jump(self.clock.now() + seconds)

    def datum(self, value: float = 1, name: str = "errors", **more: Any) -> None:
        datum = {"MetricName": name, "Value": value} | more
        self("PutMetricData", Namespace="jam", MetricData=[datum])

    def alarm(self, name: str = "a", **more: Any) -> None:
        given: dict[str, Any] = {
            "AlarmName": name,
            "Namespace": "jam",
            "MetricName": "errors",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        asked = {key: value for key, value in (given | more).items() if value is not None}
        self("PutMetricAlarm", **asked)

    def shown(self, name: str = "a") -> dict[str, Any]:
        found: list[dict[str, Any]] = self("DescribeAlarms", AlarmNames=[name])["MetricAlarms"]
        return found[0]

    def state(self, name: str = "a") -> str:
        return str(self.shown(name)["StateValue"])

    def until(self, state: str, *, within: float = 600, name: str = "a") -> float:
        """Seconds until the alarm is in the state."""
        begun = self.clock.now()
        while self.state(name) != state:
            assert self.clock.now() < begun + within, f"not {state} after {within} s"
            self.wait(1)
        return self.clock.now() - begun


def stat(name: str = "errors", **more: Any) -> dict[str, Any]:
    """A MetricStat of the namespace that `Plane.datum` uses."""
    return {
        "Metric": {"Namespace": "jam", "MetricName": name, "Dimensions": []},
        "Period": 60,
        "Stat": "Sum",
    } | more
