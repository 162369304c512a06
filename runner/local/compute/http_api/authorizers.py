"""Operations on authorizers, by tokens or by a Lambda function, and what may be one.

Sources: API Gateway V2 API reference, "Authorizers"; developer guide, "Control access to HTTP APIs
with JWT authorizers in API Gateway", "Control access to HTTP APIs with AWS Lambda authorizers".
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
_OF_LAMBDA = ("AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerUri",
              "AuthorizerResultTtlInSeconds", "EnableSimpleResponses")  # fmt: skip
_GIVEN = ("AuthorizerType", "IdentitySource", "JwtConfiguration", "Name", *_OF_LAMBDA)
_SOURCE_OF_LAMBDA = re.compile(
    r"\$(?:request\.(?:header|querystring)|context|stageVariables)\.[A-Za-z0-9._-]+"
)
_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
    r"(?P<arn>arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_.:]+)/invocations"
)
_LONGEST_TTL = 3600  # seconds; CreateAuthorizer, AuthorizerResultTtlInSeconds
_KINDS = {"NONE": "", "JWT": "JWT", "CUSTOM": "REQUEST"}  # of a route: the authorizer's


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
    if len(api.authorizers) >= API_AUTHORIZERS.limit:
        raise bad("Maximum number of authorizers for this API reached.")
    identity = desk.ids.lower(6)
    settings = _settings(desk, _picked(given))
    api.authorizers[identity] = {**settings, "AuthorizerId": identity}
    return api.authorizers[identity]


def check_authorization(api: Api, route: Settings) -> None:
    """Whether a route's authorizer exists and its scopes fit."""
    kind = route.get("AuthorizationType", "NONE")
    if kind == "AWS_IAM":
        raise missing(f"Routes with the authorization type {kind}")
    if kind not in _KINDS:
        raise bad(f"Invalid authorization type specified: {kind}")
    scopes = route.get("AuthorizationScopes") or ()
    named = route.get("AuthorizerId") or ""
    if (scopes and kind != "JWT") or (named and kind == "NONE"):
        raise bad("An authorizer needs the authorization type JWT or CUSTOM, and scopes need JWT")
    if kind != "NONE" and api.authorizers.get(named, {}).get("AuthorizerType") != _KINDS[kind]:
        raise bad(f"Invalid authorizer ID specified {named}")
    if len(scopes) > API_SCOPES.limit:
        raise bad(f"At most {API_SCOPES.limit} authorization scopes for a route")


def _picked(parameters: Parameters) -> dict[str, Any]:
    return {name: parameters[name] for name in _GIVEN if parameters.get(name) is not None}


def _settings(desk: ApiDesk, given: Settings) -> Settings:
    if not given.get("Name"):
        raise bad("Name is a required parameter for authorizer")
    sources = given.get("IdentitySource") or []
    if given.get("AuthorizerType") == "REQUEST":
        return _of_lambda(given, sources)
    if given.get("AuthorizerType") != "JWT" or any(given.get(name) for name in _OF_LAMBDA):
        raise bad("Invalid authorizer: settings of a Lambda function need the type REQUEST")
    if len(sources) != 1 or not _SOURCE.fullmatch(sources[0]):
        raise bad("A JWT authorizer needs one identity source, a header or a query parameter")
    jwt = given.get("JwtConfiguration") or {}
    audience = jwt.get("Audience") or []
    if not audience or len(audience) > API_AUDIENCES.limit:
        raise bad(f"A JWT authorizer needs 1 to {API_AUDIENCES.limit} audiences")
    _check_issuer(desk, str(jwt.get("Issuer") or ""))
    return given


def _of_lambda(given: Settings, sources: list[str]) -> Settings:
    if given.get("JwtConfiguration"):
        raise bad("JwtConfiguration needs the authorizer type JWT")
    if given.get("AuthorizerPayloadFormatVersion") not in ("1.0", "2.0"):
        raise bad("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
    if given["AuthorizerPayloadFormatVersion"] != "2.0" or not given.get("EnableSimpleResponses"):
        raise missing("Lambda authorizers without payload format 2.0 and simple responses")
    if not _FUNCTION.fullmatch(given.get("AuthorizerUri") or ""):
        raise bad("Invalid Authorizer URI: it must name a Lambda function")
    if not all(_SOURCE_OF_LAMBDA.fullmatch(each) for each in sources):
        raise bad("Invalid identity source specified")
    seconds = given.get("AuthorizerResultTtlInSeconds") or 0
    if not 0 <= seconds <= _LONGEST_TTL:
        raise bad(f"Authorizer result TTL must be between 0 and {_LONGEST_TTL} seconds")
    if seconds and not sources:
        raise bad("An authorizer without identity sources cannot be cached")
    return {**given, "AuthorizerResultTtlInSeconds": seconds}


def arn_of(authorizer: Settings) -> str:
    """The (qualified) function that decides."""
    found = _FUNCTION.fullmatch(authorizer["AuthorizerUri"])
    return found["arn"] if found else ""


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
