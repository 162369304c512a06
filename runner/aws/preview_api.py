"""The api_stage of a preview: one that stays, `pr-<n>`, and is led to a new snapshot.

All previews of a site share an API, whose routes are one draft: import and deployment happen under
the lease of what previews share.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from runner.apply import Known
from runner.aws import ownership
from runner.aws.api import access_log, made_once
from runner.aws.background import acceptor_arn
from runner.aws.leases import Lease
from runner.aws.openapi import body, route_settings
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Origin
from runner.names import Names
from runner.plan.refs import Made, Ref
from runner.plan.releasing import MakeApiStage

ROUTES = "jam:routes"  # the tag of an api_stage with the digest of what it serves


def make_stage(aws: Aws, names: Names, *, step: MakeApiStage, known: Known) -> None:
    """The stage with these routes; two reads where it has them already."""
    text = _text(names, step, known)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    api_id = known[Ref(Made.API)]
    stands = _stage(aws, api_id, step.api_stage)
    if stands and stands.get("Tags", {}).get(ROUTES) == digest:
        return
    lease = Lease(
        aws,
        names.previews,
        owner=secrets.token_hex(8),
        run=f"the routes of {names.environment}",
        origin=Origin(),
    )
    with lease.kept():
        lease.take(say=lambda _line: None)
        _lead(aws, names, step=step, text=text, digest=digest, api_id=api_id, lease=lease)


def drop_stage(aws: Aws, api_id: str, *, api_stage: str) -> None:
    """The stage and its snapshot; what is not there is gone already."""
    stands = _stage(aws, api_id, api_stage)
    if stands is None:
        return
    with tolerating("NotFoundException"):
        aws.api.delete_stage(ApiId=api_id, StageName=api_stage)
    _drop_deployment(aws, api_id, stands.get("DeploymentId", ""))


def _text(names: Names, step: MakeApiStage, known: Known) -> str:
    arns = {
        each.name: f"{names.function_arn(names.function(each.name))}:"
        f"{known[Ref(Made.VERSION, each.name)]}"
        for each in step.functions
    }
    role = known[Ref(Made.ROLE, "api")]
    acceptor = acceptor_arn(names, known)
    # The API is all previews': an import sets its name and tags as well.
    whole = body(
        names.previews, step.functions, step.api, role_arn=role, arns=arns, acceptor=acceptor
    )
    return json.dumps(whole)


def _lead(
    aws: Aws,
    names: Names,
    *,
    step: MakeApiStage,
    text: str,
    digest: str,
    api_id: str,
    lease: Lease,
) -> None:
    """Import, deployment, stage: a deployment is of what the API is at its moment."""
    description = f"{step.api_stage} {lease.token} {digest[:16]}"
    aws.api.reimport_api(ApiId=api_id, Body=text, FailOnWarnings=False)
    deployment = made_once(
        aws,
        lambda: aws.api_once.create_deployment(ApiId=api_id, Description=description)[
            "DeploymentId"
        ],
        find=lambda: _find(aws, api_id, description),
    )
    lease.check()
    more: dict[str, Any] = {
        "DeploymentId": deployment,
        "RouteSettings": route_settings(step.functions, step.api),
    }
    if step.api.access_log:
        more["AccessLogSettings"] = access_log(aws, names.previews, days=step.api.log_days)
    before = _stage(aws, api_id, step.api_stage)
    tags = {**ownership.tags_of(names), ROUTES: digest}
    if before is None:
        aws.api.create_stage(
            ApiId=api_id, StageName=step.api_stage, AutoDeploy=False, Tags=tags, **more
        )
        return
    aws.api.update_stage(ApiId=api_id, StageName=step.api_stage, AutoDeploy=False, **more)
    here = f"arn:{names.partition}:apigateway:{names.region}::"
    aws.api.tag_resource(ResourceArn=f"{here}/apis/{api_id}/stages/{step.api_stage}", Tags=tags)
    if before.get("DeploymentId") != deployment:
        _drop_deployment(aws, api_id, before.get("DeploymentId", ""))


def _stage(aws: Aws, api_id: str, api_stage: str) -> Any:
    try:
        return aws.api.get_stage(ApiId=api_id, StageName=api_stage)
    except aws.api.exceptions.NotFoundException:
        return None


def _find(aws: Aws, api_id: str, description: str) -> str | None:
    for page in aws.api.get_paginator("get_deployments").paginate(ApiId=api_id):
        for each in page["Items"]:
            if each.get("Description") == description:
                return str(each["DeploymentId"])
    return None


def _drop_deployment(aws: Aws, api_id: str, deployment: str) -> None:
    if deployment:
        with tolerating("NotFoundException"):
            aws.api.delete_deployment(ApiId=api_id, DeploymentId=deployment)
