"""An example's workflows as GitHub reads them: which jobs an event starts, and what each may.

Keys that are not known here fail, so that no example says what nobody has looked at.
Source: docs.github.com, "Workflow syntax for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.examples.expressions import filled, holds

_PULLS = ["opened", "synchronize", "reopened"]  # of `pull_request` without `types`
_WORKFLOW = {"name", True, "concurrency", "permissions", "jobs"}  # YAML reads `on` as True
_JOB = {"if", "strategy", "runs-on", "permissions", "concurrency", "environment", "steps"}


@dataclass(frozen=True)
class Occasion:
    """An event with what its payload says; `workflow` is the one that a workflow_run follows."""

    name: str
    payload: Mapping[str, Any]
    branch: str = ""
    workflow: str = ""

    @property
    def activity(self) -> str:
        return str(self.payload.get("action", ""))


@dataclass(frozen=True)
class Job:
    workflow: str
    name: str
    permissions: Mapping[str, str]
    group: str
    steps: tuple[Mapping[str, Any], ...]
    contexts: Mapping[str, Any]

    def inputs(self, step: Mapping[str, Any]) -> dict[str, str]:
        given = step.get("with", {})
        return {name: filled(_text(told), self.contexts) for name, told in given.items()}


def jobs(tree: Path, occasion: Occasion, contexts: Mapping[str, Any]) -> Iterator[Job]:
    """Those that run, of all workflows in `tree`."""
    for file in sorted((tree / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(file.read_text())
        assert workflow.keys() <= _WORKFLOW, file
        if _starts(workflow[True], occasion):
            known = {**contexts, "inputs": _dispatched(workflow[True], occasion)}
            for name, job in workflow["jobs"].items():
                yield from _of_job(workflow, name, job=job, contexts=known)


def _starts(triggers: Any, occasion: Occasion) -> bool:
    told = triggers if isinstance(triggers, dict) else {triggers: None}
    if occasion.name not in told:
        return False
    wanted = told[occasion.name] or {}
    match occasion.name:
        case "push":
            return any(fnmatchcase(occasion.branch, each) for each in wanted["branches"])
        case "pull_request" | "pull_request_target":
            return occasion.activity in wanted.get("types", _PULLS)
        case "workflow_run":
            return occasion.workflow in wanted["workflows"] and occasion.activity in wanted["types"]
    return occasion.name in ("schedule", "workflow_dispatch")


def _dispatched(triggers: Any, occasion: Occasion) -> dict[str, str]:
    """What a person chose, where this is `workflow_dispatch`: nothing that is not offered."""
    if occasion.name != "workflow_dispatch":
        return {}
    offered = triggers["workflow_dispatch"]["inputs"]
    given = {name: each["default"] for name, each in offered.items()} | occasion.payload["inputs"]
    for name, told in given.items():
        assert told in offered[name].get("options", [told]), (name, told)
    return given


def _of_job(
    workflow: Mapping[Any, Any], name: str, *, job: Mapping[str, Any], contexts: Mapping[str, Any]
) -> Iterator[Job]:
    assert job.keys() <= _JOB, name
    if not holds(job.get("if", "true == true"), contexts):
        return
    matrix = job.get("strategy", {}).get("matrix", {})
    for values in product(*matrix.values()):
        known = {**contexts, "matrix": dict(zip(matrix, values, strict=True))}
        concurrency = job.get("concurrency") or workflow["concurrency"]
        yield Job(
            workflow=workflow["name"],
            name=name,
            permissions=job.get("permissions", workflow["permissions"]),
            group=filled(concurrency["group"], known),
            steps=tuple(job["steps"]),
            contexts=known,
        )


def _text(told: Any) -> str:
    return str(told).lower() if isinstance(told, bool) else str(told)
