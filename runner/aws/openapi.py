"""The site's HTTP API as an OpenAPI text: routes, who may use them, other origins. Pure.

A reimport replaces routes, integrations, authorizers, CORS, name and tags: all are in it.
Sources: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs in API Gateway" and
"OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.acceptor.acceptor import FUNCTION
from runner.aws import ownership
from runner.aws.delivery import KEY_HEADER
from runner.model import OWN_REFUSAL, Admission, Api, Authorizer, Function
from runner.names import Names
from runner.plan.origins import AllowOrigins, allowed, methods_of

MOST = 30  # seconds; "Quotas for configuring and running an HTTP API", maximum integration timeout
KEEPER = "jam.keeper"  # no authorizer of a site can have this name
REMEMBERED = 3600  # seconds that a key is let in unasked; the most that API Gateway allows
CORS_AGE = 3600  # seconds that a browser may keep the answer to a preflight
# What a page of another origin may send; `x-jam-release` asks for the functions of one release.
CORS_HEADERS = ("authorization", "content-type", "x-jam-release")

# A refusal that is the function's own says so; the keeper's cannot, so that who looks tells the two
# apart. Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs in
# API Gateway": what is changed is the integration's response.
_OWN = {status: {f"overwrite:header.{OWN_REFUSAL}": "yes"} for status in ("401", "403")}
_METHODS = {"ANY": "x-amazon-apigateway-any-method"}


def body(
    names: Names,
    functions: tuple[Function, ...],
    api: Api,
    *,
    role_arn: str,
    arns: Mapping[str, str],
    acceptor: str = "",
    bearer: str = "",
) -> dict[str, Any]:
    """The definition of one api_stage; `arns` are the qualified versions by function name.

    `acceptor` is the version that takes requests for functions in the background, `bearer` the
    header that has a visitor's token.
    """
    paths: dict[str, Any] = {}
    for function in functions:
        called = _Called(arn=arns[function.name], role_arn=role_arn, bearer=bearer)
        if function.background.requests:
            called = replace(called, arn=acceptor, handed_on=arns[function.name])
        operation = _operation(names, function, called)
        path = paths.setdefault(function.route, {})
        for method in methods_of(function, api):
            path[_METHODS.get(method, method.lower())] = operation
    tags = [
        {"name": key, "x-amazon-apigateway-tag-value": value}
        for key, value in ownership.tags_of(names).items()
    ]
    info = {"title": names.api, "version": "1"}
    return {
        "openapi": "3.0.1",
        "info": info,
        "tags": tags,
        "paths": paths,
        **_components(names, functions, role_arn=role_arn, bearer=bearer),
        **({"x-amazon-apigateway-cors": cors(allowed(functions, api))} if api.cors else {}),
    }


def route_settings(functions: Iterable[Function], api: Api) -> dict[str, Any]:
    """What CreateStage says of single routes, by their keys: the rest has the account's limits.

    Source: API Gateway developer guide, "Throttle requests to your HTTP APIs for better throughput
    in API Gateway".
    """
    return {
        f"{method} {function.route}": limits
        for function in functions
        if (limits := _limits(function.admission))
        for method in methods_of(function, api)
    }


def _limits(admission: Admission) -> dict[str, Any]:
    if admission.rate is None or admission.burst is None:
        return {}
    return {"ThrottlingRateLimit": admission.rate, "ThrottlingBurstLimit": admission.burst}


def cors(wanted: AllowOrigins) -> dict[str, Any]:
    """Cookies only for origins that are named: with `*` browsers and API Gateway refuse them."""
    return {
        "allowOrigins": list(wanted.origins),
        "allowMethods": list(wanted.methods),
        "allowHeaders": list(CORS_HEADERS),
        "allowCredentials": "*" not in wanted.origins,
        "maxAge": CORS_AGE,
    }


def needs_bearer(functions: Iterable[Function]) -> bool:
    """Whether an authorizer of the site's own stands where the API's would."""
    return any(each.admission.authorizer for each in functions)


def _components(
    names: Names, functions: Iterable[Function], *, role_arn: str, bearer: str
) -> dict[str, Any]:
    used = {it.admission.authorizer for it in functions if it.admission.authorizer}
    schemes = {each.name: _scheme(each, bearer) for each in sorted(used, key=lambda it: it.name)}
    return {"components": {"securitySchemes": {KEEPER: _keeper(names, role_arn), **schemes}}}


def _keeper(names: Names, role_arn: str) -> dict[str, Any]:
    """The API's own: as it is now rather than as a version, so that each api_stage, however old,
    knows the distribution by the key that it sends today.

    Source: "OpenAPI extensions for API Gateway", x-amazon-apigateway-authorizer, REQUEST authorizer
    for an HTTP API.
    """
    return {
        "type": "apiKey",
        "name": KEY_HEADER,
        "in": "header",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "identitySource": f"$request.header.{KEY_HEADER}",
            "authorizerUri": _uri(names, names.function_arn(names.keeper)),
            "authorizerCredentials": role_arn,
            "authorizerPayloadFormatVersion": "2.0",
            "authorizerResultTtlInSeconds": REMEMBERED,
            "enableSimpleResponses": True,
        },
    }


def _scheme(authorizer: Authorizer, bearer: str) -> dict[str, Any]:
    """Source: "OpenAPI extensions for API Gateway", x-amazon-apigateway-authorizer, JWT example."""
    return {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": f"$request.header.{bearer}",
            "jwtConfiguration": {
                "issuer": authorizer.issuer,
                "audience": list(authorizer.audience),
            },
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Called:
    """The version that API Gateway invokes, and the one that this hands the request on to."""

    arn: str
    role_arn: str
    bearer: str
    handed_on: str = ""

    @property
    def mapping(self) -> dict[str, str]:
        """A function sees its route, not the stage's name, which changes with the code; and it sees
        nothing of what tells the distribution's requests from others.

        The acceptor hears from us alone whom to invoke: what a visitor sends is overwritten.
        Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs in
        API Gateway", with the headers that are reserved; this one is none of them.
        """
        function = {f"overwrite:header.{FUNCTION}": self.handed_on} if self.handed_on else {}
        secret = [KEY_HEADER, *([self.bearer] if self.bearer else [])]
        hidden = {f"remove:header.{name}": "''" for name in secret}
        return {"overwrite:path": "$request.path", **hidden, **function}


def _operation(names: Names, function: Function, called: _Called) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "responses": {"default": {"description": function.name}},
        **_security(function.admission),
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": _uri(names, called.arn),
            "connectionType": "INTERNET",
            "payloadFormatVersion": "2.0",
            "timeoutInMillis": min(function.timeout, MOST) * 1000,
            "credentials": called.role_arn,
            "requestParameters": called.mapping,
            "responseParameters": _OWN,
        },
    }
    names_in_path = re.findall(r"\{([^}+]+)\+?\}", function.route)
    if names_in_path:
        operation["parameters"] = [_parameter(name) for name in names_in_path]
    return operation


def _uri(names: Names, arn: str) -> str:
    """A function as API Gateway names what it invokes."""
    invoke = f"arn:{names.partition}:apigateway:{names.region}:lambda:path/2015-03-31/functions"
    return f"{invoke}/{arn}/invocations"


def _security(admission: Admission) -> dict[str, Any]:
    """One authorizer a route. Source: API Gateway V2 API reference, Route, AuthorizerId."""
    if admission.authorizer is None:
        return {"security": [{KEEPER: []}]}
    return {"security": [{admission.authorizer.name: list(admission.scopes)}]}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
