"""What GitHub shows as deployments: one is in progress, ends, and makes older ones inactive.

GitHub inactivates neither transient nor production ones by itself. A site's deployments to one
environment of ours share a `task`, so that previews of many pull requests share GitHub's `preview`.
Source: docs.github.com, "REST API endpoints for deployment statuses", `auto_inactive`.
"""

from __future__ import annotations

from runner.errors import JamError
from runner.github import GitHub
from runner.github.codes import DOWN
from runner.github.values import Deployment, DeploymentStatus, NewDeployment

PREVIEW = "preview"  # GitHub's environment for all of ours that are named `pr-<n>`
PRODUCTION = "production"
# What came to nothing stays to be seen; what is over is over.
_ENDED = frozenset({"error", "failure"})


def wanted(
    *, site: str, environment: str, sha: str, pull: int = 0, description: str = ""
) -> NewDeployment:
    """The deployment of a commit to `production`, or to `pr-<n>`, which is `pull`'s."""
    return NewDeployment(
        sha=sha,
        environment=PREVIEW if pull else PRODUCTION,
        task=task_of(site, environment),
        description=description,
        transient=bool(pull),
        production=not pull,
        payload=(("site", site), ("environment", environment), ("pull", pull)),
    )


def task_of(site: str, environment: str) -> str:
    return f"deploy:{site}:{environment}"


def begin(github: GitHub, new: NewDeployment, *, log: str, description: str = "") -> int:
    """Makes it, in progress; `log` is the page with the run's log. Its id."""
    made = _created(github, new)
    status = DeploymentStatus(state="in_progress", log=log, description=description)
    github.create_deployment_status(made.id, status)
    return made.id


def succeed(github: GitHub, deployment: int, *, of: NewDeployment, url: str, log: str) -> None:
    """It serves at `url`, and what served before in its place does no more."""
    github.create_deployment_status(deployment, DeploymentStatus(state="success", url=url, log=log))
    retire(github, of.environment, task=of.task, keep=deployment)


def fail(github: GitHub, deployment: int, *, why: str, log: str) -> None:
    """It came to nothing; what served before goes on."""
    github.create_deployment_status(
        deployment, DeploymentStatus(state="failure", log=log, description=why)
    )


def retire(github: GitHub, environment: str, *, task: str, keep: int = 0) -> int:
    """Makes all but `keep` inactive, newest first as far as any is active; how many it made so."""
    retired = 0
    for each in github.deployments(environment, task=task):
        if each.id == keep:
            continue
        state = github.deployment_state(each.id)
        if state == "inactive":
            break  # what is older was made so with it
        if state not in _ENDED:
            github.create_deployment_status(each.id, DeploymentStatus(state="inactive"))
            retired += 1
    return retired


def _created(github: GitHub, new: NewDeployment) -> Deployment:
    """Sent once. If the answer is lost, a look tells whether the deployment is there."""
    try:
        return github.create_deployment(new)
    except JamError as error:
        if error.code != DOWN:
            raise
        newest = next(github.deployments(new.environment, task=new.task), None)
        if newest and newest.sha == new.sha and not github.deployment_state(newest.id):
            return newest
        raise
