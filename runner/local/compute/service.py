"""The service "lambda" as the control plane sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.local.compute.account import Account
from runner.local.compute.aliases import Aliases
from runner.local.compute.desk import Desk
from runner.local.compute.event_configs import EventConfigs
from runner.local.compute.functions import Functions
from runner.local.compute.invoking import Invoker
from runner.local.compute.permissions import Permissions
from runner.local.compute.urls import Urls
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

# What moto has and we do not: it would answer from a store that knows none of our functions.
_NOT_OURS = (
    "AddLayerVersionPermission", "CreateEventSourceMapping", "DeleteEventSourceMapping",
    "DeleteLayerVersion", "GetEventSourceMapping",
    "GetFunctionCodeSigningConfig", "GetLayerVersion",
    "GetLayerVersionPolicy", "InvokeAsync", "ListEventSourceMappings",
    "ListLayerVersions", "ListLayers", "PublishLayerVersion",
    "RemoveLayerVersionPermission", "UpdateEventSourceMapping",

)  # fmt: skip


class Lambda:
    """Operations of six groups under one name."""

    name = "lambda"

    def __init__(self, desk: Desk, invoker: Invoker) -> None:
        self._desk = desk
        self._invoker = invoker
        groups = (Functions, Aliases, Permissions, Urls, Account, EventConfigs)
        self._operations: dict[str, Operation] = dict.fromkeys(_NOT_OURS, _missing)
        for group in groups:
            self._operations |= group(desk).operations()
        self._operations |= invoker.operations()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        """A function that runs may call the control plane itself."""
        return frozenset({"Invoke"})

    def reset(self) -> None:
        gone = list(self._desk.store.functions.values())
        self._desk.store.functions.clear()
        self._invoker.invocations.clear()
        for function in gone:
            self._desk.forget(function)

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of every function that has tags, for the tagging API."""
        for function in self._desk.store.functions.values():
            if function.tags:
                yield function.arn, dict(function.tags)


def _missing(_parameters: Parameters, call: Call) -> Result:
    raise AwsError(
        "NotImplemented",
        f"The embedded cloud does not have lambda:{call.operation}.",
        status=501,
    )
