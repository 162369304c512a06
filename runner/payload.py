"""The parts of GitHub's event payloads that we read, and the values that they are. Pure.

Whatever is not named here may be missing or of any shape.
Source: docs.github.com, "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import Struct

from runner.github import values
from runner.model import Origin


class User(Struct):
    login: str = ""


class Repository(Struct):
    id: int
    full_name: str = ""
    private: bool = True
    default_branch: str = ""
    owner: User | None = None


class Side(Struct):
    """`repo` is null once a fork is deleted."""

    sha: str
    ref: str = ""
    repo: Repository | None = None


class Label(Struct):
    name: str = ""


class PullRequest(Struct):
    number: int
    state: str
    head: Side
    base: Side
    title: str = ""
    user: User | None = None
    html_url: str = ""
    merged: bool | None = None
    draft: bool | None = None
    labels: list[Label] = []

    def value(self) -> values.Pull:
        if self.base.repo is None:
            raise ValueError(f"pull request {self.number} is in no repository")
        return values.Pull(
            number=self.number,
            open=self.state == "open",
            title=self.title,
            author=self.user.login if self.user else "",
            head_sha=self.head.sha,
            head_ref=self.head.ref,
            head_repository=self.head.repo.id if self.head.repo else None,
            base_sha=self.base.sha,
            base_ref=self.base.ref,
            base_repository=self.base.repo.id,
            url=self.html_url,
            merged=bool(self.merged),
            draft=bool(self.draft),
            labels=tuple(label.name for label in self.labels),
        )


class Run(Struct):
    id: int
    head_sha: str
    event: str = ""
    conclusion: str | None = None
    head_branch: str | None = None
    head_repository: Repository | None = None

    def value(self) -> values.WorkflowRun:
        head = self.head_repository
        return values.WorkflowRun(
            id=self.id,
            event=self.event,
            conclusion=self.conclusion or "",
            head_sha=self.head_sha,
            head_branch=self.head_branch or "",
            head_owner=head.owner.login if head and head.owner else "",
            head_repository=head.id if head else None,
        )


class Commit(Struct):
    message: str = ""


class Payload(Struct):
    action: str | None = None
    repository: Repository | None = None
    pull_request: PullRequest | None = None
    workflow_run: Run | None = None
    head_commit: Commit | None = None
    sender: User | None = None
    inputs: dict[str, Any] | None = None
    ref: str = ""
    deleted: bool = False

    def actor(self, run: Origin) -> str:
        """Whose rights the run has: GITHUB_ACTOR, and not who asked for it once more."""
        return run.author or (self.sender.login if self.sender else "")

    def where(self, environment: Mapping[str, str]) -> values.Repository:
        """As the payload says it; a schedule's may be silent."""
        told = self.repository
        return values.Repository(
            id=told.id if told else int(environment.get("GITHUB_REPOSITORY_ID") or 0),
            name=(told and told.full_name) or environment.get("GITHUB_REPOSITORY", ""),
            private=told.private if told else True,
            default_branch=told.default_branch if told else "",
        )

    @property
    def title(self) -> str:
        if self.pull_request:
            return self.pull_request.title
        return self.head_commit.message.partition("\n")[0].strip() if self.head_commit else ""

    def origin(self, run: Origin) -> Origin:
        """The run's, with the commit that it is about: GITHUB_SHA is a pull request's merge."""
        if self.pull_request:
            head = self.pull_request.head
            return replace(run, commit=head.sha, branch=head.ref, author=self.actor(run))
        if self.workflow_run:
            head_branch = self.workflow_run.head_branch or ""
            return replace(run, commit=self.workflow_run.head_sha, branch=head_branch)
        return replace(run, author=self.actor(run))
