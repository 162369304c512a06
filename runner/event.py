"""What a run of a workflow is to do, from the event that began it. Pure: no network, no disk.

Code of somebody who may not write to the repository is never built where credentials are: a fork's
pull request is skipped, and events that run with rights on whatever they check out are refused.
Sources: docs.github.com, "Events that trigger workflows", "Webhook events and payloads",
"Variables reference", "Secure use reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from runner.config.workflow import COMMANDS
from runner.errors import JamError, Turn, site_error
from runner.github.values import Pull, Repository, WorkflowRun
from runner.model import Origin
from runner.payload import Payload, PullRequest

# Dependabot's runs get no secrets and a token that only reads, as a fork's.
# Source: docs.github.com, "Troubleshooting Dependabot on GitHub Actions".
DEPENDABOT = "dependabot[bot]"
# Nobody but who may write to the repository makes these run, on code that is in it.
_TRUSTED = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch", "release"})
_KNOWN = "pull_request, push, schedule, workflow_dispatch; workflow_run for an artefact"


@dataclass(frozen=True, slots=True)
class Preview:
    """Build the pull request's head and show it."""

    number: int


@dataclass(frozen=True, slots=True)
class Close:
    """Take the pull request's environment away; builds nothing."""

    number: int


@dataclass(frozen=True, slots=True)
class Deploy:
    """Build what was pushed to the production branch and release it."""


@dataclass(frozen=True, slots=True)
class Collect:
    """`gc`."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A command that a person asked for; `release` may be empty."""

    command: str
    release: str


@dataclass(frozen=True, slots=True)
class ShowArtefact:
    """Show what an earlier run has built without rights. Never build anything here.

    Which pull request it is only GitHub may say (`runner.github.runs.pull_of`), nothing that lies
    in the artefact.
    """

    run: WorkflowRun


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing to do: outcome `skipped`, status 0, and `why` with `hint` as a notice."""

    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Status 2."""

    code: str
    message: str
    hint: str

    def error(self) -> JamError:
        return site_error(self.code, self.message, hint=self.hint)


Task = Preview | Close | Deploy | Collect | Dispatch | ShowArtefact | Skipped | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One run's occasion: `activity` is GitHub's `action` (`opened`), empty where there is none.

    `origin.commit` is the commit that is shown or released: of a pull request its head, not the
    merge that GitHub checks out. `title` is a pull request's, else the commit message's first line.
    """

    name: str
    activity: str
    task: Task
    repository: Repository
    pull: Pull | None
    origin: Origin
    title: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """The action's own inputs, which come before what the event says."""

    actor: str
    command: str
    release: str


def event_of(
    name: str,
    payload: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    run: Origin,
    branch: str,
) -> Event:
    """What `GITHUB_EVENT_NAME`, its payload and the run's environment ask for.

    `run` is `runner.turn.origin_of(environment)`, `branch` the production branch. The action's own
    inputs are `INPUT_COMMAND` and `INPUT_RELEASE`. Raises JAM-EVENT-UNREADABLE for a payload that
    is not GitHub's.
    """
    try:
        told = msgspec.convert(payload, Payload)
        return _event(name, told, environment, run=run, branch=branch)
    except (msgspec.ValidationError, ValueError) as error:
        raise JamError(
            "JAM-EVENT-UNREADABLE",
            f"the event {name or '(without a name)'} cannot be read: {error}",
            hint="GITHUB_EVENT_PATH must name the file that GitHub wrote for this run.",
            turn=Turn.GITHUB,
        ) from error


def _event(
    name: str, told: Payload, environment: Mapping[str, str], *, run: Origin, branch: str
) -> Event:
    asked = _Asked(
        actor=told.actor(run),
        command=environment.get("INPUT_COMMAND", "").strip(),
        release=environment.get("INPUT_RELEASE", "").strip(),
    )
    pull = told.pull_request.value() if told.pull_request else None
    return Event(
        name=name,
        activity=told.action or "",
        task=_task(name, told, asked, branch=branch),
        repository=told.where(environment),
        pull=pull,
        origin=told.origin(run),
        title=told.title,
    )


def _task(name: str, told: Payload, asked: _Asked, *, branch: str) -> Task:
    if name in _TRUSTED and asked.command:
        return _dispatch(asked.command, asked.release)
    match name:
        case "pull_request" if told.pull_request:
            return _of_pull(told.action, told.pull_request, asked)
        case "pull_request_target" if told.pull_request:
            return _of_target(told.action, told.pull_request)
        case "workflow_run" if told.workflow_run:
            return _of_run(told.action, told.workflow_run.value())
        case "push":
            return _of_push(told, branch)
        case "schedule":
            return Collect()
        case "workflow_dispatch":
            inputs = told.inputs or {}
            command, back = str(inputs.get("command") or ""), str(inputs.get("release") or "")
            return _dispatch(command or "deploy", asked.release or back)
        case "issue_comment" | "pull_request_review" | "pull_request_review_comment":
            return _unsafe(name, "anybody who may comment can start it, on whatever it checks out")
    return _unknown(name)


def _of_pull(action: str | None, pull: PullRequest, asked: _Asked) -> Task:
    if pull.value().fork:
        return Skipped(
            f"pull request {pull.number} comes from a fork: GitHub gives it no credentials, and "
            "its code is not built with any",
            "To show it: build it without rights on `pull_request`, hand the publish folder on as "
            "an artefact, and show that on `workflow_run`. Two workflows to copy: "
            "examples/fork-previews of jam-deploy.",
        )
    if asked.actor == DEPENDABOT:
        return Skipped(
            f"pull request {pull.number} is run for Dependabot: GitHub gives it no credentials",
            "Whoever may write to the repository gets a preview of it with the next push.",
        )
    if asked.command:
        return _dispatch(asked.command, asked.release)
    if action == "closed":
        return Close(pull.number)
    if pull.state == "closed":
        return Skipped(f"pull request {pull.number} is closed")
    return Preview(pull.number)


def _of_target(action: str | None, pull: PullRequest) -> Task:
    if action == "closed":  # the default branch's code and settings alone: safe for forks too
        return Close(pull.number)
    if pull.value().fork:
        return _unsafe(
            "pull_request_target", "it has credentials, and the pull request comes from a fork"
        )
    return _unsafe("pull_request_target", "it checks out the default branch, with credentials")


def _of_run(action: str | None, run: WorkflowRun) -> Task:
    if run.event != "pull_request":
        return Refused(
            "JAM-EVENT-UNKNOWN",
            f"workflow_run after {run.event or 'an unknown event'} says nothing to do",
            "After `pull_request` it shows what that run has built. For all else let the job wait "
            "with `needs:` in one workflow.",
        )
    if action != "completed" or run.conclusion != "success":
        state = run.conclusion or action or "not over"
        return Skipped(f"run {run.id}, which builds the pull request, is {state}")
    return ShowArtefact(run)


def _of_push(told: Payload, branch: str) -> Task:
    if told.deleted:
        return Skipped(f"{told.ref} was deleted")
    if told.ref != f"refs/heads/{branch}":
        return Skipped(
            f"{told.ref.removeprefix('refs/heads/')} is not the production branch, {branch}",
            "`[production] branch` in jam.toml names it.",
        )
    return Deploy()


def _dispatch(command: str, release: str) -> Task:
    if command not in COMMANDS:
        return Refused(
            "JAM-EVENT-COMMAND",
            f"there is no command {command!r} for the action",
            f"The input `command` is one of {', '.join(COMMANDS)}.",
        )
    return Dispatch(command, release)


def _unsafe(name: str, why: str) -> Refused:
    return Refused(
        "JAM-EVENT-UNSAFE",
        f"nothing is built on {name}: {why}",
        "Use `pull_request`; for forks build there without rights, and show the artefact on "
        "`workflow_run`. `pull_request_target` may remove closed ones: `types: [closed]`.",
    )


def _unknown(name: str) -> Refused:
    return Refused(
        "JAM-EVENT-UNKNOWN",
        f"the event {name or '(without a name)'} says nothing to do",
        f"Known are {_KNOWN}. With the input `command` {', '.join(sorted(_TRUSTED))} do as told.",
    )
