"""The action as GitHub's runner starts it: events in; comments, deployments, outputs, pages out."""

from __future__ import annotations

import base64
import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest

from runner.action import inputs, outputs
from runner.action.inputs import Inputs
from runner.aws.holders import holder_of, key_of
from runner.aws.identity import Identity, session_as
from runner.config.workflow import COMMANDS
from runner.local.cloud import Cloud
from runner.local.github import Hub
from runner.local.github.faults import DOWN
from runner.names import Names
from tests.action_container import IMAGE, kill
from tests.action_site import ACTION, BUILD, SETTINGS, Workplace, a_workplace
from tests.compute_site import eventually
from tests.local_cloud import client

SPEED = 50.0  # cloud seconds in one of ours
AT_ONCE = SETTINGS + '[production.rollout]\nstrategy = "all-at-once"\n'


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=SPEED) as found:
        yield found


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub(now=time.time, sleep=lambda _: None) as found:
        yield found


@pytest.fixture
def at(cloud: Cloud, hub: Hub, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(cloud, hub, tmp_path) as found:
        yield found


def test_a_pull_request_shows_itself_is_pushed_to_and_goes_without_a_trace(at: Workplace) -> None:
    number = at.pull()
    opened = at.on_pull("opened", number)
    assert opened.status == 0, opened.raw
    url = opened.outputs["url"]
    assert opened.outputs["outcome"] == "live"
    assert opened.outputs["environment"] == f"pr-{number}"
    assert at.visit(url).status == 401  # a private repository's preview is private
    password = _password(at, number, opened.log.masks)
    assert at.visit(url, authorization=password).body == b"<h1>One</h1>"
    assert len(at.comments(number)) == 1
    assert at.deployments(f"deploy:notes:pr-{number}") == ["success"]
    assert len(at.owners) == 1  # a later step can clean up

    at.hands.push("change", {"page.html": b"y"})
    at.checkout("<h1>Two</h1>")
    pushed = at.on_pull("synchronize", number)
    assert pushed.status == 0, pushed.raw
    assert pushed.outputs["url"] == url
    assert pushed.outputs["previous-release"] == opened.outputs["release"]
    assert at.visit(url, authorization=password).body == b"<h1>Two</h1>"
    assert len(at.comments(number)) == 1
    assert at.deployments(f"deploy:notes:pr-{number}") == ["inactive", "success"]

    at.hands.close(number)
    closed = at.on_pull("closed", number)
    assert closed.status == 0, closed.raw
    assert closed.outputs["outcome"] == "removed"
    assert at.visit(url, authorization=password).status == 404
    assert "removed" in at.comments(number)[0]
    assert at.deployments(f"deploy:notes:pr-{number}") == ["inactive", "inactive"]
    assert opened.untouched
    assert closed.untouched


def _password(at: Workplace, number: int, masks: list[str]) -> str:
    """The comment tells it; the log would show stars."""
    shown = [mask for mask in masks if mask in at.comments(number)[0]]
    assert shown
    return "Basic " + base64.b64encode(f"preview:{shown[0]}".encode()).decode()


def test_a_push_releases_and_a_person_takes_it_back_by_hand(at: Workplace) -> None:
    at.checkout("<h1>One</h1>", settings=AT_ONCE)
    first = at.on_push()
    assert first.status == 0, first.raw
    assert first.outputs["environment"] == "production"
    at.checkout("<h1>Two</h1>", settings=AT_ONCE)
    second = at.on_push()
    assert second.status == 0, second.raw
    url = second.outputs["url"]
    assert at.visit(url).body == b"<h1>Two</h1>"
    assert "The first release: 1 page" in first.summary
    assert "1 page changed" in second.summary
    assert at.deployments("deploy:notes:production") == ["inactive", "success"]

    back = at.by_hand("rollback")
    assert back.status == 0, back.raw
    assert back.outputs["outcome"] == "live"
    assert back.outputs["release"] == first.outputs["release"]
    assert at.visit(url).body == b"<h1>One</h1>"
    assert at.deployments("deploy:notes:production") == ["inactive", "inactive", "success"]
    assert any("held" in notice for notice in back.notices)
    assert first.outputs["release"][:8] in back.summary

    status = at.by_hand("status")
    assert (status.status, status.outputs["outcome"]) == (0, "")
    assert first.outputs["release"][:8] in status.summary

    other = at.on_push("elsewhere")
    assert (other.status, other.outputs["outcome"]) == (0, "skipped")
    assert "elsewhere is not the production branch" in other.notices[0]


def test_a_fork_is_skipped_and_told_how_it_goes(at: Workplace) -> None:
    fork = at.hands.fork("mallory")
    fork.push("evil", {"build.sh": b"exit 1"})
    number = fork.open("evil", author="mallory")
    step = at.on_pull("opened", number)
    assert step.status == 0, step.raw
    assert step.outputs["outcome"] == "skipped"
    assert "workflow_run" in step.notices[0]
    assert "workflow&#95;run" in step.summary
    assert "built by sh" not in step.raw
    assert at.comments(number) == []


def test_what_a_fork_has_built_is_shown_as_files_alone(at: Workplace) -> None:
    fork = at.hands.fork("mallory")
    fork.push("nice", {"page.html": b"x"})
    number = fork.open("nice", author="mallory")
    built = at.workspace / "from-the-fork"
    built.mkdir()
    (built / "index.html").write_text("<h1>Forked</h1>")
    (built / "jam.toml").write_text('site = "stolen"\n[preview]\npassword = "env:HOME"\n')
    run = at.hands.event("workflow_run", "completed", at.hands.run(number))
    step = at.run("workflow_run", run, artefact="from-the-fork")
    assert step.status == 0, step.raw
    assert (step.outputs["environment"], step.outputs["outcome"]) == (f"pr-{number}", "live")
    password = _password(at, number, step.log.masks)
    url = step.outputs["url"]
    assert at.visit(url, authorization=password).body == b"<h1>Forked</h1>"
    assert "Files alone" in at.comments(number)[0]
    assert at.visit(url, "/.functions/hello", authorization=password).status == 404
    assert "built by sh" not in step.raw

    (built / "link").symlink_to("/etc/passwd")
    step = at.run("workflow_run", run, artefact="from-the-fork")
    assert step.status == 2
    told = (step.errors[-1], at.comments(number)[0], step.summary)
    assert all("neither a file nor a folder" in each for each in told)
    assert url in at.comments(number)[0]  # which goes on showing what it showed
    (built / "link").unlink()
    # Rules that would speak as the edge does, or make it fetch for them, are refused by their line.
    for name, rules, code in (
        (
            "_headers",
            "/*\n  x-jam-release: evil\n  Location: https://evil.example\n",
            "JAM-HEADERS",
        ),
        ("_redirects", "/* https://evil.example/:splat 200!\n", "JAM-REDIRECTS"),
    ):
        (built / name).write_text(rules)
        step = at.run("workflow_run", run, artefact="from-the-fork")
        assert (step.status, code in at.comments(number)[0]) == (2, True), step.raw
        assert code in {each.properties["title"] for each in step.log.of("error")}
        (built / name).unlink()
    assert at.visit(url, authorization=password).body == b"<h1>Forked</h1>"

    fork.push("nice", {"page.html": b"y"})  # after the run: what it built is out of date
    step = at.run("workflow_run", run, artefact="from-the-fork")
    assert (step.status, step.outputs["outcome"]) == (0, "skipped")


def test_who_waits_for_another_run_is_queued_and_shown_after_it(at: Workplace) -> None:
    number = at.pull()
    assert at.on_pull("opened", number).status == 0
    other = "https://github.com/octo/notes/actions/runs/999"
    _held(at, number, run=other)
    at.checkout("<h1>Two</h1>")
    payload = at.hands.event("pull_request", "synchronize", number)
    with at.started("pull_request", payload) as (process, ended):
        eventually(lambda: "Preview is queued" in at.comments(number)[0], seconds=120)
        queued = at.comments(number)[0]
        _held(at, number, run=other, expires="1")
        assert "actions/runs/999" in queued
        out, _ = process.communicate(timeout=120)
        step = ended(process.returncode, out)
    assert (step.status, step.outputs["outcome"]) == (0, "live"), step.raw
    assert "Preview ready" in at.comments(number)[0]


def _held(at: Workplace, number: int, *, run: str, expires: str = "9" * 11) -> tuple[Any, Names]:
    """Somebody's run has the preview's lease."""
    names = Names("notes", at.cloud.account, "eu-central-1").preview(number)
    records = boto3.client(
        "dynamodb",
        region_name="eu-central-1",
        endpoint_url=at.cloud.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    held = {
        "run": {"S": run},
        "owner": {"S": "a container that is gone"},
        "token": {"N": "9"},
        "since": {"N": "1"},
        "expires": {"N": expires},
        "origin": {"S": "{}"},
    }
    records.put_item(TableName=names.records, Item={**key_of(names), **held})
    return records, names


def test_what_is_wrong_is_a_remark_on_its_line_and_in_the_comment(at: Workplace) -> None:
    number = at.pull()
    at.checkout("<h1>One</h1>", settings=SETTINGS + "[preview]\nexpier = 3\n")
    wrong = at.on_pull("opened", number)
    assert wrong.status == 2
    places = [each.properties for each in wrong.log.of("error")]
    assert {"file": "jam.toml", "line": "7"}.items() <= places[0].items()
    assert "expier" in at.comments(number)[0]

    at.checkout("<h1>One</h1>", settings=SETTINGS.replace("sh build.sh", "echo oh no; exit 3"))
    broken = at.on_pull("synchronize", number)
    assert broken.status == 2
    assert "oh no" in at.comments(number)[0]
    assert "oh no" in broken.summary
    assert at.deployments(f"deploy:notes:pr-{number}") == ["failure"]


def test_settings_that_nobody_can_read_keep_no_comment_untold_and_no_preview_up(
    at: Workplace,
) -> None:
    number = at.pull()
    shown = at.on_pull("opened", number)
    assert shown.status == 0, shown.raw
    at.hands.push("change", {"page.html": b"y"})
    at.checkout("<h1>One</h1>", settings=SETTINGS + "[preview\n")
    broken = at.on_pull("synchronize", number)
    assert broken.status == 2
    (told,) = at.comments(number)
    assert "Preview failed" in told
    assert "no valid TOML" in told
    assert "still shows" in told
    assert "no valid TOML" in broken.summary
    pushed = at.on_push()
    assert (pushed.status, "no valid TOML" in pushed.summary) == (2, True)

    at.hands.close(number)
    closed = at.on_pull("closed", number)
    assert (closed.status, closed.outputs["outcome"]) == (0, "removed"), closed.raw
    assert at.visit(shown.outputs["url"]).status == 404
    assert "removed" in at.comments(number)[0]


def test_what_a_domain_lacks_is_told_by_deploy_preview_and_doctor(at: Workplace) -> None:
    names = (
        '[production]\ndomain = "www.example.com"\n[preview]\ndomain = "*.preview.example.com"\n'
    )
    record = "CNAME  _"
    at.checkout(
        "<h1>One</h1>",
        settings=AT_ONCE.replace("[production.rollout]", names + "[production.rollout]"),
    )
    pushed = at.on_push()
    assert pushed.status == 0, pushed.raw
    assert sum(record in notice for notice in pushed.notices) == 2  # with and without www
    assert "www&#46;example.com" in pushed.summary
    number = at.pull()
    shown = at.on_pull("opened", number)
    assert shown.status == 0, shown.raw
    for told in (at.comments(number)[0], shown.summary):
        assert "Still to be done for the domain" in told
        assert "acm-validations.aws" in told
    looked = at.by_hand("doctor")
    assert looked.status == 3
    assert looked.summary.count("acm-validations.aws") == 3
    assert "drift        WRONG" not in looked.raw


def test_the_deploy_counts_when_github_is_down_and_is_told_later(at: Workplace) -> None:
    number = at.pull()
    at.hub.faults.plant(DOWN)
    shown = at.on_pull("opened", number)
    assert shown.status == 0, shown.raw
    assert shown.outputs["outcome"] == "live"
    (warned,) = shown.warnings  # one cause, told once
    assert "it answers 503. The run counts all the same" in warned
    assert at.comments(number) == []

    at.hub.faults.clear()
    collected = at.run("schedule", {})
    assert collected.status == 0, collected.raw
    assert shown.outputs["url"] in at.comments(number)[0]

    at.checkout("<h1>One</h1>", settings=SETTINGS.replace("sh build.sh", "exit 3"))
    assert at.on_pull("synchronize", number).status == 2
    at.checkout("<h1>One</h1>")
    at.hub.faults.plant(DOWN)  # the same commit's next run, of which GitHub hears nothing
    assert at.on_pull("synchronize", number).outputs["outcome"] == "unchanged"
    assert "Preview failed" in at.comments(number)[0]
    at.hub.faults.clear()
    assert at.run("schedule", {}).status == 0
    assert "Preview ready" in at.comments(number)[0]
    password = _password(at, number, shown.log.masks)  # told again
    assert at.visit(shown.outputs["url"], authorization=password).status == 200

    at.hub.faults.plant(DOWN)
    at.hands.close(number)  # and nobody was told
    nobody = at.run("schedule", {})
    assert len(nobody.warnings) == 2  # what it could not ask, what it could not tell
    assert "previews go by age alone" in nobody.summary
    assert at.visit(shown.outputs["url"], authorization=password).status == 200
    at.hub.faults.clear()
    collected = at.run("schedule", {})
    assert collected.status == 0, collected.raw
    assert at.visit(shown.outputs["url"]).status == 404
    assert "Preview removed" in at.comments(number)[0]
    assert f"pull request {number} is closed" in at.comments(number)[0]


def test_a_missing_permission_names_the_line_of_the_workflow(at: Workplace) -> None:
    number = at.pull()
    at.token = at.hands.token({"contents": "read", "metadata": "read"})
    shown = at.on_pull("opened", number)
    assert shown.status == 0, shown.raw
    warned = "\n".join(shown.warnings)
    assert warned.count("Add the line `pull-requests: write`") == 1
    assert warned.count("Add the line `deployments: write`") == 1


def test_a_cancelled_run_says_so_and_leaves_nothing_locked(at: Workplace) -> None:
    number = at.pull()
    at.checkout("<h1>One</h1>", settings=SETTINGS.replace("sh build.sh", "echo begun; sleep 20"))
    payload = at.hands.event("pull_request", "opened", number)
    with at.started("pull_request", payload) as (process, ended):
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if "begun" in line:
                break
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        rest, _ = process.communicate(timeout=30)
        assert time.monotonic() - begun < 7
        step = ended(process.returncode, seen + rest)
    assert step.status == 130, step.raw
    assert [each.properties["title"] for each in step.log.of("error")] == ["JAM-CANCELLED"]
    assert at.deployments(f"deploy:notes:pr-{number}") == ["error"]
    assert "interrupted" in at.comments(number)[0]
    after = at.post("pull_request", payload, step.state)
    assert (after.status, "ended in the middle" in after.raw) == (0, False)


def test_a_killed_run_is_tidied_up_by_its_post(at: Workplace) -> None:
    number = at.pull()
    at.checkout("<h1>One</h1>", settings=SETTINGS.replace("sh build.sh", "echo begun; sleep 20"))
    payload = at.hands.event("pull_request", "opened", number)
    with at.started("pull_request", payload) as (process, ended):
        assert process.stdout is not None
        next(line for line in process.stdout if "begun" in line)
        kill(process, at.home)
        step = ended(process.returncode, "")
    assert at.deployments(f"deploy:notes:pr-{number}") == ["in_progress"]
    after = at.post("pull_request", payload, step.state)
    assert after.status == 0, after.raw
    assert at.deployments(f"deploy:notes:pr-{number}") == ["error"]
    assert "ended in the middle" in at.comments(number)[0]


def test_a_build_neither_steers_the_runner_nor_sees_a_secret(at: Workplace) -> None:
    number = at.pull()
    at.checkout("<h1>One</h1>", settings=SETTINGS.replace("sh build.sh", "sh evil.sh"))
    (at.workspace / "evil.sh").write_text(
        "printf '::set-output name=url::https://evil\\n'\n"
        "printf 'x\\r::error::gotcha\\n  ##[set-output name=url]https://evil\\n'\n"
        "printf '##[add-mask]e\\n::stop-commands::mine\\n'\n"
        "env | sort\n"
        + ("tr '\\0' '\\n' < /proc/1/environ\n" if IMAGE else "")  # in a container that is us
        + BUILD
    )
    step = at.on_pull("opened", number)
    assert step.status == 0, step.raw
    names = {each.name for each in step.log.commands}
    assert names <= {"add-mask", "group", "endgroup", "notice", "warning"}
    assert "e" not in step.log.masks
    assert "evil" not in step.outputs["url"]
    assert at.token not in step.raw.replace(f"::add-mask::{at.token}", "")
    assert "AWS_SECRET_ACCESS_KEY" not in step.raw
    assert "INPUT_" not in step.raw


@pytest.mark.skipif(not IMAGE, reason="JAM_TEST_IMAGE names no image to run the action in")
def test_a_build_in_its_own_image_has_the_copy_alone(at: Workplace) -> None:
    """A container beside the action's: the engine knows other paths than the action does."""
    number = at.pull()
    settings = SETTINGS.replace("[build]\n", f'[build]\nimage = "{IMAGE}"\n')
    at.checkout("<h1>One</h1>", settings=settings.replace("sh build.sh", "sh look.sh"))
    (at.workspace / "look.sh").write_text(
        "echo uid $(id -u) in $(pwd); env | sort; ls /var/run/docker.sock /github; " + BUILD
    )
    step = at.on_pull("opened", number)
    assert step.status == 0, step.raw
    password = _password(at, number, step.log.masks)
    assert at.visit(step.outputs["url"], authorization=password).body == b"<h1>One</h1>"
    assert "uid 61001 in /workspace" in step.raw
    assert "cannot access '/var/run/docker.sock'" in step.raw
    assert "cannot access '/github'" in step.raw
    assert at.token not in step.raw.replace(f"::add-mask::{at.token}", "")
    assert "AWS_SECRET_ACCESS_KEY" not in step.raw
    assert len(at.owners) == 1


def test_the_inputs_and_outputs_of_action_yml_are_the_codes() -> None:
    assert tuple(ACTION["inputs"]) == inputs.NAMES
    assert tuple(ACTION["outputs"]) == outputs.NAMES
    defaults = {name: each.default for name, each in zip(inputs.NAMES, fields(Inputs), strict=True)}
    told = {name: each["default"] for name, each in ACTION["inputs"].items()}
    told["github-token"] = ""  # GitHub's own expression
    assert told == {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in defaults.items()
    }
    commands = ACTION["inputs"]["command"]["description"]
    assert all(f"{each}" in commands for each in COMMANDS)


@pytest.mark.parametrize("event", ["pull_request_target", "issue_comment"])
def test_an_event_that_strangers_can_start_is_refused(at: Workplace, event: str) -> None:
    step = at.run(event, at.hands.event("pull_request", "opened", at.pull()))
    assert step.status == 2
    assert [each.properties["title"] for each in step.log.of("error")] == ["JAM-EVENT-UNSAFE"]


def test_an_input_that_is_neither_true_nor_false_is_told(at: Workplace) -> None:
    step = at.on_pull("opened", at.pull(), comment="maybe", qr_code="2")
    assert step.status == 2
    assert "comment: 'maybe'" in step.errors[-1]
    assert "qr-code: '2'" in step.errors[-1]


ISSUER = "token.actions.githubusercontent.com"


class _Oidc(BaseHTTPRequestHandler):
    """GitHub's provider of tokens for one job."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        assert self.headers["authorization"] == "Bearer the-jobs-own"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"value": _jwt(len(self.asked))}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _jwt(number: int) -> str:
    claims = {
        "iss": f"https://{ISSUER}",
        "aud": "sts.amazonaws.com",
        "sub": "repo:octo/notes:environment:preview",
        "jti": number,
    }
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.signature"


def _role(cloud: Cloud) -> str:
    """One that trusts the repository's previews."""
    iam = client(cloud, "iam")
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"]
    )["OpenIDConnectProviderArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": "repo:octo/notes:environment:preview"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    # Somebody's own, which may do everything: previews' role makes nothing that they share.
    made = iam.create_role(RoleName="of-octo", AssumeRolePolicyDocument=trust)
    all_of_it = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    may = json.dumps({"Version": "2012-10-17", "Statement": [all_of_it]})
    iam.put_role_policy(RoleName="of-octo", PolicyName="all", PolicyDocument=may)
    cloud.clock.run(cloud.clock.now() + 60)  # until it can be assumed
    return str(made["Role"]["Arn"])


def test_a_role_is_assumed_by_githubs_word_and_its_token_is_masked(at: Workplace) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Oidc)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at.more = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_port}/token?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "the-jobs-own",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
    }
    step = at.on_pull("opened", at.pull(), role_to_assume=_role(at.cloud))
    server.shutdown()
    assert step.status == 0, step.raw
    assert _Oidc.asked == ["/token?v=1&audience=sts.amazonaws.com"]
    assert _jwt(1) in step.log.masks
    assert "the-jobs-own" not in step.raw


def test_credentials_that_are_about_to_end_are_renewed_by_a_new_token() -> None:
    tokens = count(1)
    with Cloud() as cloud, pytest.MonkeyPatch.context() as patch:
        cloud.clock.run(time.time() - 3_000)  # ten minutes are left of the hour that STS gives
        patch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "of somebody else")
        identity = Identity(role=_role(cloud), session="run-1", token=lambda: _jwt(next(tokens)))
        found = session_as(identity, region="eu-central-1").get_credentials()
        assert found is not None
        keys = {found.get_frozen_credentials().access_key for _ in range(2)}
    assert len(keys) == 2
    assert next(tokens) == 3


def test_a_job_without_an_oidc_token_is_told_which_line_it_lacks(at: Workplace) -> None:
    at.more = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    step = at.on_pull(
        "opened", at.pull(), role_to_assume="arn:aws:iam::123456789012:role/jam-preview"
    )
    assert step.status == 5
    assert "`id-token: write`" in step.errors[-1]


def test_the_post_of_a_killed_run_frees_its_lease_and_nobody_elses(at: Workplace) -> None:
    number = at.pull()
    payload = at.hands.event("pull_request", "opened", number)
    shown = at.run("pull_request", payload)
    assert shown.status == 0, shown.raw
    state = {name: value for name, value in shown.state.items() if name != "ended"}
    run = f"https://github.com/octo/notes/actions/runs/{1000 + at.runs}"
    for holder, left in ((f"{run}7", True), (run, False)):
        records, names = _held(at, number, run=holder)
        assert at.post("pull_request", payload, state).status == 0
        found = records.get_item(TableName=names.records, Key=key_of(names))
        taken = holder_of(found["Item"])
        assert taken is not None
        assert bool(taken.expires) is left
