"""The site's HTTP API: one API, and an api_stage a set of routes and functions.

An api_stage is a snapshot whose integrations name qualified versions: it never changes under a
visitor. Its name is the digest of what it holds, so one that exists is done.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from botocore.exceptions import BotoCoreError

from runner.apply import Known
from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.model import Function
from runner.names import Names
from runner.plan.refs import Made, Ref

# CreateDeployment: 1 every 5 s an account, not to be raised.
# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
DEPLOYMENT_EVERY = 5.0  # seconds
DEPLOYMENT_TRIES = 24
MOST = 30  # seconds that an HTTP API waits for its integration; same source


def find(aws: Aws, names: Names) -> str | None:
    """The id of this site's API, by name and tags: neither is unique to API Gateway."""
    for page in aws.api.get_paginator("get_apis").paginate():
        for each in page["Items"]:
            if each["Name"] == names.api and ownership.is_ours(each.get("Tags", {}), names):
                return each["ApiId"]
    return None


def make(aws: Aws, names: Names) -> str:
    """The API; returns its id. Sent once and looked up after: CreateApi has no token."""
    found = find(aws, names)
    if found:
        return found
    try:
        return aws.api_once.create_api(
            Name=names.api, ProtocolType="HTTP", Tags=ownership.tags_of(names)
        )["ApiId"]
    except BotoCoreError:
        made = find(aws, names)  # the answer was lost, perhaps not the call
        if made is None:
            raise
        return made


def body(
    names: Names, functions: tuple[Function, ...], *, role_arn: str, arns: dict[str, str]
) -> dict[str, Any]:
    """The OpenAPI text of one api_stage; `arns` are the qualified versions by function name.

    A reimport replaces routes, integrations, name and tags: all four are in it.
    Sources: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs in API Gateway",
    "x-amazon-apigateway-integration object", "x-amazon-apigateway-tag-value property".
    """
    paths: dict[str, Any] = {}
    for function in functions:
        operation = _operation(names, function, role_arn=role_arn, arn=arns[function.name])
        path = paths.setdefault(function.route, {})
        for method in function.methods:
            path[_METHODS.get(method, method.lower())] = operation
    tags = [
        {"name": key, "x-amazon-apigateway-tag-value": value}
        for key, value in ownership.tags_of(names).items()
    ]
    info = {"title": names.api, "version": "1"}
    return {"openapi": "3.0.1", "info": info, "tags": tags, "paths": paths}


_METHODS = {"ANY": "x-amazon-apigateway-any-method"}


def _operation(names: Names, function: Function, *, role_arn: str, arn: str) -> dict[str, Any]:
    invoke = f"arn:{names.partition}:apigateway:{names.region}:lambda:path/2015-03-31/functions"
    operation: dict[str, Any] = {
        "responses": {"default": {"description": function.name}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": f"{invoke}/{arn}/invocations",
            "connectionType": "INTERNET",
            "payloadFormatVersion": "2.0",
            "timeoutInMillis": min(function.timeout, MOST) * 1000,
            "credentials": role_arn,
            # A function sees its route, not the stage's name, which changes with the code.
            # Source: API Gateway developer guide, "Transform API requests and responses for HTTP
            # APIs in API Gateway".
            "requestParameters": {"overwrite:path": "$request.path"},
        },
    }
    names_in_path = re.findall(r"\{([^}+]+)\+?\}", function.route)
    if names_in_path:
        operation["parameters"] = [_parameter(name) for name in names_in_path]
    return operation


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def make_stage(
    aws: Aws, names: Names, *, api_stage: str, functions: tuple[Function, ...], known: Known
) -> None:
    """Import, deployment, stage; nothing if the stage exists, because it is made last."""
    api_id = known[Ref(Made.API)]
    if _stage(aws, api_id, api_stage=api_stage) is not None:
        return
    arns = {
        each.name: f"{names.function_arn(names.function(each.name))}:"
        f"{known[Ref(Made.VERSION, each.name)]}"
        for each in functions
    }
    text = json.dumps(body(names, functions, role_arn=known[Ref(Made.ROLE, "api")], arns=arns))
    deployment = _deployment(aws, api_id, api_stage=api_stage, text=text)
    with tolerating("ConflictException"):  # our own first attempt: the name is a digest
        aws.api.create_stage(
            ApiId=api_id,
            StageName=api_stage,
            DeploymentId=deployment,
            AutoDeploy=False,
            Tags=ownership.tags_of(names),
        )


def drop_stage(aws: Aws, api_id: str, *, api_stage: str) -> None:
    """The stage and its deployment."""
    deployment = _stage(aws, api_id, api_stage=api_stage)
    if deployment is None:
        return
    with tolerating("NotFoundException"):
        aws.api.delete_stage(ApiId=api_id, StageName=api_stage)
    with tolerating("NotFoundException"):
        aws.api.delete_deployment(ApiId=api_id, DeploymentId=deployment)


def _stage(aws: Aws, api_id: str, *, api_stage: str) -> str | None:
    """The deployment of an existing stage."""
    try:
        found = aws.api.get_stage(ApiId=api_id, StageName=api_stage)
    except aws.api.exceptions.NotFoundException:
        return None
    return found.get("DeploymentId", "")


def _deployment(aws: Aws, api_id: str, *, api_stage: str, text: str) -> str:
    """The snapshot of `text`, told by its description; made where it is missing."""
    description = f"{api_stage} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    found = _find_deployment(aws, api_id, description=description)
    if found:  # of a run that ended before it named the stage
        return found
    aws.api.reimport_api(ApiId=api_id, Body=text, FailOnWarnings=False)
    for _ in range(DEPLOYMENT_TRIES):
        with tolerating("TooManyRequestsException"):
            return _deploy(aws, api_id, description=description)
        # Who is refused comes back at a moment of their own.
        aws.sleep(DEPLOYMENT_EVERY * (1 + aws.chance()))
    raise _crowded()


def _deploy(aws: Aws, api_id: str, *, description: str) -> str:
    """Sent once and looked up after: CreateDeployment has no token."""
    try:
        made = aws.api_once.create_deployment(ApiId=api_id, Description=description)
    except BotoCoreError:
        found = _find_deployment(aws, api_id, description=description)
        if found is None:
            raise
        return found
    return made["DeploymentId"]


def _find_deployment(aws: Aws, api_id: str, *, description: str) -> str | None:
    for page in aws.api.get_paginator("get_deployments").paginate(ApiId=api_id):
        for each in page["Items"]:
            if each.get("Description") == description:
                return each["DeploymentId"]
    return None


def _crowded() -> JamError:
    return busy_error(
        "JAM-THROTTLED",
        "API Gateway allows one deployment every 5 s an account, and others took them all.",
        hint="Run again when the other runs are done; nothing is lost.",
    )
