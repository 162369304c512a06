"""What a run of a workflow is to do, by the event that began it: GitHub's own and forged ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import JamError, Turn
from runner.event import (
    Close,
    Collect,
    Deploy,
    Dispatch,
    Event,
    Preview,
    Refused,
    ShowArtefact,
    Skipped,
    event_of,
)
from runner.model import Origin

Payload = dict[str, Any]
RUN = Origin(
    commit="merge", branch="7/merge", run="900", workflow="deploy.yml", number=12, attempt=2
)
_TOLD = json.loads((Path(__file__).parent / "github" / "payloads.json").read_text())["payloads"]


def told(event: str, action: str | None = None, nth: int = 0) -> Payload:
    """One of the payloads that people have sent in."""
    found = [
        each["payload"]
        for each in _TOLD
        if each["event"] == event and each["payload"].get("action") == action
    ]
    return deepcopy(found[nth])


def event(
    name: str,
    payload: Mapping[str, Any],
    *,
    inputs: Mapping[str, str] | None = None,
    run: Origin = RUN,
    branch: str = "main",
) -> Event:
    return event_of(name, payload, inputs or {}, run=run, branch=branch)


def task(name: str, payload: Mapping[str, Any], **more: Any) -> object:
    return event(name, payload, **more).task


def from_fork(payload: Payload, *, deleted: bool = False) -> Payload:
    head = payload["pull_request"]["head"]
    head["repo"] = None if deleted else {**head["repo"], "id": 1, "full_name": "else/site"}
    return payload


def built(*, conclusion: str = "success", event: str = "pull_request") -> Payload:
    payload = told("workflow_run", "completed", 1)
    payload["workflow_run"] |= {"conclusion": conclusion, "event": event}
    return payload


PULL = told("pull_request", "opened")["number"]

OF_ITSELF = [
    ("pull_request", told("pull_request", "opened", 0), Preview(PULL)),
    ("pull_request", told("pull_request", "opened", 1), Preview(PULL)),
    ("pull_request", told("pull_request", "synchronize"), Preview(PULL)),
    ("pull_request", told("pull_request", "reopened"), Preview(PULL)),
    ("pull_request", told("pull_request", "labeled"), Preview(PULL)),
    ("pull_request", told("pull_request", "ready_for_review"), Preview(PULL)),
    ("pull_request", told("pull_request", "closed", 0), Close(PULL)),
    ("pull_request", told("pull_request", "closed", 1), Close(PULL)),
    ("pull_request_target", told("pull_request", "closed"), Close(PULL)),
    ("pull_request_target", from_fork(told("pull_request", "closed")), Close(PULL)),
    ("push", {**told("push", nth=4), "ref": "refs/heads/main"}, Deploy()),
    ("workflow_dispatch", told("workflow_dispatch"), Dispatch("deploy", "")),
    (
        "workflow_dispatch",
        {**told("workflow_dispatch"), "inputs": {"command": "rollback", "release": "ab12"}},
        Dispatch("rollback", "ab12"),
    ),
    ("workflow_dispatch", {**told("workflow_dispatch"), "inputs": None}, Dispatch("deploy", "")),
    ("schedule", {"schedule": "0 3 * * *"}, Collect()),
]


@pytest.mark.parametrize(("name", "payload", "expected"), OF_ITSELF)
def test_the_event_says_by_itself_what_to_do(name: str, payload: Payload, expected: object) -> None:
    assert task(name, payload) == expected


SKIPPED = [
    ("pull_request", from_fork(told("pull_request", "opened")), "comes from a fork"),
    ("pull_request", from_fork(told("pull_request", "synchronize"), deleted=True), "from a fork"),
    ("pull_request", from_fork(told("pull_request", "closed")), "comes from a fork"),
    ("push", told("push", nth=0), "refs/tags/simple-tag is not the production branch"),
    ("push", told("push", nth=1), "was deleted"),
    ("push", told("push", nth=4), "master is not the production branch, main"),
    ("workflow_run", built(conclusion="failure"), "is failure"),
    ("workflow_run", {**built(), "action": "requested"}, "builds the pull request"),
]


@pytest.mark.parametrize(("name", "payload", "why"), SKIPPED)
def test_what_is_skipped_says_why(name: str, payload: Payload, why: str) -> None:
    found = task(name, payload)
    assert isinstance(found, Skipped)
    assert why in found.why


REFUSED = [
    ("pull_request_target", told("pull_request", "opened"), "JAM-EVENT-UNSAFE"),
    ("pull_request_target", from_fork(told("pull_request", "synchronize")), "JAM-EVENT-UNSAFE"),
    ("issue_comment", told("issue_comment", "created"), "JAM-EVENT-UNSAFE"),
    ("pull_request_review", told("pull_request_review", "submitted"), "JAM-EVENT-UNSAFE"),
    ("workflow_run", told("workflow_run", "completed", 0), "JAM-EVENT-UNKNOWN"),
    ("workflow_run", told("workflow_run", "completed", 1), "JAM-EVENT-UNKNOWN"),
    ("workflow_run", built(event="push"), "JAM-EVENT-UNKNOWN"),
    ("release", told("release", "published"), "JAM-EVENT-UNKNOWN"),
    ("merge_group", told("merge_group", "checks_requested"), "JAM-EVENT-UNKNOWN"),
    ("repository_dispatch", told("repository_dispatch", "on-demand-test"), "JAM-EVENT-UNKNOWN"),
    ("pull_request", {"action": "opened"}, "JAM-EVENT-UNKNOWN"),
    ("", {}, "JAM-EVENT-UNKNOWN"),
    (
        "workflow_dispatch",
        {**told("workflow_dispatch"), "inputs": {"command": "rm"}},
        "JAM-EVENT-COMMAND",
    ),
]


@pytest.mark.parametrize(("name", "payload", "code"), REFUSED)
def test_what_is_refused_is_the_users_to_mend(name: str, payload: Payload, code: str) -> None:
    found = task(name, payload)
    assert isinstance(found, Refused)
    error = found.error()
    assert (error.code, error.turn) == (code, Turn.SITE)
    assert error.hint


@pytest.mark.parametrize("name", ["push", "schedule", "workflow_dispatch", "repository_dispatch"])
def test_the_actions_own_input_comes_before_the_event(name: str) -> None:
    inputs = {"INPUT_COMMAND": "rollback", "INPUT_RELEASE": "ab12"}
    payload = {"inputs": {"command": "deploy"}, "ref": "refs/heads/main"}
    assert task(name, payload, inputs=inputs) == Dispatch("rollback", "ab12")


def test_a_command_may_be_run_for_a_pull_request_of_the_repository_itself() -> None:
    inputs = {"INPUT_COMMAND": "audit"}
    assert task("pull_request", told("pull_request", "opened"), inputs=inputs) == Dispatch(
        "audit", ""
    )


@pytest.mark.parametrize("command", ["deploy", "gc", "destroy"])
@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("pull_request", from_fork(told("pull_request", "opened"))),
        ("pull_request", from_fork(told("pull_request", "opened"), deleted=True)),
        ("pull_request_target", from_fork(told("pull_request", "opened"))),
        ("issue_comment", told("issue_comment", "created")),
        ("workflow_run", built()),
    ],
)
def test_no_input_makes_foreign_code_run(name: str, payload: Payload, command: str) -> None:
    found = task(name, payload, inputs={"INPUT_COMMAND": command})
    assert isinstance(found, Skipped | Refused | ShowArtefact)


def test_a_forks_notice_says_how_it_can_be_shown() -> None:
    found = task("pull_request", from_fork(told("pull_request", "opened")))
    assert isinstance(found, Skipped)
    assert "workflow_run" in found.hint


def test_dependabots_pull_request_has_no_credentials_whoever_opened_it() -> None:
    payload = told("pull_request", "synchronize")
    asked_again_by_a_person = replace(RUN, author="dependabot[bot]")
    assert isinstance(task("pull_request", payload, run=asked_again_by_a_person), Skipped)
    payload["sender"]["login"] = "dependabot[bot]"
    assert isinstance(task("pull_request", payload), Skipped)
    assert task("pull_request", payload, run=replace(RUN, author="Codertocat")) == Preview(PULL)


def test_a_closed_pull_request_gets_no_preview_by_being_labeled() -> None:
    payload = told("pull_request", "labeled")
    payload["pull_request"]["state"] = "closed"
    assert isinstance(task("pull_request", payload), Skipped)


def test_an_artefact_is_shown_for_the_run_that_made_it_and_nothing_is_built() -> None:
    payload = built()
    found = task("workflow_run", payload)
    assert isinstance(found, ShowArtefact)
    assert found.run.id == payload["workflow_run"]["id"]
    assert found.run.head_sha == payload["workflow_run"]["head_sha"]
    assert found.run.head_repository == payload["workflow_run"]["head_repository"]["id"]


def test_the_commit_of_a_pull_request_is_its_head_and_not_the_merge_that_is_checked_out() -> None:
    payload = told("pull_request", "opened")
    found = event("pull_request", payload)
    assert found.origin.commit == payload["pull_request"]["head"]["sha"]
    assert found.origin.branch == payload["pull_request"]["head"]["ref"]
    assert (found.origin.number, found.origin.attempt, found.origin.run) == (12, 2, "900")
    assert event("push", told("push", nth=4)).origin.commit == "merge"


def test_the_event_tells_the_pull_request_and_its_repository() -> None:
    payload = told("pull_request", "closed")
    payload["pull_request"] |= {"merged": True, "labels": [{"name": "show", "id": 1}]}
    found = event("pull_request", payload)
    assert found.pull is not None
    assert (found.pull.number, found.pull.open, found.pull.merged) == (PULL, False, True)
    assert (found.pull.labels, found.pull.fork) == (("show",), False)
    assert found.pull.base_ref == payload["pull_request"]["base"]["ref"]
    assert (found.repository.name, found.repository.private) == ("Codertocat/Hello-World", False)
    assert found.title == payload["pull_request"]["title"]


def test_of_a_push_the_title_is_the_first_line_of_its_newest_commit() -> None:
    payload = told("push", nth=4)
    payload["head_commit"] = {"message": "Say hello\n\nat length"}
    assert event("push", payload).title == "Say hello"


def test_a_repository_that_nobody_describes_is_taken_for_private() -> None:
    known = {"GITHUB_REPOSITORY": "octo/site", "GITHUB_REPOSITORY_ID": "77"}
    found = event("schedule", {"schedule": "0 3 * * *"}, inputs=known).repository
    assert (found.id, found.name, found.private) == (77, "octo/site", True)


@pytest.mark.parametrize(
    "payload",
    [
        {"pull_request": {"number": "seven"}},
        {"pull_request": []},
        {"ref": 7},
        {**told("pull_request", "opened"), "repository": "octo/site"},
    ],
)
def test_a_payload_that_is_not_githubs_is_said_to_be_so(payload: Payload) -> None:
    with pytest.raises(JamError) as caught:
        event("pull_request", payload)
    assert (caught.value.code, caught.value.turn) == ("JAM-EVENT-UNREADABLE", Turn.GITHUB)


def test_a_pull_request_without_a_repository_of_its_own_is_unreadable() -> None:
    payload = told("pull_request", "opened")
    payload["pull_request"]["base"]["repo"] = None
    with pytest.raises(JamError) as caught:
        event("pull_request", payload)
    assert caught.value.code == "JAM-EVENT-UNREADABLE"
