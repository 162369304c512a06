"""Check runs and commit statuses.

Only apps may write check runs, and a workflow's token is one's; at most 50 annotations a request,
which add up. Source: docs.github.com, "REST API endpoints for check runs", "… for commit statuses".
"""

from __future__ import annotations

from runner.local.github.asked import Answer, Asked, Handler, Listed, found_in
from runner.local.github.state import CheckRun, CommitStatus, RefusedError


def create(asked: Asked) -> Answer:
    body = asked.body
    made = CheckRun(
        id=asked.state.id(),
        name=body["name"],
        sha=asked.sha(body["head_sha"]),
        status="queued",
        started=asked.now,
    )
    _apply(asked, made)
    asked.repository.checks[made.id] = made
    return Answer(status=201, value=asked.shapes.check(made, asked.repository))


def update(asked: Asked) -> Answer:
    found = _found(asked)
    found.name = asked.body.get("name", found.name)
    _apply(asked, found)
    return Answer(status=200, value=asked.shapes.check(found, asked.repository))


def one(asked: Asked) -> Answer:
    return Answer(status=200, value=asked.shapes.check(_found(asked), asked.repository))


def remarks(asked: Asked) -> Listed:
    found = _found(asked)
    shapes, repository = asked.shapes, asked.repository
    return Listed(items=[shapes.annotation(each, found, repository) for each in found.annotations])


def of_commit(asked: Asked) -> Listed:
    """Newest first; of a name only the newest, unless asked for all."""
    sha = asked.sha(asked.path["ref"])
    runs = [run for run in reversed(asked.repository.checks.values()) if run.sha == sha]
    if asked.query.get("filter", "latest") == "latest":
        newest: dict[str, CheckRun] = {}
        for run in runs:
            newest.setdefault(run.name, run)
        runs = list(newest.values())
    named = [run for run in runs if asked.query.get("check_name") in (None, run.name)]
    return Listed(
        items=[asked.shapes.check(run, asked.repository) for run in named], within="check_runs"
    )


def create_status(asked: Asked) -> Answer:
    made = CommitStatus(
        id=asked.state.id(),
        sha=asked.sha(asked.path["sha"]),
        state=asked.body["state"],
        context=asked.body.get("context", "default"),
        description=asked.body.get("description"),
        target_url=asked.body.get("target_url"),
        creator=asked.token.login,
        at=asked.now,
    )
    asked.repository.statuses.append(made)
    return Answer(status=201, value=asked.shapes.commit_status(made, asked.repository))


def statuses(asked: Asked) -> Listed:
    """Newest first."""
    sha = asked.sha(asked.path["ref"])
    found = [each for each in reversed(asked.repository.statuses) if each.sha == sha]
    return Listed(items=[asked.shapes.commit_status(each, asked.repository) for each in found])


def _apply(asked: Asked, run: CheckRun) -> None:
    body = asked.body
    if body.get("status") == "completed" and "conclusion" not in body:
        raise RefusedError(422, "Invalid request.\n\nMissing required parameter: conclusion.")
    run.status = body.get("status", run.status)
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    if "conclusion" in body:  # says by itself that the check run is completed
        run.status, run.conclusion, run.completed = "completed", body["conclusion"], asked.now
    if output := body.get("output"):
        run.title = output.get("title", run.title)
        run.summary = output["summary"]
        run.text = output.get("text", run.text)
        run.annotations += output.get("annotations", ())


def _found(asked: Asked) -> CheckRun:
    return found_in(asked.repository.checks, asked.number("check_run_id"))


HANDLERS: dict[str, Handler] = {
    "checks/create": create,
    "checks/update": update,
    "checks/get": one,
    "checks/list-annotations": remarks,
    "checks/list-for-ref": of_commit,
    "repos/create-commit-status": create_status,
    "repos/list-commit-statuses-for-ref": statuses,
}
