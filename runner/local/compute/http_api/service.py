"""The service "apigatewayv2" as the control plane sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.local.compute.http_api.apis import ApiOperations
from runner.local.compute.http_api.authorizers import AuthorizerOperations
from runner.local.compute.http_api.refusals import ApiDesk, missing
from runner.local.compute.http_api.routes import RouteOperations
from runner.local.compute.http_api.stages import StageOperations
from runner.local.wire import Call, Operation, Parameters, Result

# What moto has and we do not: it would answer from a store that knows none of our APIs.
_NOT_OURS = (
    "CreateApiMapping", "CreateDomainName", "CreateIntegrationResponse",
    "CreateModel", "CreateRouteResponse", "CreateVpcLink", "DeleteApiMapping",
    "DeleteDomainName", "DeleteIntegrationResponse", "DeleteModel", "DeleteRouteRequestParameter",
    "DeleteRouteResponse", "DeleteVpcLink", "GetApiMapping", "GetApiMappings",
    "GetDomainName", "GetDomainNames", "GetIntegrationResponse", "GetIntegrationResponses",
    "GetModel", "GetRouteResponse", "GetVpcLink", "GetVpcLinks",
    "UpdateIntegrationResponse", "UpdateModel", "UpdateVpcLink",
)  # fmt: skip


class ApiGateway:
    """Operations of four groups under one name."""

    name = "apigatewayv2"

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk
        self._operations: dict[str, Operation] = dict.fromkeys(_NOT_OURS, _missing)
        for group in (ApiOperations, AuthorizerOperations, RouteOperations, StageOperations):
            self._operations |= group(desk).operations()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        self._desk.apis.apis.clear()
        self._desk.tokens.clear()

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of every API and stage that has tags, for the tagging API."""
        for api in self._desk.apis.apis.values():
            if api.tags:
                yield api.arn, dict(api.tags)
            for stage in api.stages.values():
                if stage.tags:
                    yield f"{api.arn}/stages/{stage.name}", dict(stage.tags)


def _missing(_parameters: Parameters, call: Call) -> Result:
    raise missing(call.operation)
