"""The records as GitHub's JSON tells them; what its shapes demand beside, `shaped` adds. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runner.local.github.state import (
    APP,
    BOT,
    CheckRun,
    Comment,
    Commit,
    CommitStatus,
    Deployment,
    Pull,
    Repository,
    Run,
    State,
    Status,
)

Shape = dict[str, Any]
_ASSOCIATIONS = {"admin": "OWNER", "write": "COLLABORATOR", "read": "COLLABORATOR"}


def instant(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Shapes:
    """`url` is where the API is, `page` where people read."""

    state: State
    url: str
    page: str = "https://github.com"

    def user(self, login: str) -> Shape:
        return {
            "login": login,
            "id": self.state.user(login),
            "type": "Bot" if login.endswith("[bot]") else "User",
            "url": f"{self.url}/users/{login}",
            "html_url": f"{self.page}/{login}",
        }

    def app(self, login: str) -> Shape | None:
        if login != BOT:
            return None
        owner = self.user("github")
        return {"id": self.state.user(APP), "slug": APP, "name": "GitHub Actions", "owner": owner}

    def repository(self, it: Repository) -> Shape:
        url = self._of(it)
        return {
            "id": it.id,
            "name": it.name,
            "full_name": it.full_name,
            "owner": self.user(it.owner),
            "private": it.private,
            "visibility": "private" if it.private else "public",
            "fork": it.source is not None,
            "default_branch": it.default_branch,
            "url": url,
            "html_url": f"{self.page}/{it.full_name}",
            "deployments_url": f"{url}/deployments",
            "statuses_url": f"{url}/statuses/{{sha}}",
        }

    def pull(self, base: Repository, it: Pull) -> Shape:
        url = f"{self._of(base)}/pulls/{it.number}"
        issue = f"{self._of(base)}/issues/{it.number}"
        page = f"{self.page}/{base.full_name}/pull/{it.number}"
        return {
            "id": it.id,
            "number": it.number,
            "state": "open" if it.open else "closed",
            "title": it.title,
            "user": self.user(it.author),
            "draft": it.draft,
            "labels": [{"name": each} for each in it.labels],
            "created_at": instant(it.created),
            "updated_at": instant(it.updated),
            "closed_at": instant(it.closed),
            "merged_at": instant(it.merged),
            "head": self._side(it.head, owner=it.head_owner, ref=it.head_ref, sha=it.head_sha),
            "base": self._side(base, owner=base.owner, ref=it.base_ref, sha=it.base_sha),
            "url": url,
            "html_url": page,
            "issue_url": issue,
            "comments_url": f"{issue}/comments",
            "statuses_url": f"{self._of(base)}/statuses/{it.head_sha}",
            "author_association": _ASSOCIATIONS.get(base.roles.get(it.author, ""), "NONE"),
            "_links": {
                name: {"href": href}
                for name, href in (
                    ("comments", f"{issue}/comments"), ("commits", f"{url}/commits"),
                    ("statuses", f"{self._of(base)}/statuses/{it.head_sha}"), ("html", page),
                    ("issue", issue), ("review_comments", f"{url}/comments"),
                    ("review_comment", f"{self._of(base)}/pulls/comments{{/number}}"),
                    ("self", url),
                )
            },
        }  # fmt: skip

    def _side(self, it: Repository | None, *, owner: str, ref: str, sha: str) -> Shape:
        return {
            "label": f"{owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user(owner),
            "repo": self.repository(it) if it else None,
        }

    def comment(self, it: Comment, at: Repository) -> Shape:
        url = self._of(at)
        return {
            "id": it.id,
            "body": it.body,
            "user": self.user(it.author),
            "performed_via_github_app": self.app(it.author),
            "created_at": instant(it.created),
            "updated_at": instant(it.updated),
            "url": f"{url}/issues/comments/{it.id}",
            "issue_url": f"{url}/issues/{it.pull}",
            "html_url": f"{self.page}/{at.full_name}/pull/{it.pull}#issuecomment-{it.id}",
        }

    def deployment(self, it: Deployment, at: Repository) -> Shape:
        url = f"{self._of(at)}/deployments/{it.id}"
        updated = it.statuses[-1].at if it.statuses else it.at
        return {
            "id": it.id,
            "sha": it.sha,
            "ref": it.ref,
            "task": it.task,
            "environment": it.environment,
            "original_environment": it.environment,
            "payload": it.payload,
            "description": it.description,
            "transient_environment": it.transient,
            "production_environment": it.production,
            "creator": self.user(it.creator),
            "performed_via_github_app": self.app(it.creator),
            "created_at": instant(it.at),
            "updated_at": instant(updated),
            "url": url,
            "statuses_url": f"{url}/statuses",
            "repository_url": self._of(at),
        }

    def status(self, it: Status, of: Deployment, at: Repository) -> Shape:
        url = f"{self._of(at)}/deployments/{of.id}"
        return {
            "id": it.id,
            "state": it.state,
            "creator": self.user(it.creator),
            "performed_via_github_app": self.app(it.creator),
            "description": it.description,
            "environment": it.environment,
            "environment_url": it.environment_url,
            "log_url": it.log_url,
            "target_url": it.log_url,
            "created_at": instant(it.at),
            "updated_at": instant(it.at),
            "url": f"{url}/statuses/{it.id}",
            "deployment_url": url,
            "repository_url": self._of(at),
        }

    def environment(self, name: str, at: Repository) -> Shape:
        return {
            "id": at.environments[name],
            "name": name,
            "url": f"{self._of(at)}/environments/{name}",
            "html_url": f"{self.page}/{at.full_name}/deployments/activity_log?environments={name}",
        }

    def check(self, it: CheckRun, at: Repository) -> Shape:
        url = f"{self._of(at)}/check-runs/{it.id}"
        return {
            "id": it.id,
            "name": it.name,
            "head_sha": it.sha,
            "status": it.status,
            "conclusion": it.conclusion,
            "started_at": instant(it.started),
            "completed_at": instant(it.completed),
            "details_url": it.details_url,
            "external_id": it.external_id,
            "output": {
                "title": it.title,
                "summary": it.summary,
                "text": it.text,
                "annotations_count": len(it.annotations),
                "annotations_url": f"{url}/annotations",
            },
            "app": self.app(BOT),
            "pull_requests": [],
            "check_suite": {"id": it.id},
            "url": url,
            "html_url": f"{self.page}/{at.full_name}/runs/{it.id}",
        }

    def annotation(self, it: Mapping[str, Any], of: CheckRun, at: Repository) -> Shape:
        nothing = {"start_column": None, "end_column": None, "title": None, "raw_details": None}
        href = f"{self.page}/{at.full_name}/blob/{of.sha}/{it['path']}"
        return {**nothing, **it, "blob_href": href}

    def commit(self, it: Commit, at: Repository) -> Shape:
        person = {"name": it.author, "email": f"{it.author}@example.com", "date": instant(it.at)}
        return {
            "sha": it.sha,
            "url": f"{self._of(at)}/commits/{it.sha}",
            "html_url": f"{self.page}/{at.full_name}/commit/{it.sha}",
            "author": self.user(it.author),
            "committer": self.user(it.author),
            "commit": {"author": person, "committer": person, "message": it.message},
            "parents": [{"sha": sha, "url": f"{self._of(at)}/commits/{sha}"} for sha in it.parents],
        }

    def commit_status(self, it: CommitStatus, at: Repository) -> Shape:
        return {
            "id": it.id,
            "state": it.state,
            "context": it.context,
            "description": it.description,
            "target_url": it.target_url,
            "creator": self.user(it.creator),
            "created_at": instant(it.at),
            "updated_at": instant(it.at),
            "url": f"{self._of(at)}/statuses/{it.sha}",
        }

    def run(self, it: Run, at: Repository) -> Shape:
        url = f"{self._of(at)}/actions/runs/{it.id}"
        return {
            "id": it.id,
            "name": it.name,
            "run_number": it.number,
            "run_attempt": 1,
            "event": it.event,
            "status": it.status,
            "conclusion": it.conclusion,
            "head_branch": it.head_branch,
            "head_sha": it.head_sha,
            "head_repository": self.repository(it.head),
            "repository": self.repository(at),
            "pull_requests": [self.pull_of_run(at.pulls[number], at) for number in it.pulls],
            "created_at": instant(it.at),
            "updated_at": instant(it.at),
            "url": url,
            "html_url": f"{self.page}/{at.full_name}/actions/runs/{it.id}",
        }

    def pull_of_run(self, it: Pull, at: Repository) -> Shape:
        """The short form, which a run of a fork's pull request does not have."""
        place = {"id": at.id, "name": at.name, "url": self._of(at)}
        return {
            "id": it.id,
            "number": it.number,
            "url": f"{self._of(at)}/pulls/{it.number}",
            "head": {"ref": it.head_ref, "sha": it.head_sha, "repo": place},
            "base": {"ref": it.base_ref, "sha": it.base_sha, "repo": place},
        }

    def file(self, path: str, content: bytes, at: Repository) -> Shape:
        url = f"{self._of(at)}/contents/{path}"
        return {
            "type": "file",
            "name": path.rpartition("/")[2],
            "path": path,
            "size": len(content),
            "encoding": "base64",
            "content": base64.encodebytes(content).decode(),
            "url": url,
            "_links": {"git": None, "self": url, "html": None},
        }

    def _of(self, it: Repository) -> str:
        return f"{self.url}/repos/{it.full_name}"
