"""Reads an OpenAPI 3.0 definition of an HTTP API. Pure.

Source: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs in API Gateway" and
"OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.compute.http_api.cors import check_cors
from runner.local.compute.http_api.refusals import bad, missing
from runner.local.compute.http_api.routes import check_route_key, integration_settings
from runner.local.compute.http_api.store import Settings
from runner.local.wire import Parameters

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_INTEGRATIONS = "x-amazon-apigateway-integrations"
_CORS = "x-amazon-apigateway-cors"
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_TAG = "x-amazon-apigateway-tag-value"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_NAMES = {
    "type": "IntegrationType", "uri": "IntegrationUri", "httpMethod": "IntegrationMethod",
    "credentials": "CredentialsArn", "connectionType": "ConnectionType",
    "payloadFormatVersion": "PayloadFormatVersion", "timeoutInMillis": "TimeoutInMillis",
    "requestParameters": "RequestParameters", "responseParameters": "ResponseParameters",
    "description": "Description",
}  # fmt: skip
_OF_LAMBDA = {
    "authorizerUri": "AuthorizerUri", "authorizerCredentials": "AuthorizerCredentialsArn",
    "authorizerPayloadFormatVersion": "AuthorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds": "AuthorizerResultTtlInSeconds",
    "enableSimpleResponses": "EnableSimpleResponses",
}  # fmt: skip
_CORS_NAMES = {
    "allowOrigins": "AllowOrigins", "allowMethods": "AllowMethods", "allowHeaders": "AllowHeaders",
    "exposeHeaders": "ExposeHeaders", "maxAge": "MaxAge", "allowCredentials": "AllowCredentials",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRoute:
    """`integration` is an index, `authorizer` a name."""

    key: str
    operation: str
    integration: int | None
    authorizer: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`authorizers` are by the names of their security schemes."""

    settings: Settings
    tags: dict[str, str]
    integrations: tuple[Settings, ...]
    authorizers: Mapping[str, Settings]
    routes: tuple[ImportedRoute, ...]
    warnings: tuple[str, ...]


def read(parameters: Parameters) -> Imported:
    """From ImportApi's parameters; raises BadRequestException for what it refuses."""
    document = _parsed(parameters.get("Body") or "")
    _check_basepath(parameters.get("Basepath") or "ignore")
    integrations: list[Settings] = []
    shared: dict[str, int] = {}
    routes: list[ImportedRoute] = []
    authorizers = imported_authorizers(document)
    warnings: list[str] = []
    for path, item in (document.get("paths") or {}).items():
        for key, operation in _operations(path, item):
            check_route_key(key)
            number = _integration(document, operation, integrations, shared)
            if number is None:
                warnings.append(f"No integration is defined for the route {key}")
            authorizer, scopes = _security(document, operation, authorizers)
            made = ImportedRoute(
                key=key,
                operation=str(operation.get("operationId") or ""),
                integration=number,
                authorizer=authorizer,
                scopes=scopes,
            )
            routes.append(made)
    if warnings and parameters.get("FailOnWarnings"):
        raise bad("Warnings found during import: " + "; ".join(warnings))
    return Imported(
        settings=_settings(document),
        tags=_tags(document),
        integrations=tuple(integrations),
        authorizers=authorizers,
        routes=tuple(routes),
        warnings=tuple(warnings),
    )


def _parsed(body: str) -> dict[str, Any]:
    if not body.lstrip().startswith("{"):
        raise missing("Definitions in YAML")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise bad(f"Unable to parse the OpenAPI definition: {error}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        raise bad("Invalid OpenAPI input: only OpenAPI 3.0 is supported for HTTP APIs.")
    if not (document.get("info") or {}).get("title"):
        raise bad("Invalid OpenAPI input: info.title is missing.")
    return document


def _check_basepath(mode: str) -> None:
    if mode not in ("ignore", "prepend", "split"):
        raise bad(f"Invalid basepath mode: {mode}")
    if mode != "ignore":
        raise bad("The embedded cloud imports definitions with basepath=ignore only.")


def _settings(document: dict[str, Any]) -> Settings:
    info = document["info"]
    settings: Settings = {"Name": str(info["title"])}
    if info.get("version"):
        settings["Version"] = str(info["version"])
    if info.get("description"):
        settings["Description"] = str(info["description"])
    if document.get(_CORS):
        cors = document[_CORS]
        settings["CorsConfiguration"] = {
            ours: cors[name] for name, ours in _CORS_NAMES.items() if name in cors
        }
        check_cors(settings["CorsConfiguration"])
    return settings


def _tags(document: dict[str, Any]) -> dict[str, str]:
    tags = document.get("tags") or ()
    return {each["name"]: str(each[_TAG]) for each in tags if _TAG in each}


def _operations(path: str, item: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(route key, operation) pairs of one path."""
    found = []
    for name, operation in item.items():
        if name == _ANY:
            found.append(("$default" if path == "/$default" else f"ANY {path}", operation))
        elif name in _METHODS:
            found.append((f"{name.upper()} {path}", operation))
    return found


def imported_authorizers(document: dict[str, Any]) -> dict[str, Settings]:
    """The security schemes that are authorizers."""
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    found = {}
    for name, scheme in schemes.items():
        given = scheme.get(_AUTHORIZER)
        if given is None:
            continue
        kind = (given.get("type"), scheme.get("type"))
        if kind == ("request", "apiKey"):
            found[name] = _by_lambda(name, given)
        elif kind in (("jwt", "oauth2"), ("jwt", "openIdConnect")):
            found[name] = _by_token(name, given)
        else:
            raise missing("Authorizers that are neither JWT nor a Lambda function's")
    return found


def _by_token(name: str, given: dict[str, Any]) -> Settings:
    jwt = given.get("jwtConfiguration") or {}
    source = given.get("identitySource")
    return {
        "Name": name,
        "AuthorizerType": "JWT",
        "IdentitySource": [source] if isinstance(source, str) else list(source or ()),
        "JwtConfiguration": {"Issuer": jwt.get("issuer"), "Audience": jwt.get("audience")},
    }


def _by_lambda(name: str, given: dict[str, Any]) -> Settings:
    """Several identity sources stand in one text, with commas."""
    sources = [each.strip() for each in str(given.get("identitySource") or "").split(",")]
    named = {ours: given[theirs] for theirs, ours in _OF_LAMBDA.items() if theirs in given}
    return {
        "Name": name,
        "AuthorizerType": "REQUEST",
        "IdentitySource": [each for each in sources if each],
        **named,
    }


def _security(
    document: dict[str, Any], operation: dict[str, Any], authorizers: Mapping[str, Settings]
) -> tuple[str, tuple[str, ...]]:
    """The operation's one authorizer with its scopes; the definition's, where it names none."""
    wanted = operation.get("security", document.get("security")) or []
    named = [pair for each in wanted for pair in each.items()]
    if not named:
        return "", ()
    if len(named) > 1:
        raise bad("Only one security scheme is supported for a route")
    name, scopes = named[0]
    if name not in authorizers:
        raise bad(f"Unable to find an authorizer for the security scheme {name}")
    return name, tuple(scopes)


def _integration(
    document: dict[str, Any],
    operation: dict[str, Any],
    integrations: list[Settings],
    shared: dict[str, int],
) -> int | None:
    """Adds the operation's integration and returns its index; one by reference is added once."""
    given = operation.get(_INTEGRATION)
    if not given:
        return None
    reference = str(given.get("$ref") or "")
    if reference in shared:
        return shared[reference]
    if reference:
        given = _referred(document, reference)
        shared[reference] = len(integrations)
    named = {ours: given[name] for name, ours in _NAMES.items() if name in given}
    integrations.append(integration_settings(named))
    return len(integrations) - 1


def _referred(document: dict[str, Any], reference: str) -> dict[str, Any]:
    kept = (document.get("components") or {}).get(_INTEGRATIONS) or {}
    name = reference.removeprefix(f"#/components/{_INTEGRATIONS}/")
    if name not in kept:
        raise bad(f"Unable to resolve the reference {reference}")
    found: dict[str, Any] = kept[name]
    return found
