"""The api_stage of a preview: one that stays, `pr-<n>`, and is led to a new snapshot.

All previews of a site share an API, whose routes are one draft: import and deployment happen under
the lease of what previews share. The stage is led to its deployment right before the host shows it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runner.apply import Fence, Known
from runner.aws import ownership
from runner.aws.api import bearer_of, made_once, make_log, settings
from runner.aws.api_room import MOST_STAGES
from runner.aws.api_standing import deployments, stage, stages_of
from runner.aws.background import acceptor_arn
from runner.aws.leases import Lease
from runner.aws.openapi import body
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Origin
from runner.names import PREVIEWS, Names
from runner.plan.previewing import LeadStage
from runner.plan.refs import Made, Ref
from runner.plan.releasing import MakeApiStage
from runner.together import Later, at_once

# Previews' deployments follow one another under a lease: who is refused is next.
QUEUED = 0.5  # seconds


def make_stage(
    aws: Aws,
    names: Names,
    *,
    step: MakeApiStage,
    known: Known,
    fence: Fence,
    later: Later,
    seen: Callable[[], Any] | None = None,
) -> dict[Ref, str]:
    """The API with the stage, and the deployment that it is to be led to: empty where it has these
    routes. One that is new has them at once: nothing leads to it yet. `seen`: the stage as it was
    looked at under this preview's lease.

    Its description is the digest of what it serves: it changes at the same moment.

    The `fence` is the preview's own, asked before what a newer run's would be undone by. The lease
    of all is given back `later`: what follows does not need it.
    """
    text = _text(names, step, known, bearer=bearer_of(aws, known, functions=step.functions))
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    api_id = known[Ref(Made.API)]
    stands = seen() if seen else stage(aws, api_id, api_stage=step.api_stage)
    if stands and stands.get("Description") == digest:
        return {Ref(Made.API): api_id, Ref(Made.API_STAGE): ""}
    with _alone(aws, names, later=later) as lease:
        if stands is None:
            api_id, stands = _placed(aws, names, api_stage=step.api_stage)
        if api_id != known[Ref(Made.API, PREVIEWS)]:
            text = _named(aws, text, api_id)
        description = f"{step.api_stage} {lease.token} {digest[:16]}"
        with at_once(1) as pool:
            log = pool.submit(make_log, aws, names.previews, api=step.api)
            with aws.fenced(lease.check):
                deployment = _deployed(aws, api_id, text=text, description=description)
            log.result()
        lease.check()
        if stands is None:
            lead = LeadStage(api_stage=step.api_stage, functions=step.functions, api=step.api)
            with aws.fenced(fence):
                aws.api.create_stage(
                    ApiId=api_id,
                    Tags=ownership.tags_of(names),
                    **_settings(names, lead, deployment=deployment, digest=digest),
                )
            return {Ref(Made.API): api_id, Ref(Made.API_STAGE): ""}
    before = stands.get("DeploymentId", "")
    return {Ref(Made.API): api_id, Ref(Made.API_STAGE): f"{deployment} {digest} {before}"}


def lead(aws: Aws, names: Names, *, step: LeadStage, known: Known) -> None:
    """The stage answers with the deployment that was made for it. API Gateway knows no condition:
    whoever performs a visible step sends it under its fence."""
    deployment, digest, _ = _made(known)
    if deployment:
        settled = _settings(names, step, deployment=deployment, digest=digest)
        aws.api.update_stage(ApiId=known[Ref(Made.API)], **settled)


def drop_before(aws: Aws, known: Known) -> None:
    """The deployment that the stage was led to before this run led it to another."""
    deployment, _, before = _made(known)
    if before != deployment:
        _drop_deployment(aws, known[Ref(Made.API)], before)


def _made(known: Known) -> tuple[str, str, str]:
    """What this run made for the stage: deployment and digest, and the deployment before it."""
    deployment, digest, before = (known.get(Ref(Made.API_STAGE), "").split(" ") + [""] * 3)[:3]
    return deployment, digest, before


def drop_stage(aws: Aws, names: Names) -> None:
    """The preview's stage and its snapshot, whichever API has it; nothing where none has."""
    for api_id in _apis(aws, names).values():
        if stage(aws, api_id, api_stage=names.environment) is not None:
            with tolerating("NotFoundException"):
                aws.api.delete_stage(ApiId=api_id, StageName=names.environment)
        drop_unled(aws, names, api_id)


def drop_unled(aws: Aws, names: Names, api_id: str = "") -> None:
    """Deployments for the preview that its stage is not led to, in this API or in all."""
    for each in [api_id] if api_id else list(_apis(aws, names).values()):
        in_use = (stage(aws, each, api_stage=names.environment) or {}).get("DeploymentId", "")
        for made, said in deployments(aws, each):
            if said.startswith(f"{names.environment} ") and made != in_use:
                _drop_deployment(aws, each, made)


def _placed(aws: Aws, names: Names, *, api_stage: str) -> tuple[str, Any]:
    """The API that has the stage, with it; else the first with room for one more, or a new one.

    Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API", stages
    per API.
    """
    apis = _apis(aws, names)
    room = ""
    for api_id in apis.values():
        stages = {each["StageName"]: each for each in stages_of(aws, api_id)}
        if api_stage in stages:
            return api_id, stages[api_stage]
        if not room and len(stages) < MOST_STAGES:
            room = api_id
    if room:
        return room, None
    name = f"{names.previews.api}-{max(apis, default=0) + 1}"
    return made_once(
        aws,
        lambda: aws.api_once.create_api(
            Name=name, ProtocolType="HTTP", Tags=ownership.tags_of(names.previews)
        )["ApiId"],
        find=lambda: next((it["ApiId"] for it in _listed(aws, names) if it["Name"] == name), None),
    ), None


def _apis(aws: Aws, names: Names) -> dict[int, str]:
    """The APIs of the site's previews by their numbers; the first bears none in its name."""
    found = {}
    for each in _listed(aws, names):
        number = each["Name"].removeprefix(names.previews.api).removeprefix("-") or "1"
        if number.isdecimal():
            found[int(number)] = each["ApiId"]
    return dict(sorted(found.items()))


def _listed(aws: Aws, names: Names) -> Iterator[Any]:
    for page in aws.api.get_paginator("get_apis").paginate():
        for each in page["Items"]:
            is_ours = ownership.is_ours(each.get("Tags", {}), names.previews)
            if is_ours and each["Name"].startswith(names.previews.api):
                yield each


def _text(names: Names, step: MakeApiStage, known: Known, *, bearer: str) -> str:
    arns = {
        each.name: f"{names.function_arn(names.function(each.name))}:"
        f"{known[Ref(Made.VERSION, each.name)]}"
        for each in step.functions
    }
    role = known[Ref(Made.ROLE, "api")]
    acceptor = acceptor_arn(names, known)
    # The API is all previews': an import sets its name and tags as well.
    whole = body(
        names.previews,
        step.functions,
        step.api,
        role_arn=role,
        arns=arns,
        acceptor=acceptor,
        bearer=bearer,
    )
    return json.dumps(whole)


@contextmanager
def _alone(aws: Aws, names: Names, *, later: Later) -> Iterator[Lease]:
    """Under the lease of what previews share: an API's routes are one draft."""
    lease = Lease(
        aws,
        names.previews,
        owner=secrets.token_hex(8),
        run=f"the routes of {names.environment}",
        origin=Origin(),
    )
    with lease.kept(later=later):
        lease.take(say=lambda _line: None)
        yield lease


def _deployed(aws: Aws, api_id: str, *, text: str, description: str) -> str:
    """A deployment is of what the API is at its moment."""
    aws.api.reimport_api(ApiId=api_id, Body=text, FailOnWarnings=False)

    def create() -> str:
        return aws.api_once.create_deployment(ApiId=api_id, Description=description)["DeploymentId"]

    return made_once(aws, create, find=lambda: _find(aws, api_id, description), every=QUEUED)


def _settings(names: Names, step: LeadStage, *, deployment: str, digest: str) -> Any:
    return {
        "StageName": step.api_stage,
        "Description": digest,
        "AutoDeploy": False,
        "DeploymentId": deployment,
        **settings(names.previews, functions=step.functions, api=step.api),
    }


def _named(aws: Aws, text: str, api_id: str) -> str:
    """The definition with the API's own name: an import sets it."""
    whole = json.loads(text)
    whole["info"]["title"] = aws.api.get_api(ApiId=api_id)["Name"]
    return json.dumps(whole)


def _find(aws: Aws, api_id: str, description: str) -> str | None:
    found = (made for made, said in deployments(aws, api_id) if said == description)
    return next(found, None)


def _drop_deployment(aws: Aws, api_id: str, deployment: str) -> None:
    if deployment:
        with tolerating("NotFoundException"):
            aws.api.delete_deployment(ApiId=api_id, DeploymentId=deployment)
