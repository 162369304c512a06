"""Operations on APIs and their tags.

Source: API Gateway V2 API reference, "Apis", "Tags"; developer guide, "Create an HTTP API".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from urllib.parse import unquote

from runner.local.compute.http_api.authorizers import new_authorizer
from runner.local.compute.http_api.cors import check_cors
from runner.local.compute.http_api.imported import Imported, read
from runner.local.compute.http_api.refusals import ApiDesk, absent, bad, missing, moment, page
from runner.local.compute.http_api.routes import integration_settings, new_route
from runner.local.compute.http_api.stages import deploy, new_stage
from runner.local.compute.http_api.store import DEFAULT_STAGE, Api, Settings
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_KEPT = ("Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint",
         "IpAddressType", "RouteSelectionExpression", "ApiKeySelectionExpression")  # fmt: skip


_OF_ROUTES = {"JWT": "JWT", "REQUEST": "CUSTOM"}  # the authorization type, by the authorizer's


class ApiOperations:
    """Operations by name."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateApi": self.create,
            "ImportApi": self.bring,
            "ReimportApi": self.bring_again,
            "GetApi": self.get,
            "GetApis": self.list,
            "UpdateApi": self.update,
            "DeleteApi": self.delete,
            "DeleteCorsConfiguration": self.delete_cors,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "GetTags": self.tags,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        if parameters.get("ProtocolType") != "HTTP":
            raise missing("Protocols other than HTTP")
        api = self._made(call, _given(parameters), dict(parameters.get("Tags") or {}))
        if parameters.get("Target"):
            self._quick(api, parameters)
        return view(api)

    def bring(self, parameters: Parameters, call: Call) -> Result:
        imported = read(parameters)
        api = self._made(call, {**imported.settings}, dict(imported.tags))
        try:
            self._fill(api, imported)
        except AwsError:
            del self._desk.apis.apis[api.identity]
            raise
        return view(api) | _warned(imported)

    def bring_again(self, parameters: Parameters, call: Call) -> Result:
        """Overwrites the definition; deployments and stages stay as they are."""
        api = self._desk.find(parameters, call.region)
        imported = read(parameters)
        kept: Settings = {key: api.settings[key] for key in ("RouteSelectionExpression",
                "ApiKeySelectionExpression", "DisableExecuteApiEndpoint", "IpAddressType",
                "ProtocolType") if key in api.settings}  # fmt: skip
        before = (api.settings, api.routes, api.integrations, api.authorizers)
        api.settings = {**kept, **imported.settings}
        api.routes, api.integrations, api.authorizers = {}, {}, {}
        try:
            self._fill(api, imported)
        except AwsError:
            api.settings, api.routes, api.integrations, api.authorizers = before
            raise
        api.tags |= imported.tags
        return view(api) | _warned(imported)

    def get(self, parameters: Parameters, call: Call) -> Result:
        return view(self._desk.find(parameters, call.region))

    def list(self, parameters: Parameters, call: Call) -> Result:
        return page([view(each) for each in self._desk.apis.of(call.region)], parameters)

    def update(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        api.settings |= _given(parameters)
        return view(api)

    def delete(self, parameters: Parameters, call: Call) -> Result:
        del self._desk.apis.apis[self._desk.find(parameters, call.region).identity]
        return {}

    def delete_cors(self, parameters: Parameters, call: Call) -> Result:
        self._desk.find(parameters, call.region).settings.pop("CorsConfiguration", None)
        return {}

    def tag(self, parameters: Parameters, call: Call) -> Result:
        self._tags_of(parameters, call).update(parameters.get("Tags") or {})
        return {}

    def untag(self, parameters: Parameters, call: Call) -> Result:
        tags = self._tags_of(parameters, call)
        for key in parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    def tags(self, parameters: Parameters, call: Call) -> Result:
        return {"Tags": dict(self._tags_of(parameters, call))}

    def _tags_of(self, parameters: Parameters, call: Call) -> dict[str, str]:
        arn = unquote(parameters["ResourceArn"])
        for api in self._desk.apis.of(call.region):
            for name, stage in api.stages.items():
                if arn == f"{api.arn}/stages/{name}":
                    return stage.tags
            if arn == api.arn:
                return api.tags
        raise absent(f"Invalid resource ARN specified {arn}")

    def _made(self, call: Call, settings: Settings, tags: dict[str, str]) -> Api:
        if not settings.get("Name"):
            raise bad("Name is required")
        defaults = {
            "ProtocolType": "HTTP",
            "RouteSelectionExpression": "$request.method $request.path",
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
        }
        api = Api(
            identity=self._desk.ids.lower(10),
            region=call.region,
            settings={**defaults, **settings},
            tags=tags,
            created=self._desk.clock.now(),
        )
        self._desk.apis.apis[api.identity] = api
        return api

    def _fill(self, api: Api, imported: Imported) -> None:
        identities = [self._integration(api, each) for each in imported.integrations]
        authorizers = {
            name: new_authorizer(self._desk, api, each)
            for name, each in imported.authorizers.items()
        }
        for route in imported.routes:
            number = route.integration
            guard = authorizers.get(route.authorizer, {})
            given = {
                "RouteKey": route.key,
                "OperationName": route.operation,
                "Target": "" if number is None else f"integrations/{identities[number]}",
                "AuthorizationType": _OF_ROUTES.get(guard.get("AuthorizerType", ""), ""),
                "AuthorizerId": guard.get("AuthorizerId", ""),
                "AuthorizationScopes": list(route.scopes),
            }
            new_route(self._desk, api, {name: value for name, value in given.items() if value})
        self._desk.changed(api)

    def _integration(self, api: Api, settings: Settings) -> str:
        identity = self._desk.ids.lower(7)
        api.integrations[identity] = {**settings, "IntegrationId": identity}
        return identity

    def _quick(self, api: Api, parameters: Parameters) -> None:
        """Source: developer guide, "Create an HTTP API by using the AWS CLI", quick create."""
        settings = integration_settings({
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": parameters["Target"],
            "PayloadFormatVersion": "2.0",
            "CredentialsArn": parameters.get("CredentialsArn"),
        })  # fmt: skip
        target = f"integrations/{self._integration(api, settings)}"
        key = parameters.get("RouteKey") or "$default"
        new_route(self._desk, api, {"RouteKey": key, "Target": target})
        stage = new_stage(self._desk, api, {"StageName": DEFAULT_STAGE, "AutoDeploy": True})
        stage.deployment = deploy(self._desk, api, automatic=True).identity


def view(api: Api) -> Result:
    return copy.deepcopy(api.settings) | {
        "ApiId": api.identity,
        "ApiEndpoint": f"https://{api.host}",
        "CreatedDate": moment(api.created),
        "Tags": dict(api.tags),
    }


def _given(parameters: Parameters) -> Settings:
    check_cors(parameters.get("CorsConfiguration"))
    return {key: parameters[key] for key in _KEPT if parameters.get(key) is not None}


def _warned(imported: Imported) -> Result:
    return {"Warnings": list(imported.warnings)} if imported.warnings else {}
