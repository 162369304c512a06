"""Everything that this program asks GitHub or tells it; the only package that imports PyGithub.

`GitHub` is one repository behind plain calls, each of them one request or one list of pages; the
functions beside it are what the product does with them. `runner.github.client.connect` gives the
real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from runner.github.values import (
    Annotation,
    Check,
    Comment,
    Comparison,
    Deployment,
    DeploymentStatus,
    NewDeployment,
    Pull,
    Repository,
    Role,
    WorkflowRun,
)

__all__ = [
    "Annotation",
    "Check",
    "Comment",
    "Comparison",
    "Deployment",
    "DeploymentStatus",
    "GitHub",
    "NewDeployment",
    "Pull",
    "Repository",
    "Role",
    "WorkflowRun",
]


class GitHub(Protocol):
    """One repository. Every call raises JamError with one of `runner.github.codes`.

    Lists are read page by page, as far as they are asked for. What makes something anew is sent
    once and never again: whoever asks twice looks first.
    """

    def login(self) -> str:
        """Whose the token is; empty for an app's, as a workflow's own is: it cannot be asked."""

    def repository(self) -> Repository: ...

    def pull(self, number: int) -> Pull: ...

    def open_pulls(self, *, head: str = "") -> Iterator[Pull]:
        """All, or those of `owner:branch`."""

    def pulls_with(self, sha: str) -> Iterator[Pull]:
        """Pull requests that have the commit, closed ones too."""

    def comments(self, pull: int) -> Iterator[Comment]:
        """Oldest first."""

    def create_comment(self, pull: int, body: str) -> Comment: ...

    def edit_comment(self, comment: int, body: str) -> Comment: ...

    def delete_comment(self, comment: int) -> None: ...

    def deployments(self, environment: str, *, task: str) -> Iterator[Deployment]:
        """Newest first."""

    def create_deployment(self, wanted: NewDeployment) -> Deployment: ...

    def deployment_state(self, deployment: int) -> str:
        """The state of its newest status; empty without one."""

    def create_deployment_status(self, deployment: int, status: DeploymentStatus) -> None: ...

    def create_check(self, check: Check) -> int:
        """With the first 50 annotations at most; the check run's id."""

    def update_check(self, run: int, check: Check) -> None:
        """Adds its annotations, 50 at most, to those that the check run has."""

    def compare(self, base: str, head: str) -> Comparison: ...

    def role(self, user: str) -> Role: ...

    def run(self, number: int) -> WorkflowRun: ...

    def file(self, path: str, *, ref: str) -> bytes | None:
        """A file of a commit or branch, None without it."""
