"""What we ask GitHub and tell it, over HTTP, to the embedded GitHub: also when it is unwell."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from runner.errors import JamError, Turn
from runner.github import checks, deployments
from runner.github.attempt import Missed, attempt
from runner.github.client import connect
from runner.github.comments import marker_of, remove_comment, upsert_comment
from runner.github.history import ancestry
from runner.github.runs import pull_of
from runner.github.values import Annotation, Check, DeploymentStatus
from runner.local.github import Fault, Hands, Hub
from runner.local.github.faults import DOWN, SECONDARY, TOO_MANY
from tests.github_site import NAME, Clock, Site, running, site

MARKER = marker_of(1, "notes")
BOT = "github-actions[bot]"
RESET = Fault(status=0)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running() as found:
        yield found


@pytest.fixture
def at(hub: Hub) -> Iterator[Site]:
    with site(hub) as found:
        yield found


def refused(code: str, turn: Turn, error: JamError) -> None:
    assert (error.code, error.turn) == (code, turn)
    assert error.hint


# Comments


def test_a_pull_request_has_one_comment_which_is_changed_in_place(at: Site) -> None:
    number, client = at.pull(), at.client()
    first = upsert_comment(client, number, marker=MARKER, body="building")
    second = upsert_comment(client, number, marker=MARKER, body="ready")
    assert (first.id, second.author) == (second.id, BOT)
    assert at.bodies(number) == [f"{MARKER}\nready"]


def test_the_comment_is_found_behind_a_hundred_others(at: Site) -> None:
    number, client = at.pull(), at.client()
    for each in range(130):
        at.hands.comment(number, f"remark {each}", author="octo")
    upsert_comment(client, number, marker=MARKER, body="building")
    for each in range(120):
        at.hands.comment(number, f"answer {each}", author="octo")
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert [body for body in at.bodies(number) if MARKER in body] == [f"{MARKER}\nready"]


def test_a_hundred_comments_exactly_do_not_hide_it_either(at: Site) -> None:
    number, client = at.pull(), at.client()
    for each in range(99):
        at.hands.comment(number, f"remark {each}", author="octo")
    upsert_comment(client, number, marker=MARKER, body="building")
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert len(at.bodies(number)) == 100


def test_a_comment_that_says_it_already_is_left_alone(at: Site) -> None:
    number, client = at.pull(), at.client()
    upsert_comment(client, number, marker=MARKER, body="ready")
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert "issues/update-comment" not in at.calls()


def test_two_sites_of_a_repository_have_a_comment_each(at: Site) -> None:
    number, client = at.pull(), at.client()
    upsert_comment(client, number, marker=MARKER, body="notes")
    upsert_comment(client, number, marker=marker_of(1, "notes-docs"), body="docs")
    upsert_comment(client, number, marker=MARKER, body="notes again")
    assert len(at.bodies(number)) == 2


def test_somebody_elses_comment_with_our_marker_is_never_ours(at: Site) -> None:
    number, client = at.pull(), at.client()
    planted = f"{MARKER}\nhttps://evil.example.com"
    at.hands.comment(number, planted, author="mallory")
    at.hands.comment(number, f"quoted: {MARKER}", author=BOT)
    upsert_comment(client, number, marker=MARKER, body="ready")
    upsert_comment(client, number, marker=MARKER, body="ready again")
    assert at.bodies(number) == [planted, f"quoted: {MARKER}", f"{MARKER}\nready again"]


def test_another_bots_comment_with_our_marker_is_passed_over(at: Site) -> None:
    number, client = at.pull(), at.client()
    echo = f"{MARKER}\nechoed"
    at.hands.comment(number, echo, author="echo[bot]")
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert at.bodies(number) == [echo, f"{MARKER}\nready"]


def test_with_a_persons_token_the_comment_is_the_persons(at: Site) -> None:
    number = at.pull()
    at.hands.collaborator("ann", "write")
    client = at.client(token=at.hands.personal_token("ann"))
    upsert_comment(client, number, marker=MARKER, body="building")
    assert upsert_comment(client, number, marker=MARKER, body="ready").author == "ann"
    assert len(at.bodies(number)) == 1


def test_comments_that_a_race_has_doubled_become_one_again(at: Site) -> None:
    number, client = at.pull(), at.client()
    for each in ("one", "two"):
        at.hands.comment(number, f"{MARKER}\n{each}", author=BOT)
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert at.bodies(number) == [f"{MARKER}\nready"]


@pytest.mark.parametrize("lost", [Fault(after=True), Fault(status=0, after=True)])
def test_a_comment_whose_answer_is_lost_is_not_written_twice(at: Site, lost: Fault) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(_on("issues/create-comment", lost))
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert at.bodies(number) == [f"{MARKER}\nready"]
    assert at.calls().count("issues/create-comment") == 1


def test_a_comment_that_was_not_written_is_told_and_made_up_by_the_next_run(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(_on("issues/create-comment", Fault()))
    missed = attempt("comment", lambda: upsert_comment(client, number, marker=MARKER, body="ready"))
    assert isinstance(missed, Missed)
    refused("JAM-GITHUB-DOWN", Turn.AGAIN, missed.error)
    assert at.bodies(number) == []
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert at.bodies(number) == [f"{MARKER}\nready"]


def test_a_comment_that_somebody_deletes_meanwhile_is_made_anew(at: Site) -> None:
    number, client = at.pull(), at.client()
    first = upsert_comment(client, number, marker=MARKER, body="building")
    at.hub.faults.plant(_on("issues/update-comment", Fault(status=404, message="Not Found")))
    assert upsert_comment(client, number, marker=MARKER, body="ready").id != first.id


def test_a_comment_is_taken_away(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hands.comment(number, "mine", author="octo")
    upsert_comment(client, number, marker=MARKER, body="ready")
    remove_comment(client, number, marker=MARKER)
    remove_comment(client, number, marker=MARKER)
    assert at.bodies(number) == ["mine"]


# Patience


@pytest.mark.parametrize("fault", [Fault(), Fault(status=503), RESET, TOO_MANY, SECONDARY])
def test_a_question_is_asked_again(at: Site, fault: Fault) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(fault)
    assert client.pull(number).number == number
    assert sum(at.clock.slept) <= 60


@pytest.mark.parametrize("fault", [TOO_MANY, SECONDARY])
def test_a_comment_that_github_put_off_is_sent_again(at: Site, fault: Fault) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(_on("issues/create-comment", fault))
    upsert_comment(client, number, marker=MARKER, body="ready")
    assert at.bodies(number) == [f"{MARKER}\nready"]
    assert at.clock.slept == [float(dict(fault.headers)["retry-after"])]


def test_nobody_waits_an_hour_for_a_limit_to_end(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hub.limits.allowed = 0
    with pytest.raises(JamError, match="too many requests") as caught:
        client.pull(number)
    refused("JAM-GITHUB-DOWN", Turn.AGAIN, caught.value)
    assert sum(at.clock.slept) <= 60


def test_a_github_that_is_down_costs_a_deploy_seconds_and_not_minutes(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(DOWN)
    for _ in range(5):
        with pytest.raises(JamError) as caught:
            client.pull(number)
        refused("JAM-GITHUB-DOWN", Turn.AGAIN, caught.value)
    assert sum(at.clock.slept) <= 10
    assert len(at.hub.seen) == 4
    at.hub.faults.clear()
    at.clock.sleep(61)
    assert client.pull(number).number == number


def test_a_github_that_does_not_answer_in_time_is_down() -> None:
    clock = Clock()
    with Hub(now=time.time, sleep=time.sleep) as hub:
        hands = Hands.on(hub, NAME)
        token = hands.token()
        client = connect(hub.url, token, NAME, sleep=clock.sleep, now=clock.now, timeout=1)
        hands.push("change")
        number = hands.open("change")
        hub.faults.plant(Fault(operation="issues/create-comment", seconds=1.3, status=502))
        with pytest.raises(JamError) as caught:
            client.create_comment(number, "hello")
    refused("JAM-GITHUB-DOWN", Turn.AGAIN, caught.value)


def test_a_port_where_nobody_listens_is_a_github_that_is_down() -> None:
    clock = Clock()
    client = connect("http://127.0.0.1:9", "ghs_x", NAME, sleep=clock.sleep, now=clock.now)
    with pytest.raises(JamError) as caught:
        client.repository()
    refused("JAM-GITHUB-DOWN", Turn.AGAIN, caught.value)


# Permissions


@pytest.mark.parametrize("private", [False, True])
def test_a_missing_permission_names_the_line_to_add(hub: Hub, private: bool) -> None:
    with site(hub, private=private) as at:
        number = at.pull()
        sha = at.hands.repository.pulls[number].head_sha
        client = at.client({"contents": "read"})
        new = deployments.wanted(site="notes", environment="pr-1", sha=sha, pull=number)
        check = Check(name="jam-deploy", sha=sha, title="t", summary="s")
        for line, do in (
            ("pull-requests: write", lambda: client.create_comment(number, "hello")),
            ("deployments: write", lambda: client.create_deployment(new)),
            ("checks: write", lambda: client.create_check(check)),
        ):
            with pytest.raises(JamError) as caught:
                do()
            refused("JAM-GITHUB-DENIED", Turn.GITHUB, caught.value)
            assert f"`{line}`" in caught.value.hint


def test_reading_a_private_repository_needs_the_permission_too(hub: Hub) -> None:
    with site(hub, private=True) as at:
        number = at.pull()
        with pytest.raises(JamError) as caught:
            at.client({"contents": "read"}).pull(number)
        assert "`pull-requests: read`" in caught.value.hint


def test_a_person_without_the_right_is_not_told_to_change_the_workflow(at: Site) -> None:
    at.hands.collaborator("ann", "read")
    client = at.client(token=at.hands.personal_token("ann"))
    new = deployments.wanted(site="notes", environment="production", sha=at.hands.push("main"))
    with pytest.raises(JamError) as caught:
        client.create_deployment(new)
    refused("JAM-GITHUB-DENIED", Turn.GITHUB, caught.value)
    assert "permissions:" not in caught.value.hint


def test_a_locked_conversation_is_no_missing_permission(at: Site) -> None:
    number, client = at.pull(), at.client()
    locked = Fault(status=403, message="Unable to create comment because issue is locked.")
    at.hub.faults.plant(locked)
    with pytest.raises(JamError, match="locked") as caught:
        client.create_comment(number, "hello")
    refused("JAM-GITHUB-REFUSED", Turn.GITHUB, caught.value)


def test_a_token_that_is_over_is_denied(at: Site) -> None:
    with pytest.raises(JamError, match="Bad credentials") as caught:
        at.client(token="ghs_over").repository()
    refused("JAM-GITHUB-DENIED", Turn.GITHUB, caught.value)


def test_without_a_token_nothing_is_asked(at: Site) -> None:
    with pytest.raises(JamError) as caught:
        connect(at.hub.url, "", NAME, sleep=at.clock.sleep, now=at.clock.now)
    refused("JAM-GITHUB-DENIED", Turn.GITHUB, caught.value)


def test_another_repository_is_as_if_it_were_not_there(hub: Hub) -> None:
    with site(hub, private=True) as at:
        token = Hands.on(at.hub, "octo/other").token()
        with pytest.raises(JamError) as caught:
            at.client(token=token).repository()
        refused("JAM-GITHUB-GONE", Turn.GITHUB, caught.value)


# Deployments


def test_a_preview_is_in_progress_then_a_success_and_the_one_before_is_inactive(at: Site) -> None:
    number, client = at.pull(), at.client()
    task = deployments.task_of("notes", "pr-1")
    for url in ("https://one.example.com", "https://two.example.com"):
        new = _preview(at, number)
        made = deployments.begin(client, new, log="https://github.com/octo/site/actions/runs/1")
        assert at.states(task)[-1] == "in_progress"
        deployments.succeed(client, made, of=new, url=url, log="")
        at.hands.push("change")
    assert at.states(task) == ["inactive", "success"]
    newest = list(at.hands.repository.deployments.values())[-1]
    assert newest.statuses[-1].environment_url == "https://two.example.com"
    assert (newest.environment, newest.transient, newest.production) == ("preview", True, False)


def test_previews_of_other_pull_requests_stay_active(at: Site) -> None:
    client = at.client()
    for branch in ("one", "two"):
        new = _preview(at, at.pull(branch))
        made = deployments.begin(client, new, log="")
        deployments.succeed(client, made, of=new, url="https://example.com", log="")
    assert at.states(deployments.task_of("notes", "pr-1")) == ["success"]
    assert at.states(deployments.task_of("notes", "pr-2")) == ["success"]


def test_a_closed_pull_request_leaves_no_active_deployment(at: Site) -> None:
    number, client = at.pull(), at.client()
    new = _preview(at, number)
    task = new.task
    deployments.fail(client, deployments.begin(client, new, log=""), why="it broke", log="")
    made = deployments.begin(client, new, log="")
    deployments.succeed(client, made, of=new, url="https://example.com", log="")
    assert deployments.retire(client, "preview", task=task) == 1
    assert deployments.retire(client, "preview", task=task) == 0
    assert at.states(task) == ["failure", "inactive"]


def test_in_production_the_one_before_is_made_inactive_by_us(at: Site) -> None:
    client = at.client()
    for _ in range(3):
        new = deployments.wanted(site="notes", environment="production", sha=at.hands.push("main"))
        made = deployments.begin(client, new, log="")
        deployments.succeed(client, made, of=new, url="https://example.com", log="")
    assert at.states(new.task) == ["inactive", "inactive", "success"]


def test_a_deployment_whose_answer_is_lost_is_not_made_twice(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hub.faults.plant(_on("repos/create-deployment", Fault(after=True)))
    deployments.begin(client, _preview(at, number), log="")
    assert at.states(deployments.task_of("notes", "pr-1")) == ["in_progress"]


def test_a_long_reason_is_cut_to_what_github_takes(at: Site) -> None:
    number, client = at.pull(), at.client()
    made = deployments.begin(client, _preview(at, number), log="")
    client.create_deployment_status(made, DeploymentStatus(state="failure", description="x" * 900))
    assert len(at.hands.repository.deployments[made].statuses[-1].description) == 140


def test_a_commit_that_github_does_not_know_is_told_as_it_says_it(at: Site) -> None:
    new = deployments.wanted(site="notes", environment="production", sha="0" * 40)
    with pytest.raises(JamError, match="No ref found for") as caught:
        at.client().create_deployment(new)
    refused("JAM-GITHUB-REFUSED", Turn.GITHUB, caught.value)


# Checks


def test_more_remarks_than_a_request_takes_are_all_there(at: Site) -> None:
    sha = at.hands.push("main")
    remarks = tuple(
        Annotation(path="jam.toml", line=each, message=f"line {each}") for each in range(1, 121)
    )
    check = Check(
        name="jam-deploy",
        sha=sha,
        title="120 problems",
        summary="x" * 70_000,
        conclusion="failure",
        annotations=remarks,
    )
    run = at.hands.repository.checks[checks.report(at.client(), check)]
    assert [each["start_line"] for each in run.annotations] == list(range(1, 121))
    assert (run.status, run.conclusion) == ("completed", "failure")
    assert [call for call in at.calls() if "checks/" in call] == [
        "checks/create",
        "checks/update",
        "checks/update",
    ]


def test_a_check_in_progress_is_concluded(at: Site) -> None:
    client = at.client()
    check = Check(name="jam-deploy", sha=at.hands.push("main"), title="Building", summary="…")
    run = checks.report(client, check)
    assert at.hands.repository.checks[run].status == "in_progress"
    done = Check(name="jam-deploy", sha=check.sha, title="Ready", summary="", conclusion="success")
    checks.conclude(client, run, done)
    assert at.hands.repository.checks[run].conclusion == "success"


# What GitHub knows


def test_a_pull_request_is_told_as_it_is(at: Site) -> None:
    number, client = at.pull(), at.client()
    at.hands.label(number, "show")
    found = client.pull(number)
    assert (found.open, found.merged, found.fork, found.labels) == (True, False, False, ("show",))
    at.hands.close(number, merged=True)
    found = client.pull(number)
    assert (found.open, found.merged) == (False, True)


def test_open_pull_requests_are_told_over_all_pages(at: Site) -> None:
    numbers = [at.pull(f"change-{each}") for each in range(101)]
    at.hands.close(numbers[3])
    found = [each.number for each in at.client().open_pulls()]
    assert sorted(found) == [*numbers[:3], *numbers[4:]]
    assert at.calls().count("pulls/list") == 2


def test_a_pull_request_of_a_fork_is_one_even_when_the_fork_is_gone(at: Site) -> None:
    fork = at.hands.fork("mallory")
    fork.push("change")
    number, client = fork.open("change"), at.client()
    assert client.pull(number).fork
    fork.delete_fork()
    assert client.pull(number).fork
    assert client.pull(number).head_repository is None


def test_the_history_tells_which_commit_came_first(at: Site) -> None:
    first, second = at.hands.push("main"), at.hands.push("main")
    aside = at.hands.push("aside")
    third = at.hands.push("main")
    is_ancestor = ancestry(at.client())
    assert is_ancestor(first, second) is True
    assert is_ancestor(second, first) is False
    assert is_ancestor(aside, third) is False
    assert is_ancestor(first, "0" * 40) is None
    before = len(at.hub.seen)
    assert is_ancestor(first, second) is True
    assert len(at.hub.seen) == before


def test_without_github_nobody_can_tell_which_commit_came_first(at: Site) -> None:
    first, second = at.hands.push("main"), at.hands.push("main")
    at.hub.faults.plant(DOWN)
    assert ancestry(at.client())(first, second) is None


@pytest.mark.parametrize("private", [False, True])
def test_a_run_of_a_fork_leads_to_its_pull_request(hub: Hub, private: bool) -> None:
    with site(hub, private=private) as at:
        fork = at.hands.fork("mallory")
        fork.push("change")
        number, client = fork.open("change"), at.client()
        run = client.run(at.hands.run(number))
        found = pull_of(client, run)
        assert found is not None
        assert (found.number, found.fork) == (number, True)


def test_a_run_leads_nowhere_once_its_pull_request_has_moved_on(at: Site) -> None:
    fork = at.hands.fork("mallory")
    fork.push("change")
    number, client = fork.open("change"), at.client()
    run = client.run(at.hands.run(number))
    fork.push("change")
    assert pull_of(client, run) is None
    at.hands.close(number)
    assert pull_of(client, client.run(at.hands.run(number))) is None


def test_a_forks_branch_of_the_same_name_is_not_taken_for_ours(at: Site) -> None:
    mine = at.pull("change")
    fork = at.hands.fork("mallory")
    fork.push("change")
    theirs, client = fork.open("change"), at.client()
    found = pull_of(client, client.run(at.hands.run(theirs)))
    assert found is not None
    assert found.number == theirs != mine


@pytest.mark.parametrize(
    ("role", "told"),
    [("admin", "admin"), ("maintain", "write"), ("write", "write"), ("triage", "read")],
)
def test_what_a_user_may_do(at: Site, role: str, told: str) -> None:
    at.hands.collaborator("ann", role)
    assert at.client().role("ann") == told


def test_a_file_is_read_as_of_a_commit(at: Site) -> None:
    sha = at.hands.push("main", {"jam.toml": b'site = "notes"\n', "a/b c.txt": b"x"})
    at.hands.push("main", {"jam.toml": b'site = "other"\n', "large": b"x" * 2_000_000})
    client = at.client()
    assert client.file("jam.toml", ref=sha) == b'site = "notes"\n'
    assert client.file("a/b c.txt", ref="main") == b"x"
    assert client.file("none.toml", ref="main") is None
    with pytest.raises(JamError, match="does not give large"):
        client.file("large", ref="main")


def test_only_githubs_failures_are_forgiven() -> None:
    def fails() -> None:
        raise JamError("JAM-OTHER", "no", hint="h", turn=Turn.AWS)

    with pytest.raises(JamError, match="no"):
        attempt("comment", fails)


def _on(operation: str, fault: Fault) -> Fault:
    return Fault(
        operation=operation,
        status=fault.status,
        message=fault.message,
        headers=fault.headers,
        after=fault.after,
    )


def _preview(at: Site, number: int) -> deployments.NewDeployment:
    sha = at.hands.repository.pulls[number].head_sha
    return deployments.wanted(site="notes", environment=f"pr-{number}", sha=sha, pull=number)
