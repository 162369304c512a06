"""Operations on aliases and their weights.

Source: Lambda developer guide, "Create an alias for a Lambda function" and "Implement Lambda canary
deployments using a weighted alias".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.local.compute import views
from runner.local.compute.desk import Desk
from runner.local.compute.reference import ALIAS, absent, conflict, invalid
from runner.local.compute.store import LATEST, Alias, Function, Version
from runner.local.wire import Call, Operation, Parameters, Result

# Both versions must share these. Source: the second page above.
_SHARED = ("Role", "DeadLetterConfig")


class Aliases:
    """Operations by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateAlias": self.create,
            "GetAlias": self.get,
            "UpdateAlias": self.update,
            "DeleteAlias": self.delete,
            "ListAliases": self.list,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        name = parameters["Name"]
        if not ALIAS.fullmatch(name):
            raise invalid(f"Value '{name}' at 'name' failed to satisfy constraint: Member must "
                          "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
                          code="ValidationException")  # fmt: skip
        if name in function.aliases:
            raise conflict(f"Alias already exists: {function.qualified(name)}")
        weights = _weights(parameters.get("RoutingConfig"))
        _check(function, parameters["FunctionVersion"], weights)
        made = Alias(
            name=name,
            version=parameters["FunctionVersion"],
            description=parameters.get("Description") or "",
            weights=weights,
            revision=self._desk.ids.uuid(),
        )
        function.aliases[name] = made
        return views.alias(function, made)

    def get(self, parameters: Parameters, call: Call) -> Result:
        function, alias = self._find(parameters, call)
        return views.alias(function, alias)

    def update(self, parameters: Parameters, call: Call) -> Result:
        function, alias = self._find(parameters, call)
        self._desk.same_revision(parameters, alias.revision)
        version = parameters.get("FunctionVersion") or alias.version
        given = parameters.get("RoutingConfig")
        weights = alias.weights if given is None else _weights(given)
        _check(function, version, weights)
        alias.version = version
        alias.weights = weights
        alias.description = parameters.get("Description", alias.description)
        alias.revision = self._desk.ids.uuid()
        return views.alias(function, alias)

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """Answers well for an alias that is not there, as AWS does."""
        function, _ = self._desk.find(parameters, call)
        name = parameters["Name"]
        function.aliases.pop(name, None)
        function.urls.pop(name, None)
        function.policies.pop(name, None)
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        wanted = parameters.get("FunctionVersion")
        shown = [
            views.alias(function, each)
            for _, each in sorted(function.aliases.items())
            if wanted in (None, "", each.version, *each.weights)
        ]
        return views.page(shown, parameters, under="Aliases")

    def _find(self, parameters: Parameters, call: Call) -> tuple[Function, Alias]:
        function, _ = self._desk.find(parameters, call)
        alias = function.aliases.get(parameters["Name"])
        if alias is None:
            raise absent(f"Cannot find alias arn: {function.qualified(parameters['Name'])}")
        return function, alias


def _weights(routing: dict[str, Any] | None) -> dict[str, float]:
    given = (routing or {}).get("AdditionalVersionWeights") or {}
    return {number: float(weight) for number, weight in given.items()}


def _check(function: Function, number: str, weights: dict[str, float]) -> None:
    primary = _existing(function, number)
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, weight in weights.items():
        if not 0 <= weight <= 1:
            raise invalid(f"Invalid weight {weight} in AdditionalVersionWeights: 0.0 to 1.0",
                          code="ValidationException")  # fmt: skip
        if LATEST in (number, other):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if other == number:
            raise invalid(f"Invalid function version {other}. Function version {other} is already "
                          "included in routing configuration.")  # fmt: skip
        second = _existing(function, other)
        for shared in _SHARED:
            if primary.settings.get(shared) != second.settings.get(shared):
                raise invalid(f"The versions of an alias must have the same {shared}.")


def _existing(function: Function, number: str) -> Version:
    found = function.version(number)
    if found is None:
        raise absent(f"Function not found: {function.qualified(number)}")
    return found
