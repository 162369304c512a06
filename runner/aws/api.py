"""The site's HTTP API: one API, and an api_stage a set of routes and functions.

An api_stage is a snapshot whose integrations name qualified versions: it never changes under a
visitor. Its name is the digest of what it holds, so one that exists is done.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from runner.apply import Known
from runner.aws import keyvalues, ownership, records
from runner.aws.refusals import is_fault_of_aws, tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.model import Function
from runner.names import Names
from runner.plan.refs import Made, Ref

# CreateDeployment: 1 every 5 s an account, not to be raised.
# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
DEPLOYMENT_EVERY = 5.0  # seconds
RATE_TRIES = 24
UNSURE_TRIES = 4
LOOK_AFTER = 1.0  # seconds: what was made a moment ago may not be listed yet
MOST_STAGES = 10  # of an API; same source
MOST = 30  # seconds that an HTTP API waits for its integration; same source


def find(aws: Aws, names: Names) -> str | None:
    """The id of this site's API, by name and tags: neither is unique to API Gateway."""
    for page in aws.api.get_paginator("get_apis").paginate():
        for each in page["Items"]:
            if each["Name"] == names.api and ownership.is_ours(each.get("Tags", {}), names):
                return each["ApiId"]
    return None


def make(aws: Aws, names: Names) -> str:
    """The API; returns its id."""
    found = find(aws, names)
    if found:
        return found

    def create() -> str:
        return aws.api_once.create_api(
            Name=names.api, ProtocolType="HTTP", Tags=ownership.tags_of(names)
        )["ApiId"]

    return _made_once(aws, create, find=lambda: find(aws, names))


def _made_once(aws: Aws, create: Callable[[], str], *, find: Callable[[], str | None]) -> str:
    """What `create` makes, for operations without a token: looked up before it is sent again."""
    for _ in range(RATE_TRIES):
        with tolerating("TooManyRequestsException"):
            return _sent_again(aws, create, find=find)
        # Who is refused comes back at a moment of their own.
        aws.sleep(DEPLOYMENT_EVERY * (1 + aws.chance()))
    raise _crowded()


def _sent_again(aws: Aws, create: Callable[[], str], *, find: Callable[[], str | None]) -> str:
    """No answer, or a 5xx, does not say whether the call was carried out."""
    for _ in range(UNSURE_TRIES):
        try:
            return create()
        except HTTPClientError as error:
            unsure: Exception = error
        except ClientError as error:
            if not is_fault_of_aws(error):
                raise
            unsure = error
        aws.sleep(LOOK_AFTER * (1 + aws.chance()))
        made = find()
        if made:
            return made
    raise unsure


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
    standing = _stages(aws, api_id)
    if api_stage in standing:
        return
    if len(standing) >= MOST_STAGES:
        _make_room(aws, names, api_id=api_id, standing=standing)
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


def _stages(aws: Aws, api_id: str) -> list[str]:
    """The names of all api_stages, the oldest first."""
    pages = aws.api.get_paginator("get_stages").paginate(ApiId=api_id)
    found = [each for page in pages for each in page["Items"]]
    return [each["StageName"] for each in sorted(found, key=lambda each: each["CreatedDate"])]


def _make_room(aws: Aws, names: Names, *, api_id: str, standing: Sequence[str]) -> None:
    """Drops the oldest api_stage that no record names: a run that was killed, or whose functions
    failed before the switch, left it."""
    found = records.read(aws, names, release="")
    named = dict(found[0].stages) if found else {}
    stray = next((stage for stage in standing if stage not in named), None)
    store = keyvalues.find(aws, names)
    if stray is None or store is None:
        return
    keyvalues.drop_routing(aws, store, api_stage=stray)
    drop_stage(aws, api_id, api_stage=stray)


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

    def create() -> str:
        return aws.api_once.create_deployment(ApiId=api_id, Description=description)["DeploymentId"]

    return _made_once(
        aws, create, find=lambda: _find_deployment(aws, api_id, description=description)
    )


def _find_deployment(aws: Aws, api_id: str, *, description: str) -> str | None:
    for page in aws.api.get_paginator("get_deployments").paginate(ApiId=api_id):
        for each in page["Items"]:
            if each.get("Description") == description:
                return each["DeploymentId"]
    return None


def _crowded() -> JamError:
    return busy_error(
        "JAM-THROTTLED",
        "API Gateway allows an account one deployment every 5 s, and others took them all.",
        hint="Run again when the other runs are done; nothing is lost.",
    )
