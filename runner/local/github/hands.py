"""What people do at GitHub: push, open and close pull requests, fork, comment, start workflows.

`event` tells what a workflow that starts upon it would be told, in the API's own shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.github.description import description
from runner.local.github.hub import Hub
from runner.local.github.skeleton import shaped
from runner.local.github.state import BOT, Comment, Level, Pull, Repository, Run, Token

# What `permissions:` of the workflow that `init` writes asks for, and what every token may.
WORKFLOW: Mapping[str, Level] = {
    "contents": "read",
    "deployments": "write",
    "pull_requests": "write",
    "metadata": "read",
}


@dataclass(frozen=True, slots=True)
class Hands:
    """Of the owner of one repository, and of whoever is named."""

    hub: Hub
    repository: Repository

    @classmethod
    def on(cls, hub: Hub, name: str, *, private: bool = False) -> Hands:
        """A new repository `owner/name` with one commit on `main`."""
        owner, _, short = name.partition("/")
        state = hub.state
        with hub.lock:
            made = Repository(
                id=state.id(), owner=owner, name=short, private=private, default_branch="main"
            )
            made.roles[owner] = "admin"
            state.user(owner)
            state.user(BOT)
            state.repositories[name.lower()] = made
        hands = cls(hub, made)
        hands.push("main", {"README.md": b"# A site\n"}, message="Begin")
        return hands

    def fork(self, owner: str) -> Hands:
        """Somebody's fork, who may only read here."""
        state, source = self.hub.state, self.repository
        with self.hub.lock:
            state.user(owner)
            made = Repository(
                id=state.id(),
                owner=owner,
                name=source.name,
                private=source.private,
                default_branch=source.default_branch,
                source=source,
                roles={owner: "admin"},
                branches=dict(source.branches),
            )
            state.repositories[made.full_name.lower()] = made
        return Hands(self.hub, made)

    def collaborator(self, login: str, role: str) -> None:
        with self.hub.lock:
            self.hub.state.user(login)
            self.repository.roles[login] = role

    def token(self, permissions: Mapping[str, Level] = WORKFLOW) -> str:
        """A workflow's own, `GITHUB_TOKEN`, with what `permissions:` gives it."""
        return self._token(
            "ghs_",
            Token(
                login=BOT, app=True, repository=self.repository.id, permissions=dict(permissions)
            ),
        )

    def personal_token(self, login: str) -> str:
        with self.hub.lock:
            self.hub.state.user(login)
        return self._token("ghp_", Token(login=login, app=False))

    def push(
        self,
        branch: str,
        files: Mapping[str, bytes] | None = None,
        *,
        message: str = "Change",
        author: str = "",
    ) -> str:
        """One more commit on a branch, which begins at the default branch; open pulls follow."""
        state, here, now = self.hub.state, self.repository, self.hub.now()
        with self.hub.lock:
            parent = here.branches.get(branch) or here.branches.get(here.default_branch)
            before = state.commits[parent].files if parent else {}
            made = state.commit(
                {**before, **(files or {})},
                parents=(parent,) if parent else (),
                message=message,
                author=author or here.owner,
                at=now,
            )
            here.branches[branch] = made.sha
            for pull in here.network.pulls.values():
                if pull.open and pull.head is here and pull.head_ref == branch:
                    pull.head_sha, pull.updated = made.sha, now
        return made.sha

    def open(self, branch: str, *, title: str = "A change", author: str = "") -> int:
        """A pull request of a branch here, on what this is a fork of or on itself."""
        state, base, now = self.hub.state, self.repository.network, self.hub.now()
        here = self.repository
        with self.hub.lock:
            number = len(base.pulls) + 1
            base.pulls[number] = Pull(
                id=state.id(),
                number=number,
                title=title,
                author=author or here.owner,
                head=here,
                head_owner=here.owner,
                head_ref=branch,
                head_sha=here.branches[branch],
                base_ref=base.default_branch,
                base_sha=base.branches[base.default_branch],
                created=now,
                updated=now,
            )
            state.user(author or here.owner)
        return number

    def close(self, number: int, *, merged: bool = False) -> None:
        state, pull, now = self.hub.state, self.repository.pulls[number], self.hub.now()
        with self.hub.lock:
            pull.closed = pull.updated = now
            if not merged:
                return
            pull.merged = now
            tip = self.repository.branches[pull.base_ref]
            head = state.commits[pull.head_sha]
            made = state.commit(
                {**state.commits[tip].files, **head.files},
                parents=(tip, head.sha),
                message=f"Merge pull request #{number}",
                author=pull.author,
                at=now,
            )
            self.repository.branches[pull.base_ref] = made.sha

    def reopen(self, number: int) -> None:
        pull = self.repository.pulls[number]
        with self.hub.lock:
            pull.closed, pull.updated = None, self.hub.now()

    def label(self, number: int, *labels: str) -> None:
        with self.hub.lock:
            self.repository.pulls[number].labels = list(labels)

    def delete_fork(self) -> None:
        """Pull requests of it stay, without the repository that they came from."""
        here = self.repository
        with self.hub.lock:
            del self.hub.state.repositories[here.full_name.lower()]
            for pull in here.network.pulls.values():
                pull.head = None if pull.head is here else pull.head

    def comment(self, number: int, body: str, *, author: str) -> int:
        state, now = self.hub.state, self.hub.now()
        with self.hub.lock:
            state.user(author)
            made = Comment(
                id=state.id(), pull=number, author=author, body=body, created=now, updated=now
            )
            self.repository.comments[made.id] = made
        return made.id

    def run(self, number: int, *, conclusion: str = "success") -> int:
        """A run that has built a pull request; of a fork's it does not tell which."""
        state, pull = self.hub.state, self.repository.pulls[number]
        with self.hub.lock:
            head = pull.head or self.repository
            made = Run(
                id=state.id(),
                number=len(self.repository.runs) + 1,
                name="Build",
                event="pull_request",
                head=head,
                head_branch=pull.head_ref,
                head_sha=pull.head_sha,
                status="completed",
                conclusion=conclusion,
                pulls=(number,) if head is self.repository else (),
                at=self.hub.now(),
            )
            self.repository.runs[made.id] = made
        return made.id

    def event(self, name: str, action: str, number: int) -> dict[str, Any]:
        """`pull_request` and `pull_request_target` of a pull request, `workflow_run` of a run."""
        shapes, here = self.hub.shapes, self.repository
        told: dict[str, Any] = {"action": action}
        if name == "workflow_run":
            run = shapes.run(here.runs[number], here)
            told["workflow_run"] = shaped(description().named("workflow-run"), run)
        else:
            pull = here.pulls[number]
            whole = {**shapes.pull(here, pull), "merged": pull.merged is not None}
            told |= {"number": number, "pull_request": _pull_shape(whole)}
        sender = here.owner
        return {
            **told,
            "repository": shaped(description().named("full-repository"), shapes.repository(here)),
            "sender": shapes.user(sender),
        }

    def _token(self, prefix: str, token: Token) -> str:
        with self.hub.lock:
            text = f"{prefix}{len(self.hub.state.tokens):036d}"
            self.hub.state.tokens[text] = token
        return text


def _pull_shape(known: Mapping[str, Any]) -> Any:
    return shaped(description().named("pull-request"), known)
