"""What GitHub tells us and what we tell it, as frozen values. Pure: no network, no clock.

States are those of GitHub's own description of its REST API, `api.github.com.json` of the npm
package `@octokit/openapi`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
"""Of a deployment."""

Conclusion = Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out"]
"""Of a check run that is completed."""

Level = Literal["notice", "warning", "failure"]
Role = Literal["admin", "write", "read", "none"]
"""What a user may do to a repository; GitHub tells maintain as write, and triage as read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """`name` is `owner/name`. Where nobody says whether it is private, it is."""

    id: int
    name: str
    private: bool
    default_branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request. `head_repository` is None once the fork that it came from is deleted."""

    number: int
    open: bool
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: int | None
    base_sha: str
    base_ref: str
    base_repository: int
    url: str
    merged: bool = False
    draft: bool = False
    labels: tuple[str, ...] = ()

    @property
    def fork(self) -> bool:
        """Whether its code is of somebody who may not write to the repository."""
        return self.head_repository != self.base_repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a pull request; `bot` says that GitHub tells its author as one."""

    id: int
    author: str
    bot: bool
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeployment:
    """A deployment to be made; `sha` and not a branch, which may have moved on.

    By `task`, which is ours, those of one site and environment are found again.
    """

    sha: str
    environment: str
    task: str
    description: str = ""
    transient: bool = False
    production: bool = False
    payload: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One that GitHub has; `payload` as it was made, empty if somebody else made it otherwise."""

    id: int
    sha: str
    environment: str
    task: str
    payload: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatus:
    """What became of a deployment: `url` is the site's, `log` the page with the run's log."""

    state: State
    url: str = ""
    log: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One remark on a line of a file of the commit; lines count from 1."""

    path: str
    line: int
    message: str
    level: Level = "failure"
    title: str = ""
    last_line: int = 0  # 0: the same line


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check run on a commit. Without a conclusion it is in progress."""

    name: str
    sha: str
    title: str
    summary: str
    text: str = ""
    conclusion: Conclusion | None = None
    details_url: str = ""
    annotations: tuple[Annotation, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many commits `head` has that `base` lacks, and the other way round."""

    ahead: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """A run of a workflow, as GitHub tells it: what a later run may believe of an earlier one."""

    id: int
    event: str
    conclusion: str
    head_sha: str
    head_branch: str
    head_owner: str
    head_repository: int | None
