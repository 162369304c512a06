"""A repository itself: who may do what, its files, its commits' order, its workflows' runs.

Source: docs.github.com, "REST API endpoints for commits" (compare), "… for repository contents",
"… for collaborators", "… for workflow runs".
"""

from __future__ import annotations

from runner.local.github.asked import Answer, Asked, Handler, Listed, found_in
from runner.local.github.state import Commit, RefusedError

_INLINE = 1024 * 1024  # bytes: a larger file's content is not in the JSON


def repository(asked: Asked) -> Answer:
    return Answer(status=200, value=asked.shapes.repository(asked.repository))


def permission(asked: Asked) -> Answer:
    """Whoever is no collaborator of a public repository may read it."""
    login = asked.path["username"]
    if login not in asked.state.users:
        raise RefusedError(404, "Not Found")
    nobody = "none" if asked.repository.private else "read"
    role = asked.repository.roles.get(login, nobody)
    # The old word for `maintain` is write and for `triage` read: `role_name` has the new ones.
    known = {"maintain": "write", "triage": "read"}.get(role, role)
    user = {**asked.shapes.user(login), "role_name": role}
    return Answer(status=200, value={"permission": known, "role_name": role, "user": user})


def compare(asked: Asked) -> Listed:
    base, _, head = asked.path["basehead"].partition("...")
    commits = asked.state.commits
    mine, theirs = _commit(asked, base), _commit(asked, head)
    before, after = asked.state.history(mine.sha), asked.state.history(theirs.sha)
    common = before & after
    if not common:
        raise RefusedError(404, f"No common ancestor between {base} and {head}.")
    order = list(commits)
    ahead = sorted(after - before, key=order.index)
    behind = len(before - after)
    shapes, repository = asked.shapes, asked.repository
    told = {
        "status": _relation(len(ahead), behind),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "base_commit": shapes.commit(mine, repository),
        "merge_base_commit": shapes.commit(commits[max(common, key=order.index)], repository),
    }
    items = [shapes.commit(commits[sha], repository) for sha in ahead]
    return Listed(items=items, within="commits", among=told)


def content(asked: Asked) -> Answer:
    ref = asked.query.get("ref") or asked.repository.default_branch
    sha = asked.state.resolve(asked.repository, ref)
    if sha is None:
        raise RefusedError(404, f"No commit found for the ref {ref}")
    path, files = asked.path["path"].strip("/"), asked.state.commits[sha].files
    if path not in files:
        raise RefusedError(404, "Not Found")
    told = asked.shapes.file(path, files[path], asked.repository)
    if len(files[path]) > _INLINE:
        told |= {"content": "", "encoding": "none"}
    return Answer(status=200, value=told)


def run(asked: Asked) -> Answer:
    found = found_in(asked.repository.runs, asked.number("run_id"))
    return Answer(status=200, value=asked.shapes.run(found, asked.repository))


def user(asked: Asked) -> Answer:
    if asked.token.app:
        raise RefusedError(403, "Resource not accessible by integration")
    told = {**asked.shapes.user(asked.token.login), "user_view_type": "public"}
    return Answer(status=200, value=told)


def _commit(asked: Asked, ref: str) -> Commit:
    sha = asked.state.resolve(asked.repository, ref)
    if sha is None:
        raise RefusedError(404, "Not Found")
    return asked.state.commits[sha]


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    if ahead:
        return "ahead"
    return "behind" if behind else "identical"


HANDLERS: dict[str, Handler] = {
    "repos/get": repository,
    "repos/get-collaborator-permission-level": permission,
    "repos/compare-commits-with-basehead": compare,
    "repos/get-content": content,
    "actions/get-workflow-run": run,
    "users/get-authenticated": user,
}
