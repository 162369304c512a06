"""Operations on routes and integrations, and what may be one.

Source: API Gateway developer guide, "Create routes for HTTP APIs in API Gateway" and "Create AWS
Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from runner.local.compute.http_api.authorizers import check_authorization
from runner.local.compute.http_api.mapping import OF_ANSWER, TARGET
from runner.local.compute.http_api.refusals import ApiDesk, absent, bad, conflict, missing, page
from runner.local.compute.http_api.store import Api, Settings, target_of
from runner.local.quotas import API_INTEGRATIONS, API_ROUTES
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_SEGMENT = re.compile(r"\{[A-Za-z0-9._-]+\}|[^{}/]*")
_GREEDY = re.compile(r"\{[A-Za-z0-9._-]+\+\}")
_FUNCTION = re.compile(
    r"(?:arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<arn>arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_.:${}]+?)(?:/invocations)?"
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_TIMEOUT = range(50, 30_001)  # milliseconds
_INTEGRATION = (
    "IntegrationType", "IntegrationUri", "IntegrationMethod", "CredentialsArn", "Description",
    "ConnectionType", "PayloadFormatVersion", "RequestParameters", "ResponseParameters",
    "TimeoutInMillis",
)  # fmt: skip
_ROUTE = ("RouteKey", "Target", "OperationName", "AuthorizationType", "ApiKeyRequired",
          "AuthorizationScopes", "AuthorizerId")  # fmt: skip


class RouteOperations:
    """Operations by name."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateRoute": self.create_route,
            "GetRoute": self.get_route,
            "GetRoutes": self.list_routes,
            "UpdateRoute": self.update_route,
            "DeleteRoute": self.delete_route,
            "CreateIntegration": self.create_integration,
            "GetIntegration": self.get_integration,
            "GetIntegrations": self.list_integrations,
            "UpdateIntegration": self.update_integration,
            "DeleteIntegration": self.delete_integration,
        }

    def create_route(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        made = new_route(self._desk, api, _picked(parameters, _ROUTE))
        self._desk.changed(api)
        return copy.deepcopy(made)

    def get_route(self, parameters: Parameters, call: Call) -> Result:
        return copy.deepcopy(self._route(parameters, call)[1])

    def list_routes(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return page(copy.deepcopy(list(api.routes.values())), parameters)

    def update_route(self, parameters: Parameters, call: Call) -> Result:
        api, route = self._route(parameters, call)
        given = _picked(parameters, _ROUTE)
        _check_route(api, {**route, **given}, itself=route)
        route.update(given)
        self._desk.changed(api)
        return copy.deepcopy(route)

    def delete_route(self, parameters: Parameters, call: Call) -> Result:
        api, route = self._route(parameters, call)
        del api.routes[route["RouteId"]]
        self._desk.changed(api)
        return {}

    def create_integration(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        _within(API_INTEGRATIONS.limit, len(api.integrations), "integrations")
        settings = integration_settings(_picked(parameters, _INTEGRATION))
        identity = self._desk.ids.lower(7)
        api.integrations[identity] = {**settings, "IntegrationId": identity}
        return copy.deepcopy(api.integrations[identity])

    def get_integration(self, parameters: Parameters, call: Call) -> Result:
        return copy.deepcopy(self._integration(parameters, call)[1])

    def list_integrations(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return page(copy.deepcopy(list(api.integrations.values())), parameters)

    def update_integration(self, parameters: Parameters, call: Call) -> Result:
        api, integration = self._integration(parameters, call)
        changed = integration_settings({**integration, **_picked(parameters, _INTEGRATION)})
        integration.update(changed)
        self._desk.changed(api)
        return copy.deepcopy(integration)

    def delete_integration(self, parameters: Parameters, call: Call) -> Result:
        api, integration = self._integration(parameters, call)
        identity = integration["IntegrationId"]
        if any(target_of(route) == identity for route in api.routes.values()):
            raise conflict("Cannot delete Integration: it is referenced by a route.")
        del api.integrations[identity]
        return {}

    def _route(self, parameters: Parameters, call: Call) -> tuple[Api, Settings]:
        api = self._desk.find(parameters, call.region)
        if parameters["RouteId"] not in api.routes:
            raise absent(f"Invalid Route identifier specified {parameters['RouteId']}")
        return api, api.routes[parameters["RouteId"]]

    def _integration(self, parameters: Parameters, call: Call) -> tuple[Api, Settings]:
        api = self._desk.find(parameters, call.region)
        identity = parameters["IntegrationId"]
        if identity not in api.integrations:
            raise absent(f"Invalid Integration identifier specified {identity}")
        return api, api.integrations[identity]


def new_route(desk: ApiDesk, api: Api, given: Settings) -> Settings:
    """Adds a route, or raises what API Gateway would."""
    _within(API_ROUTES.limit, len(api.routes), "routes")
    _check_route(api, given)
    identity = desk.ids.lower(7)
    defaults = {"AuthorizationType": "NONE", "ApiKeyRequired": False}
    api.routes[identity] = {**defaults, **given, "RouteId": identity}
    return api.routes[identity]


def _check_route(api: Api, route: Settings, *, itself: Settings | None = None) -> None:
    key = route["RouteKey"]
    check_route_key(key)
    check_authorization(api, route)
    if any(each["RouteKey"] == key for each in api.routes.values() if each is not itself):
        raise conflict(f"Route with key {key} already exists for this API")
    if route.get("Target") and target_of(route) not in api.integrations:
        raise bad(f"Invalid integration identifier specified {route['Target']}")


def check_route_key(key: str) -> None:
    """`$default`, or a method and a path whose last segment may be greedy."""
    if key == "$default":
        return
    method, _, path = key.partition(" ")
    *inner, last = path.removeprefix("/").split("/")
    well = (
        method in _METHODS
        and path.startswith("/")
        and all(_SEGMENT.fullmatch(each) for each in inner)
        and (_SEGMENT.fullmatch(last) or _GREEDY.fullmatch(last))
    )
    if not well:
        raise bad(f"The provided route key is not formatted properly for HTTP protocol: {key}")


def integration_settings(given: Settings) -> Settings:
    """A Lambda proxy integration with the defaults, or what API Gateway would raise."""
    if str(given.get("IntegrationType", "")).upper() != "AWS_PROXY":
        raise missing("Integrations other than AWS_PROXY")
    if given.get("PayloadFormatVersion") != "2.0":
        if given.get("PayloadFormatVersion") == "1.0":
            raise missing("Integrations with payload format 1.0")
        raise bad("PayloadFormatVersion is a required parameter for integration")
    if not _FUNCTION.fullmatch(given.get("IntegrationUri") or ""):
        raise bad("Invalid Lambda function ARN specified in the integration URI")
    role = given.get("CredentialsArn")
    if role and not _ROLE.fullmatch(role):
        raise bad(f"Invalid ARN specified for credentials: {role}")
    timeout = int(given.get("TimeoutInMillis") or _TIMEOUT[-1])
    if timeout not in _TIMEOUT:
        raise bad("Timeout should be between 50 ms and 30000 ms")
    for name in given.get("RequestParameters") or {}:
        if not TARGET.fullmatch(name):
            raise bad(f"Invalid mapping expression specified: {name}")
    _check_answers(given.get("ResponseParameters") or {})
    told = {key: value for key, value in given.items() if value is not None}
    return {
        "ConnectionType": "INTERNET",
        "IntegrationMethod": "POST",
        **told,
        "IntegrationType": "AWS_PROXY",
        "TimeoutInMillis": timeout,
    }


def _check_answers(mappings: Mapping[str, Mapping[str, str]]) -> None:
    """Source: API Gateway V2 API reference, Integration, responseParameters."""
    for status, targets in mappings.items():
        if not (status.isdecimal() and 200 <= int(status) <= 599):
            raise bad(f"Invalid status code specified for response parameters: {status}")
        for target, value in targets.items():
            if target == "overwrite.statuscode" or "$" in value:
                raise missing("Response parameters other than headers with a static value")
            if not OF_ANSWER.fullmatch(target):
                raise bad(f"Invalid mapping expression specified: {target}")


def function_arn(integration: Settings, variables: Mapping[str, str]) -> str:
    """The (qualified) function that an integration calls; stage variables filled in."""
    found = _FUNCTION.fullmatch(integration["IntegrationUri"])
    arn = found["arn"] if found else ""
    return re.sub(r"\$\{stageVariables\.(\w+)\}", lambda m: variables.get(m[1], ""), arn)


def _picked(parameters: Parameters, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: parameters[name] for name in names if parameters.get(name) is not None}


def _within(limit: int, count: int, what: str) -> None:
    if count >= limit:
        raise AwsError("BadRequestException", f"Maximum number of {what} for this API reached.")
