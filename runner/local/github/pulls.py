"""Pull requests, as they are read.

Source: docs.github.com, "REST API endpoints for pull requests" and "… for commits".
"""

from __future__ import annotations

from runner.local.github.asked import Answer, Asked, Handler, Listed
from runner.local.github.state import Pull


def one(asked: Asked) -> Answer:
    pull = asked.pull(asked.number("pull_number"))
    told = asked.shapes.pull(asked.repository, pull)
    merged = pull.merged is not None
    return Answer(status=200, value={**told, "merged": merged, "mergeable_state": "unknown"})


def listed(asked: Asked) -> Listed:
    """Open ones, newest first, unless asked otherwise; a wrong `head` filters nothing out."""
    query = asked.query
    state, head, base = (query.get(name, "") for name in ("state", "head", "base"))
    found = [
        pull
        for pull in asked.repository.pulls.values()
        if _in_state(pull, state or "open")
        and (":" not in head or head == f"{pull.head_owner}:{pull.head_ref}")
        and base in ("", pull.base_ref)
    ]
    by = {"updated": lambda pull: (pull.updated, pull.number)}
    found.sort(
        key=by.get(query.get("sort", ""), lambda pull: (pull.created, pull.number)),
        reverse=query.get("direction", "desc") == "desc",
    )
    return Listed(items=[asked.shapes.pull(asked.repository, pull) for pull in found])


def of_commit(asked: Asked) -> Listed:
    """Those that have the commit and the base has not, and those that were merged with it."""
    sha = asked.sha(asked.path["commit_sha"])
    state, repository = asked.state, asked.repository
    return Listed(
        items=[
            asked.shapes.pull(repository, pull)
            for pull in repository.pulls.values()
            if sha in state.history(pull.head_sha) - state.history(pull.base_sha)
        ]
    )


def _in_state(pull: Pull, state: str) -> bool:
    return state == "all" or pull.open == (state == "open")


HANDLERS: dict[str, Handler] = {
    "pulls/get": one,
    "pulls/list": listed,
    "repos/list-pull-requests-associated-with-commit": of_commit,
}
