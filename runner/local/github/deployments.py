"""Deployments, their statuses and the environments that come with them.

Source: docs.github.com, "REST API endpoints for deployments" and "… for deployment statuses".
"""

from __future__ import annotations

from typing import Any

from runner.local.github.asked import Answer, Asked, Handler, Listed, found_in
from runner.local.github.state import Deployment, RefusedError, Repository, Status

_LONGEST = 140  # characters of a status's description: GitHub's description says so of its answer


def create(asked: Asked) -> Answer:
    repository, body = asked.repository, asked.body
    ref = str(body["ref"])
    sha = asked.state.resolve(repository, ref)
    if sha is None:
        raise RefusedError(422, f"No ref found for: {ref}")
    if body.get("auto_merge", True) and _is_behind(asked, ref, sha):
        main = repository.default_branch
        told = f"Auto-merged {main} into {ref} on deployment."
        return Answer(status=202, value={"message": told})
    _check_contexts(asked, sha, ref)
    environment = str(body.get("environment") or "production")
    made = Deployment(
        id=asked.state.id(),
        sha=sha,
        ref=ref,
        task=str(body.get("task", "deploy")),
        environment=environment,
        payload=body.get("payload", {}),
        description=body.get("description"),
        transient=bool(body.get("transient_environment", False)),
        production=bool(body.get("production_environment", environment == "production")),
        creator=asked.token.login,
        at=asked.now,
    )
    repository.environments.setdefault(environment, asked.state.id())
    repository.deployments[made.id] = made
    return Answer(status=201, value=asked.shapes.deployment(made, repository))


def listed(asked: Asked) -> Listed:
    """Newest first."""
    wanted = {name: asked.query[name] for name in _FILTERS if name in asked.query}
    found = [
        each
        for each in reversed(asked.repository.deployments.values())
        if all(getattr(each, name) == value for name, value in wanted.items())
    ]
    return Listed(items=[asked.shapes.deployment(each, asked.repository) for each in found])


_FILTERS = ("sha", "ref", "task", "environment")


def one(asked: Asked) -> Answer:
    return Answer(status=200, value=asked.shapes.deployment(_found(asked), asked.repository))


def delete(asked: Asked) -> Answer:
    """Only what is inactive, or the only one that the repository has."""
    found, others = _found(asked), asked.repository.deployments
    active = bool(found.statuses) and found.statuses[-1].state != "inactive"
    if len(others) > 1 and (active or not found.statuses):
        raise RefusedError(
            422,
            "We cannot delete an active deployment unless it is the only deployment in a given "
            "environment.",
        )
    del others[found.id]
    return Answer(status=204)


def create_status(asked: Asked) -> Answer:
    found, body = _found(asked), asked.body
    if len(str(body.get("description", ""))) > _LONGEST:
        raise RefusedError(
            422,
            "Validation Failed",
            errors=(f"description is too long (maximum is {_LONGEST} characters)",),
        )
    made = _status(asked, found, body)
    found.statuses.append(made)
    if made.state == "success" and body.get("auto_inactive", True):
        _inactivate(asked, found)
    return Answer(status=201, value=asked.shapes.status(made, found, asked.repository))


def statuses(asked: Asked) -> Listed:
    """Newest first."""
    found = _found(asked)
    shapes, repository = asked.shapes, asked.repository
    return Listed(
        items=[shapes.status(each, found, repository) for each in reversed(found.statuses)]
    )


def environments(asked: Asked) -> Listed:
    shapes, repository = asked.shapes, asked.repository
    names = sorted(repository.environments)
    return Listed(
        items=[shapes.environment(name, repository) for name in names], within="environments"
    )


def environment(asked: Asked) -> Answer:
    name = asked.path["environment_name"]
    found_in(asked.repository.environments, name)
    return Answer(status=200, value=asked.shapes.environment(name, asked.repository))


def _status(asked: Asked, of: Deployment, body: Any) -> Status:
    return Status(
        id=asked.state.id(),
        state=body["state"],
        creator=asked.token.login,
        description=body.get("description", ""),
        environment=body.get("environment", of.environment),
        environment_url=body.get("environment_url", ""),
        log_url=body.get("log_url") or body.get("target_url", ""),
        at=asked.now,
    )


def _inactivate(asked: Asked, newest: Deployment) -> None:
    """Earlier successes there, but neither transient nor production ones: so GitHub says."""
    for each in asked.repository.deployments.values():
        same = each.environment == newest.environment and each.id < newest.id
        spared = each.transient or each.production
        if same and not spared and each.statuses and each.statuses[-1].state == "success":
            each.statuses.append(_status(asked, each, {"state": "inactive"}))


def _is_behind(asked: Asked, ref: str, sha: str) -> bool:
    """Whether a branch lacks commits of the default branch: GitHub merges those in first."""
    repository, state = asked.repository, asked.state
    main = repository.branches[repository.default_branch]
    return ref in repository.branches and main not in state.history(sha)


def _check_contexts(asked: Asked, sha: str, ref: str) -> None:
    """Without `required_contexts` all of the commit's statuses must be successes."""
    wanted = asked.body.get("required_contexts")
    newest = {each.context: each.state for each in asked.repository.statuses if each.sha == sha}
    contexts = newest if wanted is None else wanted
    if any(newest.get(context) != "success" for context in contexts):
        raise RefusedError(409, f"Conflict: Commit status checks failed for {ref}.")


def _found(asked: Asked) -> Deployment:
    repository: Repository = asked.repository
    return found_in(repository.deployments, asked.number("deployment_id"))


HANDLERS: dict[str, Handler] = {
    "repos/create-deployment": create,
    "repos/list-deployments": listed,
    "repos/get-deployment": one,
    "repos/delete-deployment": delete,
    "repos/create-deployment-status": create_status,
    "repos/list-deployment-statuses": statuses,
    "repos/get-all-environments": environments,
    "repos/get-environment": environment,
}
