"""What stands of an API: its api_stages, and the deployments that they are led to. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.aws.session import Aws
from runner.together import at_once


@dataclass(frozen=True, slots=True)
class Standing:
    """An API at one moment: api_stages, the oldest first, and deployments by their ids."""

    stages: tuple[Any, ...]
    deployments: tuple[tuple[str, str], ...]  # each with its description


def standing(aws: Aws, api_id: str) -> Standing:
    """Both at once."""
    with at_once(1) as pool:
        made = pool.submit(deployments, aws, api_id)
        return Standing(tuple(stages_of(aws, api_id)), made.result())


def stages_of(aws: Aws, api_id: str) -> list[Any]:
    """All api_stages, the oldest first."""
    pages = aws.api.get_paginator("get_stages").paginate(ApiId=api_id)
    found = [each for page in pages for each in page["Items"]]
    return sorted(found, key=lambda each: each["CreatedDate"])


def stage(aws: Aws, api_id: str, *, api_stage: str) -> Any:
    """One of them; None where there is none of that name."""
    try:
        return aws.api.get_stage(ApiId=api_id, StageName=api_stage)
    except aws.api.exceptions.NotFoundException:
        return None


def deployments(aws: Aws, api_id: str) -> tuple[tuple[str, str], ...]:
    """The ids of all, each with its description."""
    pages = aws.api.get_paginator("get_deployments").paginate(ApiId=api_id)
    found = (each for page in pages for each in page["Items"])
    return tuple((each["DeploymentId"], each.get("Description", "")) for each in found)
