"""The site's HTTP API: one API, and an api_stage a set of routes and functions.

An api_stage is a snapshot whose integrations name qualified versions: it never changes under a
visitor. Its name is the digest of what it holds, so one that exists is done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from runner.apply import Known
from runner.aws import api_room, keeper, logs, ownership
from runner.aws.api_standing import Standing, deployments, stage, standing
from runner.aws.background import acceptor_arn
from runner.aws.leases import Lease
from runner.aws.openapi import body, cors, needs_bearer, route_settings
from runner.aws.refusals import is_fault_of_aws, tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.model import Api, Function
from runner.names import Names
from runner.plan.origins import AllowOrigins
from runner.plan.refs import Made, Ref
from runner.together import at_once

# CreateDeployment: 1 every 5 s an account, not to be raised.
# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
DEPLOYMENT_EVERY = 5.0  # seconds
RATE_TRIES = 24
UNSURE_TRIES = 4
LOOK_AFTER = 1.0  # seconds: what was made a moment ago may not be listed yet
CALLS = "jam:calls"  # the tag of an api_stage that tells the acceptor's version, or `none`

# One JSON text a request; a variable without a value is "-". None knows a request's headers: the
# stage, with the environment's record, tells the release. `ip` is CloudFront's.
# Source: API Gateway developer guide, "Customize HTTP API access logs".
ACCESS = {
    "at": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "stage": "$context.stage",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "route": "$context.routeKey",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "function": "$context.integration.status",
    "lambda": "$context.integration.integrationStatus",
    "functionMs": "$context.integration.latency",
    "functionError": "$context.integration.error",
    "authorizer": "$context.authorizer.error",
    "error": "$context.error.message",
    # Last, because what a visitor writes here may break the text.
    "agent": "$context.identity.userAgent",
}


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
        # Turned off by hand, it answers nobody: CloudFront calls it by this address.
        # Source: API Gateway API reference, UpdateApi, disableExecuteApiEndpoint.
        if aws.api.get_api(ApiId=found).get("DisableExecuteApiEndpoint"):
            aws.api.update_api(ApiId=found, DisableExecuteApiEndpoint=False)
        return found

    def create() -> str:
        return aws.api_once.create_api(
            Name=names.api, ProtocolType="HTTP", Tags=ownership.tags_of(names)
        )["ApiId"]

    return made_once(aws, create, find=lambda: find(aws, names))


def made_once(
    aws: Aws,
    create: Callable[[], str],
    *,
    find: Callable[[], str | None],
    every: float = DEPLOYMENT_EVERY,
) -> str:
    """What `create` makes, for operations without a token: looked up before it is sent again.

    Whoever is refused tries again after `every` seconds or a little more.
    """
    for _ in range(int(RATE_TRIES * DEPLOYMENT_EVERY / every)):
        with tolerating("TooManyRequestsException"):
            return _sent_again(aws, create, find=find)
        # Who is refused comes back at a moment of their own.
        aws.sleep(every * (1 + aws.chance()))
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


def make_stage(
    aws: Aws,
    names: Names,
    *,
    api_stage: str,
    functions: tuple[Function, ...],
    api: Api,
    known: Known,
    lease: Lease | None = None,
    again: bool = False,
    seen: Standing | None = None,
) -> None:
    """Import, deployment, stage; nothing if the stage exists, because it is made last.

    Under the `lease` alone: a deployment is of what the API is at its moment, so that a run that
    slept after its import would make its own name of a newer run's routes. `again`: one that
    stands calls what is gone, and is led to a new deployment; what it can answer it answers.
    """
    api_id = known[Ref(Made.API)]
    seen = seen or standing(aws, api_id)
    stands = next((each for each in seen.stages if each["StageName"] == api_stage), None)
    if stands and not again:
        return
    if not stands and len(seen.stages) >= api_room.MOST_STAGES:
        api_room.make_room(aws, names, api_id=api_id, standing=seen.stages)
    before = stands.get("DeploymentId", "") if stands else ""
    api_room.drop_unfinished(aws, api_id, api_stage=api_stage, seen=seen, in_use=before)
    under = partial(aws.fenced, lease.check) if lease else nullcontext
    with at_once(1) as pool:
        log = pool.submit(make_log, aws, names, api=api)
        text = _text(aws, names, functions=functions, api=api, known=known)
        told = f"{api_stage} {lease.token if lease else 0} {_digest(text)}"
        with under():
            deployment = _deployment(aws, api_id, text=text, description=told)
        log.result()
    if lease:
        lease.check()
    more = settings(names, functions=functions, api=api)
    wanted = {"ApiId": api_id, "StageName": api_stage, "DeploymentId": deployment, **more}
    calls = acceptor_arn(names, known).rpartition(":")[2] or "none"
    marked = {**ownership.tags_of(names), CALLS: calls}
    if stands:
        with under():
            _lead(aws, names, wanted=wanted, tags=marked, before=before)
        return
    with tolerating("ConflictException"):  # our own first attempt: the name is a digest
        aws.api.create_stage(AutoDeploy=False, Tags=marked, **wanted)


def settings(names: Names, *, functions: Iterable[Function], api: Api) -> dict[str, Any]:
    """What a stage says of its routes and their log, which `make_log` makes.

    Source: API Gateway developer guide, "Configure logging for HTTP APIs in API Gateway".
    """
    routes = {"RouteSettings": route_settings(functions, api)}
    if not api.access_log:
        return routes
    log = {
        "DestinationArn": names.log_group_arn(names.access_log),
        "Format": json.dumps(ACCESS, separators=(",", ":")),
    }
    return {**routes, "AccessLogSettings": log}


def make_log(aws: Aws, names: Names, *, api: Api) -> None:
    """The group of the access log, where there is to be one."""
    if api.access_log:
        logs.make_group(aws, names, group=names.access_log, days=api.log_days)


def _text(
    aws: Aws, names: Names, *, functions: tuple[Function, ...], api: Api, known: Known
) -> str:
    arns = {
        each.name: f"{names.function_arn(names.function(each.name))}:"
        f"{known[Ref(Made.VERSION, each.name)]}"
        for each in functions
    }
    role, acceptor = known[Ref(Made.ROLE, "api")], acceptor_arn(names, known)
    bearer = bearer_of(aws, known, functions=functions)
    return json.dumps(
        body(names, functions, api, role_arn=role, arns=arns, acceptor=acceptor, bearer=bearer)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lead(
    aws: Aws, names: Names, *, wanted: dict[str, Any], tags: dict[str, str], before: str
) -> None:
    """A stage that stands, to another deployment: at no moment is there none. Marked first: the
    acceptor that it is about to call may not be collected."""
    api_id, here = wanted["ApiId"], f"arn:{names.partition}:apigateway:{names.region}::"
    arn = f"{here}/apis/{api_id}/stages/{wanted['StageName']}"
    aws.api.tag_resource(ResourceArn=arn, Tags=tags)
    aws.api.update_stage(AutoDeploy=False, **wanted)
    if before and before != wanted["DeploymentId"]:
        with tolerating("NotFoundException"):
            aws.api.delete_deployment(ApiId=api_id, DeploymentId=before)


def bearer_of(aws: Aws, known: Known, *, functions: Iterable[Function]) -> str:
    """The header that has a visitor's token; empty where no function asks for one."""
    return keeper.bearer(aws, known[Ref(Made.STORE)]) if needs_bearer(functions) else ""


def allow_origins(aws: Aws, api_id: str, *, wanted: AllowOrigins) -> None:
    """The API's CORS as it stands; an older deployment may go by it."""
    if not wanted.origins:
        aws.api.delete_cors_configuration(ApiId=api_id)
        return
    found = cors(wanted)
    aws.api.update_api(
        ApiId=api_id,
        CorsConfiguration={
            "AllowOrigins": found["allowOrigins"],
            "AllowMethods": found["allowMethods"],
            "AllowHeaders": found["allowHeaders"],
            "AllowCredentials": found["allowCredentials"],
            "MaxAge": found["maxAge"],
        },
    )


def has_stage(aws: Aws, api_id: str, *, api_stage: str) -> bool:
    """Whether the snapshot stands."""
    return stage(aws, api_id, api_stage=api_stage) is not None


def _deployment(aws: Aws, api_id: str, *, text: str, description: str) -> str:
    """The snapshot of `text`, told by its description; made where it is missing."""
    aws.api.reimport_api(ApiId=api_id, Body=text, FailOnWarnings=False)

    def create() -> str:
        return aws.api_once.create_deployment(ApiId=api_id, Description=description)["DeploymentId"]

    def find() -> str | None:
        made = (each for each, said in deployments(aws, api_id) if said.startswith(description))
        return next(made, None)

    return made_once(aws, create, find=find)


def _crowded() -> JamError:
    return busy_error(
        "JAM-THROTTLED",
        "API Gateway allows an account one deployment every 5 s, and others took them all.",
        hint="Run again when the other runs are done; nothing is lost.",
    )
