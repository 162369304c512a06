"""Operations on how a function's asynchronous events are handled: retries, age, destinations.

Source: Lambda API reference, PutFunctionEventInvokeConfig and its four neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.local.compute import views
from runner.local.compute.desk import Desk
from runner.local.compute.reference import absent, invalid, version_of
from runner.local.compute.settings import within
from runner.local.compute.store import LATEST, Function
from runner.local.letters import Sender
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_RETRIES = range(3)
_AGES = range(60, 21_601)  # seconds
_NAMES = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
# What a role needs to send to a destination.
# Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations".
_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}


class EventConfigs:
    """Operations by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutFunctionEventInvokeConfig": self.put,
            "UpdateFunctionEventInvokeConfig": self.update,
            "GetFunctionEventInvokeConfig": self.get,
            "DeleteFunctionEventInvokeConfig": self.delete,
            "ListFunctionEventInvokeConfigs": self.list,
        }

    def put(self, parameters: Parameters, call: Call) -> Result:
        function, qualifier = self._named(parameters, call)
        return self._keep(function, qualifier, given=_given(parameters))

    def update(self, parameters: Parameters, call: Call) -> Result:
        function, qualifier = self._named(parameters, call)
        before = self._kept(function, qualifier)
        return self._keep(function, qualifier, given=_given(parameters), before=before)

    def get(self, parameters: Parameters, call: Call) -> Result:
        function, qualifier = self._named(parameters, call)
        return _view(function, qualifier, self._kept(function, qualifier))

    def delete(self, parameters: Parameters, call: Call) -> Result:
        function, qualifier = self._named(parameters, call)
        self._kept(function, qualifier)
        del function.event_configs[qualifier]
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        shown = [
            _view(function, qualifier, config)
            for qualifier, config in sorted(function.event_configs.items())
        ]
        return views.page(shown, parameters, under="FunctionEventInvokeConfigs")

    def _named(self, parameters: Parameters, call: Call) -> tuple[Function, str]:
        function, wanted = self._desk.find(parameters, call)
        qualifier = wanted.qualifier or LATEST
        try:
            version_of(function, qualifier)
        except AwsError:
            raise absent(f"The function {function.qualified(qualifier)} doesn't exist.") from None
        return function, qualifier

    def _kept(self, function: Function, qualifier: str) -> dict[str, Any]:
        found = function.event_configs.get(qualifier)
        if found is None:
            arn = function.qualified(qualifier)
            raise absent(f"The function {arn} doesn't have an EventInvokeConfig")
        return found

    def _keep(
        self,
        function: Function,
        qualifier: str,
        *,
        given: dict[str, Any],
        before: Mapping[str, Any] | None = None,
    ) -> Result:
        role = version_of(function, qualifier).settings["Role"]
        self._check_destinations(given.get("DestinationConfig") or {}, function, role=role)
        config = {**(before or {}), **given, "LastModified": self._desk.clock.now()}
        function.event_configs[qualifier] = config
        return _view(function, qualifier, config)

    def _check_destinations(
        self, config: Mapping[str, Any], function: Function, *, role: str
    ) -> None:
        for side in ("OnSuccess", "OnFailure"):
            arn = (config.get(side) or {}).get("Destination")
            if arn:
                _check_form(arn, config)
                if not self._desk.outlet().exists(arn):
                    raise invalid(f"The destination ARN {arn} is invalid.")
                self._check_role(arn, Sender(role=role, source=function.arn))

    def _check_role(self, arn: str, sender: Sender) -> None:
        action = _ACTIONS[arn.split(":")[2]]
        if not self._desk.outlet().may(arn, action, sender=sender):
            name = action.partition(":")[2]
            raise invalid(
                f"The function's execution role does not have permissions to call {name} on {arn}"
            )


def _given(parameters: Parameters) -> dict[str, Any]:
    """What the call names. Raises AwsError for what is out of its range, and if it is nothing."""
    given = {name: parameters[name] for name in _NAMES if parameters.get(name) is not None}
    if not given:
        raise invalid("You must specify at least one of error handling or destination setting.")
    within("maximumRetryAttempts", given.get("MaximumRetryAttempts"), _RETRIES)
    within("maximumEventAgeInSeconds", given.get("MaximumEventAgeInSeconds"), _AGES)
    return given


def _check_form(arn: str, config: Mapping[str, Any]) -> None:
    kind = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if kind == "s3":
        raise AwsError("NotImplemented", "S3 as a destination is not emulated.", status=501)
    if kind not in _ACTIONS:
        sides = (("onSuccess", "OnSuccess"), ("onFailure", "OnFailure"))
        told = ", ".join(
            f"{name}={side}(destination={config[side]['Destination']})"
            if (config.get(side) or {}).get("Destination") else f"{name}=null"
            for name, side in sides
        )  # fmt: skip
        raise invalid(f"The provided destination config DestinationConfig({told}) is invalid.")


def _view(function: Function, qualifier: str, config: Mapping[str, Any]) -> Result:
    destinations = {"OnSuccess": {}, "OnFailure": {}, **(config.get("DestinationConfig") or {})}
    return {
        **config,
        "FunctionArn": function.qualified(qualifier),
        "DestinationConfig": destinations,
    }
