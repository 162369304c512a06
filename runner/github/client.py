"""GitHub over the network, by PyGithub: each call is one request, or one a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from github import Auth, Github

import runner
from runner.errors import JamError, Turn
from runner.github import told
from runner.github.codes import DENIED, GONE, REFUSED
from runner.github.patience import Patience
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

if TYPE_CHECKING:
    from github.GithubObject import GithubObject
    from github.PaginatedList import PaginatedList

Theirs = TypeVar("Theirs", bound="GithubObject")
Got = TypeVar("Got")
_TIMEOUT = 20  # seconds that one request may take
_PAGE = 100  # the most that GitHub gives
# Source: docs.github.com, "About authentication to GitHub", GitHub's token formats.
_APP = "ghs_"
_COMMENTING = "pull-requests: write"


class Client:
    """One repository. `patience` decides what is asked again; see `runner.github.GitHub`."""

    def __init__(
        self, api_url: str, token: str, repository: str, *, patience: Patience, timeout: int
    ) -> None:
        self._patience = patience
        self._app = token.startswith(_APP)
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api_url.rstrip("/"),
            timeout=timeout,
            per_page=_PAGE,
            lazy=True,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
            user_agent=f"jam-deploy/{runner.__version__}",
        )
        self._repo = self._github.get_repo(repository)

    def login(self) -> str:
        if self._app:
            return ""
        user = self._github.get_user()
        try:
            return self._read("tell whose the token is", lambda: user.login, "metadata")
        except JamError as error:
            if error.code == DENIED:
                return ""
            raise

    def repository(self) -> Repository:
        return self._read("show the repository", lambda: told.repository(self._repo), "contents")

    def pull(self, number: int) -> Pull:
        def read() -> Pull:
            return told.pull(self._repo.get_pull(number))

        return self._read(f"show pull request {number}", read, "pull-requests")

    def open_pulls(self, *, head: str = "") -> Iterator[Pull]:
        if head:
            found = self._repo.get_pulls(state="open", head=head)
        else:
            found = self._repo.get_pulls(state="open")
        return self._pages("list pull requests", found, told.pull, "pull-requests")

    def pulls_with(self, sha: str) -> Iterator[Pull]:
        found = self._repo.get_commit(sha).get_pulls()
        return self._pages(f"list pull requests of {sha[:7]}", found, told.pull, "pull-requests")

    def comments(self, pull: int) -> Iterator[Comment]:
        found = self._repo.get_issue(pull).get_comments()
        return self._pages(
            f"list the comments on pull request {pull}", found, told.comment, "pull-requests"
        )

    def create_comment(self, pull: int, body: str) -> Comment:
        issue = self._repo.get_issue(pull)
        return self._once(
            f"comment on pull request {pull}",
            lambda: told.comment(issue.create_comment(body)),
            _COMMENTING,
        )

    def edit_comment(self, comment: int, body: str) -> Comment:
        def edit() -> Comment:
            it = self._repo.get_issue(1).get_comment(comment)  # its address has no pull request
            it.edit(body)
            return told.comment(it)

        return self._patience.ask(f"change comment {comment}", edit, needs=_COMMENTING)

    def delete_comment(self, comment: int) -> None:
        it = self._repo.get_issue(1).get_comment(comment)
        self._patience.ask(f"delete comment {comment}", it.delete, needs=_COMMENTING)

    def deployments(self, environment: str, *, task: str) -> Iterator[Deployment]:
        found = self._repo.get_deployments(environment=environment, task=task)
        return self._pages("list deployments", found, told.deployment, "deployments")

    def create_deployment(self, wanted: NewDeployment) -> Deployment:
        def create() -> Deployment:
            return told.deployment(
                self._repo.create_deployment(
                    wanted.sha,
                    task=wanted.task,
                    auto_merge=False,  # else GitHub may merge, and make none
                    required_contexts=[],
                    payload=dict(wanted.payload),
                    environment=wanted.environment,
                    description=wanted.description,
                    transient_environment=wanted.transient,
                    production_environment=wanted.production,
                )
            )

        return self._once("make a deployment", create, "deployments: write")

    def deployment_state(self, deployment: int) -> str:
        def read() -> str:
            newest = self._repo.get_deployment(deployment).get_statuses().get_page(0)
            return newest[0].state if newest else ""

        return self._read(f"show deployment {deployment}", read, "deployments")

    def create_deployment_status(self, deployment: int, status: DeploymentStatus) -> None:
        optional = {"environment_url": status.url, "target_url": status.log}
        given = {name: value for name, value in optional.items() if value}
        it = self._repo.get_deployment(deployment)
        self._once(
            f"tell how deployment {deployment} went",
            lambda: it.create_status(
                status.state,
                description=status.description[:140],  # GitHub's limit
                auto_inactive=False,  # spares transient and production ones: `retire` does it
                **given,
            ),
            "deployments: write",
        )

    def create_check(self, check: Check) -> int:
        def create() -> int:
            return self._repo.create_check_run(check.name, check.sha, **_check(check)).id

        return self._once("make a check", create, "checks: write")

    def update_check(self, run: int, check: Check) -> None:
        it = self._repo.get_check_run(run)
        # Sent once: its annotations would be there twice.
        self._once(f"change check {run}", lambda: it.edit(**_check(check)), "checks: write")

    def compare(self, base: str, head: str) -> Comparison:
        def read() -> Comparison:
            it = self._repo.compare(base, head, comparison_commits_per_page=1)
            return Comparison(ahead=it.ahead_by, behind=it.behind_by)

        return self._read(f"compare {base[:7]} and {head[:7]}", read, "contents")

    def role(self, user: str) -> Role:
        def read() -> Role:
            found = self._repo.get_collaborator_permission(user)
            return found if found in ("admin", "write", "read") else "none"  # type: ignore[return-value]  # one of Role

        return self._read(f"tell what {user} may do", read, "metadata")

    def run(self, number: int) -> WorkflowRun:
        def read() -> WorkflowRun:
            return told.run(self._repo.get_workflow_run(number))

        return self._read(f"show run {number}", read, "actions")

    def file(self, path: str, *, ref: str) -> bytes | None:
        def read() -> Any:
            return self._repo.get_contents(path, ref=ref)

        try:
            found = self._read(f"show {path}", read, "contents")
        except JamError as error:
            if error.code == GONE:
                return None
            raise
        if isinstance(found, list) or found.encoding != "base64":
            raise JamError(
                REFUSED,
                f"GitHub does not give {path} at {ref} as a file",
                hint="It is a folder, or larger than 1 MB.",
                turn=Turn.GITHUB,
            )
        return bytes(found.decoded_content)

    def _read(self, what: str, do: Callable[[], Got], permission: str) -> Got:
        return self._patience.ask(what, do, needs=f"{permission}: read")

    def _once(self, what: str, do: Callable[[], Got], needs: str) -> Got:
        return self._patience.ask(what, do, needs=needs, again=False)

    def _pages(
        self,
        what: str,
        found: PaginatedList[Theirs],
        value: Callable[[Theirs], Got],
        permission: str,
    ) -> Iterator[Got]:
        """Page by page, because PyGithub's own iterator does not survive a failure."""
        for number in count():
            page = self._page(what, found, number, permission)
            yield from map(value, page)
            if len(page) < _PAGE:
                return

    def _page(
        self, what: str, found: PaginatedList[Theirs], number: int, permission: str
    ) -> list[Theirs]:
        return self._read(what, lambda: found.get_page(number), permission)


def connect(
    api_url: str,
    token: str,
    repository: str,
    *,
    sleep: Callable[[float], None],
    now: Callable[[], float],
    timeout: int = _TIMEOUT,
) -> Client:
    """The repository `owner/name`; `timeout` is in seconds a request.

    Raises JAM-GITHUB-DENIED without a token.
    """
    if not token:
        raise JamError(
            DENIED,
            "there is no token for GitHub",
            hint="Hand it on with `GITHUB_TOKEN: ${{ github.token }}`.",
            turn=Turn.GITHUB,
        )
    patience = Patience(sleep=sleep, now=now)
    return Client(api_url, token, repository, patience=patience, timeout=timeout)


def _check(check: Check) -> dict[str, Any]:
    output: dict[str, Any] = {"title": check.title, "summary": check.summary}
    if check.text:
        output["text"] = check.text
    if check.annotations:
        output["annotations"] = [_annotation(each) for each in check.annotations]
    told_of: dict[str, Any] = {"output": output}
    if check.details_url:
        told_of["details_url"] = check.details_url
    if check.conclusion:
        return {**told_of, "status": "completed", "conclusion": check.conclusion}
    return {**told_of, "status": "in_progress"}


def _annotation(it: Annotation) -> dict[str, Any]:
    title = {"title": it.title} if it.title else {}
    return {
        "path": it.path,
        "start_line": it.line,
        "end_line": max(it.line, it.last_line),
        "annotation_level": it.level,
        "message": it.message,
        **title,
    }
