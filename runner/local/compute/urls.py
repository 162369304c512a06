"""Operations on function URLs: one for `$LATEST`, one for each alias.

Source: Lambda API reference, CreateFunctionUrlConfig, "Qualifier: The alias name".
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.compute import views
from runner.local.compute.desk import Desk
from runner.local.compute.reference import NUMBER, absent, conflict, invalid
from runner.local.compute.store import LATEST, Function, Url
from runner.local.wire import Call, Operation, Parameters, Result

_AUTH = ("AWS_IAM", "NONE")
_MODES = ("BUFFERED", "RESPONSE_STREAM")


class Urls:
    """Operations by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateFunctionUrlConfig": self.create,
            "GetFunctionUrlConfig": self.get,
            "UpdateFunctionUrlConfig": self.update,
            "DeleteFunctionUrlConfig": self.delete,
            "ListFunctionUrlConfigs": self.list,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        function, qualifier = self._named(parameters, call)
        if qualifier in function.urls:
            raise conflict(f"Failed to create function url config for [functionArn = "
                           f"{function.qualified(qualifier)}]. Error message: "
                           "FunctionUrlConfig exists for this Lambda function")  # fmt: skip
        now = self._desk.clock.now()
        made = Url(
            identity=self._desk.ids.lower(32),
            qualifier=qualifier,
            settings={"AuthType": _one_of(parameters, "AuthType", _AUTH), "InvokeMode": "BUFFERED"},
            created=now,
            modified=now,
        )
        _apply(made, parameters)
        function.urls[qualifier] = made
        return views.url(function, made)

    def get(self, parameters: Parameters, call: Call) -> Result:
        function, url = self._find(parameters, call)
        return views.url(function, url)

    def update(self, parameters: Parameters, call: Call) -> Result:
        function, url = self._find(parameters, call)
        _apply(url, parameters)
        url.modified = self._desk.clock.now()
        return views.url(function, url)

    def delete(self, parameters: Parameters, call: Call) -> Result:
        function, url = self._find(parameters, call)
        del function.urls[url.qualifier]
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        shown = [views.url(function, each) for _, each in sorted(function.urls.items())]
        return views.page(shown, parameters, under="FunctionUrlConfigs")

    def _named(self, parameters: Parameters, call: Call) -> tuple[Function, str]:
        function, wanted = self._desk.find(parameters, call)
        qualifier = "" if wanted.qualifier == LATEST else wanted.qualifier
        if NUMBER.fullmatch(qualifier):
            raise invalid(
                f"Value '{qualifier}' at 'qualifier' failed to satisfy constraint: Member must "
                r"satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
                code="ValidationException",
            )
        if qualifier and qualifier not in function.aliases:
            raise absent(f"Function does not exist: {function.qualified(qualifier)}")
        return function, qualifier

    def _find(self, parameters: Parameters, call: Call) -> tuple[Function, Url]:
        function, qualifier = self._named(parameters, call)
        if qualifier not in function.urls:
            raise absent("The resource you requested does not exist.")
        return function, function.urls[qualifier]


def _apply(url: Url, parameters: Parameters) -> None:
    if parameters.get("AuthType"):
        url.settings["AuthType"] = _one_of(parameters, "AuthType", _AUTH)
    if parameters.get("InvokeMode"):
        url.settings["InvokeMode"] = _one_of(parameters, "InvokeMode", _MODES)
    if parameters.get("Cors") is not None:
        url.settings["Cors"] = parameters["Cors"]
        if not parameters["Cors"]:  # nothing is configured any more
            del url.settings["Cors"]


def _one_of(parameters: Parameters, name: str, allowed: tuple[str, ...]) -> str:
    value = str(parameters.get(name))
    if value not in allowed:
        raise invalid(f"Value '{value}' at '{name}' failed to satisfy constraint: Member must "
                      f"satisfy enum value set: [{', '.join(allowed)}]",
                      code="ValidationException")  # fmt: skip
    return value
