"""Operations on JWT authorizers, and what may be one.

Sources: API Gateway V2 API reference, "Authorizers"; developer guide, "Control access to HTTP APIs
with JWT authorizers in API Gateway".
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from runner.execution.tokens import IssuerError
from runner.local.compute.http_api.refusals import ApiDesk, absent, bad, missing, page
from runner.local.compute.http_api.store import Api, Settings
from runner.local.quotas import API_AUDIENCES, API_AUTHORIZERS, API_SCOPES
from runner.local.wire import Call, Operation, Parameters, Result

_SOURCE = re.compile(r"\$request\.(?:header|querystring)\.[A-Za-z0-9_-]+")
_GIVEN = ("AuthorizerType", "IdentitySource", "JwtConfiguration", "Name")
_OF_LAMBDA = ("AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerUri",
              "AuthorizerResultTtlInSeconds", "EnableSimpleResponses")  # fmt: skip


class AuthorizerOperations:
    """Operations by name."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateAuthorizer": self.create,
            "GetAuthorizer": self.get,
            "GetAuthorizers": self.list,
            "UpdateAuthorizer": self.update,
            "DeleteAuthorizer": self.delete,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return copy.deepcopy(new_authorizer(self._desk, api, parameters))

    def get(self, parameters: Parameters, call: Call) -> Result:
        return copy.deepcopy(self._authorizer(parameters, call)[1])

    def list(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return page(copy.deepcopy([*api.authorizers.values()]), parameters)

    def update(self, parameters: Parameters, call: Call) -> Result:
        api, authorizer = self._authorizer(parameters, call)
        authorizer.update(_settings(self._desk, {**authorizer, **_picked(parameters)}))
        self._desk.changed(api)
        return copy.deepcopy(authorizer)

    def delete(self, parameters: Parameters, call: Call) -> Result:
        api, authorizer = self._authorizer(parameters, call)
        identity = authorizer["AuthorizerId"]
        if any(route.get("AuthorizerId") == identity for route in api.routes.values()):
            raise bad("Cannot delete Authorizer: it is referenced by a route.")
        del api.authorizers[identity]
        return {}

    def _authorizer(self, parameters: Parameters, call: Call) -> tuple[Api, Settings]:
        api = self._desk.find(parameters, call.region)
        identity = parameters["AuthorizerId"]
        if identity not in api.authorizers:
            raise absent(f"Invalid Authorizer identifier specified {identity}")
        return api, api.authorizers[identity]


def new_authorizer(desk: ApiDesk, api: Api, given: Settings) -> Settings:
    """Adds an authorizer, or raises what API Gateway would."""
    if any(given.get(name) is not None for name in _OF_LAMBDA):
        raise missing("Authorizers by a Lambda function")
    if len(api.authorizers) >= API_AUTHORIZERS.limit:
        raise bad("Maximum number of authorizers for this API reached.")
    identity = desk.ids.lower(6)
    settings = _settings(desk, _picked(given))
    api.authorizers[identity] = {**settings, "AuthorizerId": identity}
    return api.authorizers[identity]


def check_authorization(api: Api, route: Settings) -> None:
    """Whether a route's authorizer exists and its scopes fit."""
    kind = route.get("AuthorizationType", "NONE")
    if kind in ("AWS_IAM", "CUSTOM"):
        raise missing(f"Routes with the authorization type {kind}")
    if kind not in ("NONE", "JWT"):
        raise bad(f"Invalid authorization type specified: {kind}")
    scopes = route.get("AuthorizationScopes") or ()
    if kind == "NONE" and (scopes or route.get("AuthorizerId")):
        raise bad("Authorizer and scopes need the authorization type JWT")
    if kind == "JWT" and route.get("AuthorizerId") not in api.authorizers:
        raise bad(f"Invalid authorizer ID specified {route.get('AuthorizerId')}")
    if len(scopes) > API_SCOPES.limit:
        raise bad(f"At most {API_SCOPES.limit} authorization scopes for a route")


def _picked(parameters: Parameters) -> dict[str, Any]:
    return {name: parameters[name] for name in _GIVEN if parameters.get(name) is not None}


def _settings(desk: ApiDesk, given: Settings) -> Settings:
    if given.get("AuthorizerType") != "JWT":
        raise missing("Authorizers by a Lambda function")
    if not given.get("Name"):
        raise bad("Name is a required parameter for authorizer")
    sources = given.get("IdentitySource") or []
    if len(sources) != 1 or not _SOURCE.fullmatch(sources[0]):
        raise bad("A JWT authorizer needs one identity source, a header or a query parameter")
    jwt = given.get("JwtConfiguration") or {}
    audience = jwt.get("Audience") or []
    if not audience or len(audience) > API_AUDIENCES.limit:
        raise bad(f"A JWT authorizer needs 1 to {API_AUDIENCES.limit} audiences")
    _check_issuer(desk, str(jwt.get("Issuer") or ""))
    return given


def _check_issuer(desk: ApiDesk, issuer: str) -> None:
    """API Gateway discovers the issuer when it is told of it; its guide does not say so."""
    if not issuer.startswith("https://"):
        raise bad(f"Invalid issuer: {issuer}. Issuer must be an https address")
    try:
        desk.tokens.keys_of(issuer)
    except IssuerError as error:
        raise bad(
            f"Caught exception when connecting to the issuer {issuer}: {error}. Issuer must have a "
            "valid discovery endpoint ended with '/.well-known/openid-configuration'"
        ) from error
