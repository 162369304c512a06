"""Who may do what: tokens, the permissions of a workflow, the roles of people.

Source: docs.github.com, "Permissions required for GitHub Apps"; "Using GITHUB_TOKEN in workflows".
A repository that a token may not see is not found; what it may see and not do is forbidden, and
`X-Accepted-GitHub-Permissions` names what would do ("Troubleshooting the REST API").
"""

from __future__ import annotations

from runner.local.github.state import Level, RefusedError, Repository, State, Token

Needed = tuple[tuple[str, Level], ...]
"""Any one of these permissions."""

_COMMENTING: Needed = (("issues", "write"), ("pull_requests", "write"))
_READING_COMMENTS: Needed = (("issues", "read"), ("pull_requests", "read"))
_ANYBODY: Needed = (("metadata", "read"),)
NEEDED: dict[str, Needed] = {
    "actions/get-workflow-run": (("actions", "read"),),
    "checks/create": (("checks", "write"),),
    "checks/get": (("checks", "read"),),
    "checks/list-annotations": (("checks", "read"),),
    "checks/list-for-ref": (("checks", "read"),),
    "checks/update": (("checks", "write"),),
    "issues/create-comment": _COMMENTING,
    "issues/delete-comment": _COMMENTING,
    "issues/get-comment": _READING_COMMENTS,
    "issues/list-comments": _READING_COMMENTS,
    "issues/update-comment": _COMMENTING,
    "pulls/get": (("pull_requests", "read"),),
    "pulls/list": (("pull_requests", "read"),),
    "repos/compare-commits-with-basehead": (("contents", "read"),),
    "repos/create-commit-status": (("statuses", "write"),),
    "repos/create-deployment": (("deployments", "write"),),
    "repos/create-deployment-status": (("deployments", "write"),),
    "repos/delete-deployment": (("deployments", "write"),),
    "repos/get": _ANYBODY,
    "repos/get-all-environments": (("actions", "read"),),
    "repos/get-collaborator-permission-level": _ANYBODY,
    "repos/get-content": (("contents", "read"),),
    "repos/get-deployment": (("deployments", "read"),),
    "repos/get-environment": (("actions", "read"),),
    "repos/list-commit-statuses-for-ref": (("statuses", "read"),),
    "repos/list-deployment-statuses": (("deployments", "read"),),
    "repos/list-deployments": (("deployments", "read"),),
    "repos/list-pull-requests-associated-with-commit": (("pull_requests", "read"),),
}
_ONLY_APPS = frozenset({"checks/create", "checks/update"})
_FREE = frozenset({"rate-limit/get", "users/get-authenticated"})
_PERMITTED: dict[str, frozenset[Level]] = {
    "admin": frozenset({"read", "write"}),
    "write": frozenset({"read", "write"}),
    "read": frozenset({"read"}),
}
# A person who may only read may still say something on a pull request.
_SPEAKING = frozenset({"issues/create-comment", "issues/update-comment", "issues/delete-comment"})


def token_of(state: State, authorization: str) -> Token:
    """Raises 401 for no token and for one that is unknown."""
    kind, _, text = authorization.partition(" ")
    if kind.lower() not in ("token", "bearer") or not text:
        raise RefusedError(401, "Requires authentication")
    found = state.tokens.get(text.strip())
    if found is None:
        raise RefusedError(401, "Bad credentials")
    return found


def check(token: Token, operation: str, repository: Repository) -> None:
    """Raises 404 for a repository that the token may not see, 403 for what it may not do."""
    if operation in _FREE:
        return
    needed = NEEDED[operation]
    reads = all(level == "read" for _, level in needed)
    if token.app:
        _check_app(token, needed, repository, reads=reads)
        return
    role = repository.roles.get(token.login, "" if repository.private else "read")
    if not role:
        raise RefusedError(404, "Not Found")
    if operation in _ONLY_APPS:
        raise RefusedError(403, "You must authenticate via a GitHub App.")
    may = _PERMITTED[role]
    if operation not in _SPEAKING and not any(level in may for _, level in needed):
        raise RefusedError(403, "Must have admin rights to Repository.")


def _check_app(token: Token, needed: Needed, repository: Repository, *, reads: bool) -> None:
    here = token.repository == repository.id
    if not here and repository.private:
        raise RefusedError(404, "Not Found")
    if here and any(_covers(token, name, level) for name, level in needed):
        return
    if reads and not repository.private:  # whoever reads a public repository needs no permission
        return
    accepted = "; ".join(f"{name}={level}" for name, level in needed)
    raise RefusedError(
        403,
        "Resource not accessible by integration",
        headers=(("x-accepted-github-permissions", accepted),),
    )


def _covers(token: Token, name: str, level: Level) -> bool:
    held = "read" if name == "metadata" else token.permissions.get(name)
    return held in ("write", level)
