"""The embedded GitHub takes what GitHub takes and refuses what GitHub refuses; asked in process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from runner.event import Close, Preview, ShowArtefact, Skipped, event_of
from runner.local.github import Fault, Hands, Hub
from runner.local.github.description import description
from runner.local.github.rights import NEEDED
from runner.local.wire import Request, Response
from runner.model import Origin
from tests.github_site import ALL, NAME, Clock, Site

REPOSITORY = f"/repos/{NAME}"


@pytest.fixture
def at() -> Iterator[Site]:
    clock = Clock()
    hub = Hub(now=clock.now, sleep=clock.sleep)
    yield Site(hub, Hands.on(hub, NAME), clock)
    assert hub.defects == []


def ask(
    at: Site,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    query: str = "",
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    known = token if token is not None else at.hands.token(ALL)
    sent = {"user-agent": "test", "authorization": f"Bearer {known}", **(headers or {})}
    return at.hub.handle(
        Request(
            method=method,
            host="127.0.0.1",
            path=path if path.startswith("/rate") else f"{REPOSITORY}{path}",
            query=query,
            headers=tuple((name, value) for name, value in sent.items() if value),
            body=json.dumps(body).encode() if body is not None else b"",
        )
    )


def deployment(at: Site, **more: Any) -> dict[str, Any]:
    ref = at.hands.repository.branches["main"]
    wanted = {"ref": ref, "auto_merge": False, "required_contexts": [], **more}
    made = ask(at, "POST", "/deployments", wanted)
    assert made.status == 201, made.body
    found: dict[str, Any] = json.loads(made.body)
    return found


def success(at: Site, made: Mapping[str, Any], **more: Any) -> None:
    answer = ask(at, "POST", f"/deployments/{made['id']}/statuses", {"state": "success", **more})
    assert answer.status == 201, answer.body


def state(at: Site, made: Mapping[str, Any]) -> str:
    return at.hands.repository.deployments[made["id"]].statuses[-1].state


MISTAKES: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/deployments/{d}/statuses", {"state": "done"}, "state"),
    (
        "POST",
        "/deployments/{d}/statuses",
        {"state": "success", "enviroment_url": "x"},
        "enviroment_url",
    ),
    ("POST", "/deployments/{d}/statuses", {"state": "error", "description": "x" * 141}, "140"),
    ("POST", "/deployments", {"ref": "nowhere"}, "No ref found for: nowhere"),
    ("POST", "/deployments", {}, "'ref' is a required property"),
    ("POST", "/issues/1/comments", {"body": "x" * 65_537}, "65536"),
    ("POST", "/issues/1/comments", {"body": " "}, "blank"),
    ("POST", "/check-runs", {"name": "x", "head_sha": "f" * 40}, "No commit found for SHA"),
    ("POST", "/check-runs", {"name": "x", "head_sha": "{s}", "conclusion": "fine"}, "conclusion"),
    (
        "POST",
        "/check-runs",
        {"name": "x", "head_sha": "{s}", "status": "completed"},
        "conclusion",
    ),
    (
        "POST",
        "/check-runs",
        {
            "name": "x",
            "head_sha": "{s}",
            "output": {"title": "t", "summary": "s", "annotations": [{}] * 51},
        },
        "annotations",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "why"), MISTAKES)
def test_a_slip_in_a_request_is_refused(
    at: Site, method: str, path: str, body: dict[str, Any], why: str
) -> None:
    sha = at.hands.push("change")
    at.hands.open("change")
    there = path.replace("{d}", str(deployment(at)["id"]))
    told = {key: sha if value == "{s}" else value for key, value in body.items()}
    answer = ask(at, method, there, told)
    assert answer.status == 422
    assert why in answer.body.decode()


def test_a_query_parameter_that_github_does_not_know_is_refused(at: Site) -> None:
    assert ask(at, "GET", "/pulls", query="stat=open").status == 422
    assert ask(at, "GET", "/pulls", query="state=open").status == 200


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({"environment": "staging"}, "inactive"),
        ({"environment": "staging", "transient_environment": True}, "success"),
        ({"environment": "staging", "production_environment": True}, "success"),
        ({"environment": "other"}, "success"),
    ],
)
def test_a_success_inactivates_what_github_says_and_no_more(
    at: Site, first: dict[str, Any], expected: str
) -> None:
    before = deployment(at, **first)
    success(at, before)
    success(at, deployment(at, environment="staging"))
    assert state(at, before) == expected


def test_production_is_a_production_environment_unless_said_otherwise(at: Site) -> None:
    before = deployment(at)
    success(at, before)
    success(at, deployment(at))
    assert (before["environment"], state(at, before)) == ("production", "success")


def test_a_success_that_asks_for_it_inactivates_nothing(at: Site) -> None:
    before = deployment(at, environment="staging")
    success(at, before)
    success(at, deployment(at, environment="staging"), auto_inactive=False)
    assert state(at, before) == "success"


def test_an_active_deployment_cannot_be_deleted_among_others(at: Site) -> None:
    first, second = deployment(at, environment="a"), deployment(at, environment="a")
    success(at, first)
    assert ask(at, "DELETE", f"/deployments/{first['id']}").status == 422
    ask(at, "POST", f"/deployments/{first['id']}/statuses", {"state": "inactive"})
    assert ask(at, "DELETE", f"/deployments/{first['id']}").status == 204
    success(at, second)
    assert ask(at, "DELETE", f"/deployments/{second['id']}").status == 204


def test_a_branch_that_is_behind_is_merged_first_and_nothing_is_deployed(at: Site) -> None:
    at.hands.push("change")
    at.hands.push("main")
    answer = ask(at, "POST", "/deployments", {"ref": "change"})
    assert (answer.status, list(json.loads(answer.body))) == (202, ["message"])
    assert at.hands.repository.deployments == {}


def test_a_failed_status_stands_in_a_deployments_way_unless_it_is_not_required(at: Site) -> None:
    sha = at.hands.push("main")
    assert ask(at, "POST", f"/statuses/{sha}", {"state": "failure", "context": "ci"}).status == 201
    assert ask(at, "POST", "/deployments", {"ref": sha}).status == 409
    assert ask(at, "POST", "/deployments", {"ref": sha, "required_contexts": []}).status == 201


def test_lists_come_in_pages_with_the_way_to_the_others(at: Site) -> None:
    at.hands.push("change")
    at.hands.open("change")
    for each in range(7):
        at.hands.comment(1, f"{each}", author="octo")
    seen, links, query = [], [], "per_page=3"
    while query:
        answer = ask(at, "GET", "/issues/1/comments", query=query)
        seen += [each["body"] for each in json.loads(answer.body)]
        pairs = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.header("link"))
        found = {relation: url for url, relation in pairs}
        links.append(sorted(found))
        query = found.get("next", "").partition("?")[2]
    assert seen == list("0123456")
    assert links == [["last", "next"], ["first", "last", "next", "prev"], ["first", "prev"]]


def test_what_has_not_changed_is_not_sent_again_and_costs_nothing(at: Site) -> None:
    token = at.hands.token(ALL)
    first = ask(at, "GET", "", token=token)
    again = ask(at, "GET", "", token=token, headers={"if-none-match": first.header("etag")})
    assert (again.status, again.body) == (304, b"")
    assert again.header("x-ratelimit-used") == "1"
    at.hands.push("change")
    at.hands.open("change")
    assert ask(at, "GET", "/pulls/1", token=token).header("etag") != first.header("etag")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer ghs_unknown"}, 401),
        ({"user-agent": ""}, 403),
    ],
)
def test_who_does_not_say_who_asks_is_refused(
    at: Site, headers: dict[str, str], status: int
) -> None:
    assert ask(at, "GET", "", headers=headers).status == status


def test_an_hour_has_a_thousand_requests_for_a_workflow(at: Site) -> None:
    token = at.hands.token(ALL)
    at.hub.limits.allowed = 2
    left = [ask(at, "GET", "", token=token).header("x-ratelimit-remaining") for _ in range(3)]
    over = ask(at, "GET", "", token=token)
    assert (left, over.status) == (["1", "0", "0"], 403)
    assert b"API rate limit exceeded" in over.body
    assert json.loads(ask(at, "GET", "/rate_limit", token=token).body)["rate"]["remaining"] == 0
    at.clock.sleep(3601)
    assert ask(at, "GET", "", token=token).status == 200


def test_a_minute_takes_eighty_comments(at: Site) -> None:
    at.hands.push("change")
    at.hands.open("change")
    token = at.hands.token(ALL)
    answers = [
        ask(at, "POST", "/issues/1/comments", {"body": f"{each}"}, token=token)
        for each in range(81)
    ]
    assert [each.status for each in answers] == [201] * 80 + [403]
    assert 0 < int(answers[-1].header("retry-after")) <= 61
    at.clock.sleep(61)
    assert ask(at, "POST", "/issues/1/comments", {"body": "now"}, token=token).status == 201


def test_people_may_do_what_their_role_says(at: Site) -> None:
    at.hands.collaborator("ann", "read")
    token = at.hands.personal_token("ann")
    at.hands.push("change")
    at.hands.open("change")
    assert ask(at, "POST", "/issues/1/comments", {"body": "Nice"}, token=token).status == 201
    assert ask(at, "POST", "/deployments", {"ref": "main"}, token=token).status == 403
    sha = at.hands.repository.branches["main"]
    at.hands.collaborator("ann", "write")
    check = ask(at, "POST", "/check-runs", {"name": "x", "head_sha": sha}, token=token)
    assert (check.status, b"GitHub App" in check.body) == (403, True)


def test_a_fault_strikes_as_often_as_it_was_planted(at: Site) -> None:
    at.hub.faults.plant(Fault(operation="repos/get", times=2))
    assert [ask(at, "GET", "").status for _ in range(3)] == [502, 502, 200]


def test_every_operation_of_the_description_has_its_permission() -> None:
    described = {each.id for each in description().operations}
    assert described - set(NEEDED) == {"rate-limit/get", "users/get-authenticated"}


def test_its_events_say_what_githubs_say(at: Site) -> None:
    at.hands.push("change", message="Say hello")
    mine = at.hands.open("change", title="Hello")
    fork = at.hands.fork("mallory")
    fork.push("change")
    theirs = fork.open("change", author="mallory")

    def task(name: str, action: str, number: int) -> object:
        told = at.hands.event(name, action, number)
        return event_of(name, told, {}, run=Origin(), branch="main").task

    assert task("pull_request", "opened", mine) == Preview(mine)
    assert isinstance(task("pull_request", "opened", theirs), Skipped)
    assert isinstance(task("workflow_run", "completed", at.hands.run(theirs)), ShowArtefact)
    at.hands.close(theirs)
    assert task("pull_request_target", "closed", theirs) == Close(theirs)
    fork.delete_fork()
    assert isinstance(task("pull_request", "closed", theirs), Skipped)
