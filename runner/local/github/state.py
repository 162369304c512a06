"""What a GitHub has: repositories, commits, pull requests and what is said about them.

Records change in place; whoever changes them holds the lock of `runner.local.github.hub`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BOT = "github-actions[bot]"  # whose name a workflow's own token writes in
APP = "github-actions"
Level = Literal["read", "write"]


class RefusedError(Exception):
    """An answer that is no success; `errors` as GitHub's 422 has them."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: tuple[str, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    message: str
    author: str
    files: Mapping[str, bytes]
    at: float


@dataclass(slots=True, kw_only=True)
class Deployment:
    id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: Any
    description: str | None
    transient: bool
    production: bool
    creator: str
    at: float
    statuses: list[Status] = field(default_factory=list)  # oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Of a deployment."""

    id: int
    state: str
    creator: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    at: float


@dataclass(slots=True, kw_only=True)
class Comment:
    id: int
    pull: int
    author: str
    body: str
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class CheckRun:
    id: int
    name: str
    sha: str
    status: str
    started: float
    conclusion: str | None = None
    completed: float | None = None
    details_url: str = ""
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    at: float


@dataclass(slots=True, kw_only=True)
class Pull:
    """`head` is None once the fork that it came from is deleted."""

    id: int
    number: int
    title: str
    author: str
    head: Repository | None
    head_owner: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created: float
    updated: float
    closed: float | None = None
    merged: float | None = None
    draft: bool = False
    labels: list[str] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.closed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a workflow on a commit of `head`."""

    id: int
    number: int
    name: str
    event: str
    head: Repository
    head_branch: str
    head_sha: str
    status: str
    conclusion: str | None
    pulls: tuple[int, ...]
    at: float


@dataclass(slots=True, kw_only=True, eq=False)
class Repository:
    """`roles` are what users may do: admin, write, read; `source` is what it is a fork of."""

    id: int
    owner: str
    name: str
    private: bool
    default_branch: str
    source: Repository | None = None
    roles: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    environments: dict[str, int] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    statuses: list[CommitStatus] = field(default_factory=list)
    runs: dict[int, Run] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def network(self) -> Repository:
        """What all forks share commits with."""
        return self.source.network if self.source else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Who asks. An `app`'s token is for one repository and may do what `permissions` say.

    `GITHUB_TOKEN` is one, of the app github-actions. A person's may do what the person may.
    """

    login: str
    app: bool
    repository: int = 0
    permissions: Mapping[str, Level] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """Everything; an id is never given twice."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def id(self) -> int:
        return next(self._ids)

    def user(self, login: str) -> int:
        return self.users.setdefault(login, len(self.users) + 1)

    def find(self, owner: str, name: str) -> Repository | None:
        """Names are not case sensitive."""
        return self.repositories.get(f"{owner}/{name}".lower())

    def commit(
        self,
        files: Mapping[str, bytes],
        *,
        parents: tuple[str, ...],
        message: str,
        author: str,
        at: float,
    ) -> Commit:
        """A new commit: its sha is a digest of all that and of how many there are."""
        parts = (len(self.commits), parents, message, author, sorted(files.items()))
        sha = hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()
        made = Commit(
            sha=sha, parents=parents, message=message, author=author, files=dict(files), at=at
        )
        self.commits[sha] = made
        return made

    def history(self, sha: str) -> set[str]:
        """The commit and all before it."""
        seen: set[str] = set()
        ahead = [sha]
        while ahead:
            each = ahead.pop()
            if each not in seen:
                seen.add(each)
                ahead += self.commits[each].parents
        return seen

    def resolve(self, repository: Repository, ref: str) -> str | None:
        """The sha that a branch, a full or a long enough abbreviated sha stands for."""
        name = ref.removeprefix("refs/heads/").removeprefix("heads/")
        if name in repository.branches:
            return repository.branches[name]
        if len(ref) < 7:
            return None
        found = [sha for sha in self.commits if sha.startswith(ref)]
        return found[0] if len(found) == 1 else None
