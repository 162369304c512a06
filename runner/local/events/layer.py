"""What EventBridge refuses of rules and targets and moto would take; and rules' own schedules.

Source: EventBridge API reference, PutRule, PutTargets, Target; user guide, "Amazon EventBridge
quotas", "Creating a scheduled rule (legacy)".
"""

from __future__ import annotations

import contextlib
import functools
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from runner.local.clock import Clock
from runner.local.constraints import check as check_limits
from runner.local.events import expressions, inputs
from runner.local.events.bus import EventBus, stamp
from runner.local.events.service import pattern_of
from runner.local.overlay import Forward
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.timers import Timer
from runner.local.wire import AwsError, Parameters, Response

RULES = 300
TARGETS = 5
_TARGETS = ("lambda", "sqs", "sns", "events")
_PLANNED = ("PutRule", "EnableRule", "DisableRule", "DeleteRule")
# What moto keeps and nothing here acts on.
_NOT_OURS = (
    "CreateArchive", "StartReplay", "CreateConnection", "CreateApiDestination",
    "CreatePartnerEventSource", "PutPartnerEvents",
)  # fmt: skip


class EventsLayer:
    """Around moto's store of rules. `backend` gives moto's events of a region."""

    name = "events"

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        *,
        backend: Callable[[str], Any],
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._backend = backend
        self._lock = lock
        self._planned: dict[tuple[str, str], Timer] = {}

    def reset(self) -> None:
        self._planned.clear()

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        operation, parameters = incoming.operation, incoming.parameters
        if operation in _NOT_OURS:
            raise AwsError("NotImplemented", f"events:{operation} is not emulated.", status=501)
        if operation:
            check_limits("events", operation, parameters)
        region = incoming.caller.region
        if operation == "PutRule":
            self._check_rule(parameters, region)
        if operation == "PutTargets":
            self._check_targets(parameters, region)
        response = forward(incoming)
        if operation in _PLANNED and response.status < 400:
            self._plan(region, parameters["Name"])
        return response

    def _check_rule(self, parameters: Parameters, region: str) -> None:
        if parameters.get("EventPattern"):
            pattern_of(parameters["EventPattern"])
        text = parameters.get("ScheduleExpression")
        if text:
            try:
                once = expressions.parse(text, plural=True).once
            except ValueError:
                once = True
            if once:  # at(...) is Scheduler's alone
                raise _invalid("Parameter ScheduleExpression is not valid.")
        bus = self._backend(region).event_buses.get(_bus(parameters))
        if bus and parameters["Name"] not in bus.rules and len(bus.rules) >= RULES:
            raise _limit()

    def _check_targets(self, parameters: Parameters, region: str) -> None:
        bus = self._backend(region).event_buses.get(_bus(parameters))
        rule = bus.rules.get(parameters["Rule"]) if bus else None
        if rule is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Rule {parameters['Rule']} does not exist on EventBus {_bus(parameters)}.",
            )
        there = {each["Id"] for each in rule.targets}
        if len(there | {each["Id"] for each in parameters["Targets"]}) > TARGETS:
            raise _limit()
        for target in parameters["Targets"]:
            _check_target(target, region)

    def _plan(self, region: str, name: str) -> None:
        before = self._planned.pop((region, name), None)
        if before:
            before.cancel()
        rule = self._backend(region).event_buses["default"].rules.get(name)
        if rule is not None and rule.scheduled_expression and rule.state != "DISABLED":
            now = self._clock.now()
            self._next(region, rule, begin=now, after=now)

    def _next(self, region: str, rule: Any, *, begin: float, after: float) -> None:
        expression = expressions.parse(rule.scheduled_expression, plural=True)
        due = expression.due(after, begin)
        if due is not None:
            fire = functools.partial(self._due, region, rule, begin=begin, due=due)
            self._planned[region, rule.name] = self._clock.timers.at(due, fire)

    def _due(self, region: str, rule: Any, *, begin: float, due: float) -> None:
        with self._lock():
            self._next(region, rule, begin=begin, after=due)
        if self._clock.timers.live:
            self._bus.trigger(rule, {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": stamp(due),
                "region": region,
                "resources": [rule.arn],
                "detail": {},
            })  # fmt: skip


def _check_target(target: Mapping[str, Any], region: str) -> None:
    arn, name = str(target["Arn"]), target["Id"]
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn":
        raise _invalid(
            f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        )
    if parts[2] not in _TARGETS:
        raise AwsError("NotImplemented", f"Targets like {arn} are not emulated.", status=501)
    if parts[3] != region and parts[2] != "events":
        raise _invalid(f"Parameter {arn} is not valid. Reason: ARN is in another region.")
    _check_input(target, name)
    dead = (target.get("DeadLetterConfig") or {}).get("Arn")
    if dead and (f":sqs:{region}:" not in dead or dead.endswith(".fifo")):
        raise _invalid(f"Dead-letter target {dead} must be a standard queue of the rule's region.")


def _check_input(target: Mapping[str, Any], name: str) -> None:
    given = [each for each in ("Input", "InputPath", "InputTransformer") if target.get(each)]
    if len(given) > 1:
        raise _invalid(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if target.get("Input"):
        try:
            json.loads(target["Input"])
        except ValueError:
            raise _invalid(f"JSON syntax error in input for target {name}.") from None
    paths = [target["InputPath"]] if target.get("InputPath") else []
    paths += ((target.get("InputTransformer") or {}).get("InputPathsMap") or {}).values()
    for path in paths:
        if not inputs.is_path(path):
            raise _invalid(f"Invalid InputPath for target {name}.")


def _bus(parameters: Parameters) -> str:
    return (parameters.get("EventBusName") or "default").rpartition("/")[2]


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _limit() -> AwsError:
    return AwsError(
        "LimitExceededException", "The requested resource exceeds the maximum number allowed."
    )
