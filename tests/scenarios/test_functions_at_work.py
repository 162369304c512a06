"""Functions at work, in both languages, looked at and called as a user would from a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from tests.compute_site import ACCOUNT, zipped
from tests.scenarios.conftest import Site

REGION = "eu-central-1"
COMMIT = "c0ffee0123456789c0ffee0123456789c0ffee01"
FILES = {
    "jam.toml": f'site = "at-work"\nregion = "{REGION}"\n[build]\npublish = "public"\n',
    "public/index.html": "<h1>Hello</h1>",
    "functions/notes/[id].js": """
exports.handler = async (event) => {
  console.log("note", event.pathParameters, "\\u001b]0;owned\\u0007");
  if (event.fail) throw new Error("there is no such note \\u001b[31m");
  return { statusCode: 200, body: "note " + event.pathParameters?.id };
};
""",
    "functions/hello.py": """
def handler(event, context):
    print("hello from", context.function_version)
    return {"statusCode": 200, "body": "hello " + event.get("name", "")}
""",
}


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("at-work")
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    site = Site(folder, account)
    done = site.jam(
        "deploy", "--now", GITHUB_SHA=COMMIT, GITHUB_REF_NAME="main", GITHUB_ACTOR="ada"
    )
    assert done.status == 0, done.log[-3000:]
    return site


def said(site: Site, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Status, output and remarks of a command without --json."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        cwd=site.folder,
        env={**site.environment, "AWS_ENDPOINT_URL": site.endpoint},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def logged(site: Site, *arguments: str, until: str) -> list[dict[str, str]]:
    """The lines of `logs`, once `until` is among them: logs arrive when they arrive."""
    for _ in range(20):
        lines = site.jam("logs", *arguments).answer["lines"]
        if any(until in line["message"] for line in lines):
            return lines
        time.sleep(0.2)
    raise AssertionError(f"{until} was never logged")


@pytest.fixture
def foreign(site: Site) -> Iterator[str]:
    """A function of the account that no site made."""
    client = boto3.client(
        "lambda",
        endpoint_url=site.endpoint,
        region_name=REGION,
        aws_access_key_id=site.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=site.environment["AWS_SECRET_ACCESS_KEY"],
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/jam/jam-at-work-functions"
    client.create_function(
        FunctionName="legacy",
        Runtime="python3.13",
        Handler="main.handler",
        Role=role,
        Code={"ZipFile": zipped({"main.py": "def handler(e, c):\n    return {'legacy': e}\n"})},
    )
    client.get_waiter("function_active_v2").wait(FunctionName="legacy", WaiterConfig={"Delay": 1})
    yield "legacy"
    client.delete_function(FunctionName="legacy")


def test_status_names_release_commit_time_and_every_function(site):
    answer = site.jam("status").answer
    (production,) = answer["environments"]
    assert production["environment"] == "production"
    assert (production["commit"], production["branch"], production["author"]) == (
        COMMIT, "main", "ada",
    )  # fmt: skip
    assert production["since"].startswith("20")
    assert site.visit(production["url"], "/").headers["x-jam-release"] == production["release"]
    told = {each["name"]: each for each in production["functions"]}
    assert told["notes/[id]"]["route"] == "/.functions/notes/{id}"
    assert told["notes/[id]"]["runtime"].startswith("nodejs")
    assert told["hello"]["runtime"].startswith("python")
    assert told["hello"]["version"] == "1"


def test_status_for_a_person_has_a_line_for_each_function(site):
    status, text, _ = said(site, "status")
    assert status == 0
    assert f"commit {COMMIT[:12]} (main) by ada" in text
    assert "live since 20" in text
    assert "/.functions/notes/{id}" in text


def test_invoke_prints_what_the_live_version_returns(site):
    (site.folder / "event.json").write_text('{"name": "world"}')
    status, text, remarks = said(site, "invoke", "hello", "--event", "event.json")
    assert status == 0
    assert json.loads(text) == {"statusCode": 200, "body": "hello world"}
    assert "hello: version 1 answered" in remarks


def test_invoke_reads_standard_input_and_takes_a_part_of_the_name(site):
    event = '{"pathParameters": {"id": "7"}}'
    status, text, _ = said(site, "invoke", "[id]", "--event", "-", stdin=event)
    assert status == 0
    assert json.loads(text)["body"] == "note 7"


def test_a_function_that_fails_is_status_2_with_its_error_and_its_last_lines(site):
    status, text, remarks = said(site, "invoke", "[id]", "--event", "-", stdin='{"fail": true}')
    assert status == 2
    assert json.loads(text)["errorType"] == "Error"
    assert "error[JAM-FUNCTION-FAILED]: notes/[id] (version 1) failed: Error: there is" in remarks
    assert "REPORT RequestId" in remarks
    assert "\x1b" not in text + remarks


def test_with_json_a_failure_is_one_document_with_payload_and_error(site):
    (site.folder / "fail.json").write_text('{"fail": true}')
    done = site.jam("invoke", "notes", "--event", "fail.json")
    assert done.status == 2
    assert done.error["code"] == "JAM-FUNCTION-FAILED"
    assert done.answer["payload"]["errorType"] == "Error"
    assert done.answer["version"] == "1"


def test_status_counts_calls_and_failures_of_the_live_version(site):
    # CloudWatch tells of a minute once it is over.
    control(site, "POST", "clock", {"advance": 90})
    before = {
        each["name"]: each for each in site.jam("status").answer["environments"][0]["functions"]
    }
    (site.folder / "fail.json").write_text('{"fail": true}')
    site.jam("invoke", "notes", "--event", "fail.json")
    control(site, "POST", "clock", {"advance": 90})
    after = {
        each["name"]: each for each in site.jam("status").answer["environments"][0]["functions"]
    }
    assert after["notes/[id]"]["calls"] == before["notes/[id]"]["calls"] + 1
    assert after["notes/[id]"]["errors"] == before["notes/[id]"]["errors"] + 1
    assert 0 < after["notes/[id]"]["error_rate"] <= 1
    assert after["hello"]["errors"] == 0


def test_logs_have_the_lines_of_all_functions_by_time(site):
    said(site, "invoke", "hello", "--event", "-", stdin="{}")
    lines = logged(site, until="hello from 1")
    assert {line["function"] for line in lines} == {"hello", "notes/[id]"}
    assert {line["version"] for line in lines} == {"1"}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_logs_of_one_function_have_no_other(site):
    said(site, "invoke", "hello", "--event", "-", stdin="{}")
    assert {line["function"] for line in logged(site, "hello", until="hello from")} == {"hello"}


def test_a_log_line_cannot_do_anything_to_a_terminal(site):
    said(site, "invoke", "notes", "--event", "-", stdin="{}")
    logged(site, "notes", until="owned")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "logs", "notes"],
        cwd=site.folder,
        env={**site.environment, "AWS_ENDPOINT_URL": site.endpoint, "TERM": "xterm"},
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b"".join(_everything(master)).decode()
    assert process.wait() == 0
    assert "\\u001b]0;owned\\u0007" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\x1b[2m" in shown  # our own colour: it is a terminal


def _everything(descriptor: int) -> Iterator[bytes]:
    """What is written until the other end closes, which on Linux is an error."""
    try:
        while found := os.read(descriptor, 65536):
            yield found
    except OSError:
        return


def test_without_a_terminal_logs_have_no_colour(site):
    said(site, "invoke", "hello", "--event", "-", stdin="{}")
    logged(site, "hello", until="hello from")
    status, text, _ = said(site, "logs", "hello")
    assert status == 0
    assert "hello@1 │ hello from 1" in text
    assert "\x1b" not in text


def test_a_time_without_lines_is_said(site):
    status, text, remarks = said(site, "logs", "--since", "0s")
    assert (status, text) == (0, "")
    assert "Nothing was logged in the last 0s." in remarks


def test_following_shows_what_happens_meanwhile_and_ends_with_an_interrupt(site):
    with following(site, "--json") as process:
        lines = (json.loads(line) for line in process.stdout)
        assert next(line for line in lines if line["message"].startswith("hello from 1"))
        said(site, "invoke", "hello", "--event", "-", stdin="{}")
        assert next(line for line in lines if line["message"].startswith("hello from 1"))
    assert process.returncode == 130
    assert process.stderr.read() == ""


def test_following_outlives_an_expired_token_and_says_so(site):
    expired = {
        "kind": "error",
        "service": "logs",
        "operation": "FilterLogEvents",
        "code": "ExpiredTokenException",
        "status": 400,
        "message": "The security token included in the request is expired",
    }
    control(site, "POST", "faults", expired)
    with following(site) as process:
        assert any("hello from 1" in line for line in process.stdout)
    remarks = process.stderr.read()
    assert "no longer valid" in remarks
    assert "The log goes on." in remarks


def test_without_the_right_to_read_metrics_status_says_so_and_shows_the_rest(site):
    control(site, "POST", "deny", {"action": "cloudwatch:GetMetricData"})
    try:
        status, text, _ = said(site, "status")
    finally:
        control(site, "DELETE", "deny", {})
    assert status == 0
    assert "errors unknown: these credentials lack cloudwatch:GetMetricData" in text
    assert "/.functions/hello" in text


def control(site: Site, method: str, path: str, body: dict[str, Any]) -> None:
    """Makes the embedded cloud misbehave, or not any more."""
    answer = urllib3.request(method, f"{site.endpoint}/_jam/{path}", json=body)
    assert answer.status == 200


@contextmanager
def following(site: Site, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`logs --follow` of a function that was called shortly before; interrupted at the end."""
    said(site, "invoke", "hello", "--event", "-", stdin="{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "logs", "hello", "--follow", *options],
        cwd=site.folder,
        env={**site.environment, "AWS_ENDPOINT_URL": site.endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)


def test_get_fetches_the_code_that_is_live(site, tmp_path):
    status, text, _ = said(site, "get", "hello", str(tmp_path / "code"))
    assert status == 0
    sources = {path.name: path.read_text() for path in (tmp_path / "code").rglob("*.py")}
    assert any("hello from" in source for source in sources.values())
    for told in ("handler", "runtime   python3", "layers    none", "version 1"):
        assert told in text


def test_get_overwrites_nothing(site, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = site.jam("get", "hello", str(tmp_path))
    assert (done.status, done.error["code"]) == (2, "JAM-FOLDER-NOT-EMPTY")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "word", ["legacy", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:legacy", "legacy:$LATEST"]
)
def test_get_and_invoke_reach_a_function_that_we_did_not_deploy(site, foreign, word, tmp_path):
    done = site.jam("get", word, str(tmp_path / "code"))
    assert done.status == 0, done.log
    assert done.answer["function"] == foreign
    assert done.answer["handler"] == "main.handler"
    assert (tmp_path / "code" / "main.py").exists()
    status, text, _ = said(site, "invoke", word, "--event", "-", stdin="[1]")
    assert (status, json.loads(text)) == (0, {"legacy": [1]})


@pytest.mark.parametrize(
    "command", [("get", "DIR"), ("invoke", "--event", "event.json"), ("logs",)]
)
def test_an_unknown_function_is_refused_with_the_nearest_names(site, command, tmp_path: Path):
    (site.folder / "event.json").write_text("{}")
    first, *rest = (str(tmp_path / "code") if word == "DIR" else word for word in command)
    done = site.jam(first, "helo", *rest)
    assert (done.status, done.error["code"]) == (2, "JAM-FUNCTION-UNKNOWN")
    assert "hello" in done.error["hint"]


def test_a_site_that_was_never_deployed_has_nothing_to_show(account, tmp_path):
    (tmp_path / "jam.toml").write_text(f'site = "absent"\nregion = "{REGION}"\n')
    absent = Site(tmp_path, account)
    assert absent.jam("status").answer["environments"] == []
    assert absent.jam("logs").answer == {"lines": []}
    done = absent.jam("logs", "hello")
    assert (done.status, done.error["code"]) == (2, "JAM-FUNCTION-UNKNOWN")
    assert "no release of the site is live" in done.error["message"]
