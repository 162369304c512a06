"""What goes of an API, so that there is room for the next api_stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.apply import Known
from runner.aws import fenced, keyvalues, ownership, records, written
from runner.aws.api_standing import Standing, stage
from runner.aws.leases import Lease
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, aws_error, busy_error
from runner.names import Names
from runner.plan.refs import Made, Ref
from runner.plan.releasing import DropApiStage, Stages
from runner.together import at_once

# Of an API. Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
MOST_STAGES = 10


def retire(
    aws: Aws, names: Names, *, step: DropApiStage, known: Known, lease: Lease | None = None
) -> None:
    """Off the record first: from then on nobody counts on these api_stages. Then the routing: a
    function of a release without it goes to live's api_stage."""
    api_id, store = known[Ref(Made.API)], known[Ref(Made.STORE)]
    with at_once(1) as beside:
        found = beside.submit(lambda: [stage(aws, api_id, api_stage=it) for it in step.api_stages])
        if not record_stages(aws, names, stages=step.stays, sequence=step.sequence, lease=lease):
            raise _superseded(step)
    if step.releases:
        keyvalues.drop(aws, store, keys=[f"r/{each}" for each in step.releases])
    for each in found.result():
        _drop(aws, api_id, each)


def record_stages(
    aws: Aws, names: Names, *, stages: Stages, sequence: int, lease: Lease | None = None
) -> bool:
    """These api_stages stand for these releases; False where a newer run knows better."""
    update = {
        "TableName": names.records,
        "Key": written.key(written.environment_key(names)),
        "UpdateExpression": "SET #stages = :stages",
        "ConditionExpression": "#sequence = :sequence",
        "ExpressionAttributeNames": written.aliased("stages", "sequence"),
        "ExpressionAttributeValues": written.values(
            stages=[[each, list(users)] for each, users in stages], sequence=sequence
        ),
    }
    return fenced.write(aws, [{"Update": update}], lease=lease)


def drop_stage(aws: Aws, api_id: str, *, api_stage: str) -> None:
    """The stage and its deployment."""
    _drop(aws, api_id, stage(aws, api_id, api_stage=api_stage))


def _drop(aws: Aws, api_id: str, found: Any) -> None:
    if found is None:
        return
    with tolerating("NotFoundException"):
        aws.api.delete_stage(ApiId=api_id, StageName=found["StageName"])
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


def _superseded(step: DropApiStage) -> JamError:
    return busy_error(
        "JAM-SUPERSEDED",
        f"Another run has recorded a release while this one staged its own upon number "
        f"{step.sequence}.",
        hint="Run again to deploy on top of it; give the job a `concurrency` group.",
    )


def _full(api_id: str) -> JamError:
    return aws_error(
        "JAM-QUOTA-STAGES",
        f"The API {api_id} has {MOST_STAGES} stages, which is all that API Gateway allows, and "
        "each is a kept release's.",
        hint="Delete stages that others added to it, or ask AWS for more in Service Quotas (API "
        "Gateway, stages per API); nothing was switched.",
    )
