"""What goes of an API, so that there is room for the next api_stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.aws import keyvalues, ownership, records
from runner.aws.api_standing import Standing, stage
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, aws_error
from runner.names import Names

# Of an API. Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
MOST_STAGES = 10


def drop_stage(aws: Aws, api_id: str, *, api_stage: str) -> None:
    """The stage and its deployment."""
    found = stage(aws, api_id, api_stage=api_stage)
    if found is None:
        return
    with tolerating("NotFoundException"):
        aws.api.delete_stage(ApiId=api_id, StageName=api_stage)
    with tolerating("NotFoundException"):
        aws.api.delete_deployment(ApiId=api_id, DeploymentId=found.get("DeploymentId", ""))


def make_room(aws: Aws, names: Names, *, api_id: str, standing: Sequence[Any]) -> None:
    """Drops the oldest api_stage of ours that no record names: a run that was killed, or whose
    functions failed before the switch, left it. Raises JamError `JAM-QUOTA-STAGES` without one."""
    found = records.read(aws, names, release="")
    named = dict(found[0].stages) if found else {}
    ours = [each for each in standing if ownership.is_ours(each.get("Tags", {}), names)]
    strays = (each["StageName"] for each in ours if each["StageName"] not in named)
    stray = next(strays, None)
    store = keyvalues.find(aws, names)
    if stray is None or store is None:
        raise _full(api_id)
    keyvalues.drop_routing(aws, store, api_stage=stray)
    drop_stage(aws, api_id, api_stage=stray)


def drop_unfinished(aws: Aws, api_id: str, *, api_stage: str, seen: Standing, in_use: str) -> None:
    """Deployments of runs that ended before they named the stage: of whose import, nobody knows."""
    for each, said in seen.deployments:
        if said.startswith(f"{api_stage} ") and each != in_use:
            with tolerating("NotFoundException"):
                aws.api.delete_deployment(ApiId=api_id, DeploymentId=each)


def _full(api_id: str) -> JamError:
    return aws_error(
        "JAM-QUOTA-STAGES",
        f"The API {api_id} has {MOST_STAGES} stages, which is all that API Gateway allows, and "
        "each is a kept release's.",
        hint="Delete stages that others added to it, or ask AWS for more in Service Quotas (API "
        "Gateway, stages per API); nothing was switched.",
    )
