"""PyGithub's objects as our values; only what an answer has is read: nothing is asked anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from github import BadAttributeException

from runner.github.values import Comment, Deployment, Pull, Repository, WorkflowRun

if TYPE_CHECKING:
    from github.Deployment import Deployment as TheirDeployment
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.PullRequestPart import PullRequestPart
    from github.Repository import Repository as TheirRepository
    from github.WorkflowRun import WorkflowRun as TheirRun

_GHOST = "ghost"  # whom GitHub shows where an account was deleted


def repository(it: TheirRepository) -> Repository:
    return Repository(
        id=it.id, name=it.full_name, private=it.private, default_branch=it.default_branch
    )


def pull(it: PullRequest) -> Pull:
    base = _repository_of(it.base)
    assert base is not None, "a pull request is in a repository"
    return Pull(
        number=it.number,
        open=it.state == "open",
        title=it.title,
        author=_login(it.user),
        head_sha=it.head.sha,
        head_ref=it.head.ref,
        head_repository=_repository_of(it.head),
        base_sha=it.base.sha,
        base_ref=it.base.ref,
        base_repository=base,
        url=it.html_url,
        merged=it.merged_at is not None,  # `merged` is not in lists, and would be asked for
        draft=it.draft,
        labels=tuple(label.name for label in it.labels),
    )


def comment(it: IssueComment) -> Comment:
    bot = it.user is not None and it.user.type == "Bot"
    return Comment(id=it.id, author=_login(it.user), bot=bot, body=it.body or "", url=it.html_url)


def deployment(it: TheirDeployment) -> Deployment:
    return Deployment(
        id=it.id,
        sha=it.sha,
        environment=it.environment,
        task=it.task,
        payload=_payload(it),
    )


def run(it: TheirRun) -> WorkflowRun:
    head = it.head_repository
    return WorkflowRun(
        id=it.id,
        event=it.event,
        conclusion=it.conclusion or "",
        head_sha=it.head_sha,
        head_branch=it.head_branch or "",
        head_owner=_login(head.owner) if head else "",
        head_repository=head.id if head else None,
    )


def _login(user: Any) -> str:
    return str(user.login) if user is not None else _GHOST


def _repository_of(side: PullRequestPart) -> int | None:
    there: TheirRepository | None = side.repo
    return there.id if there is not None else None


def _payload(it: TheirDeployment) -> tuple[tuple[str, str | int], ...]:
    """Other tools' may be a text, which PyGithub does not expect."""
    try:
        found: Any = it.payload
    except BadAttributeException:
        return ()
    items = found.items() if isinstance(found, Mapping) else ()
    return tuple((str(name), value) for name, value in items if isinstance(value, str | int))
