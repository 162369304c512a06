"""The command line from outside: start-up, help, errors and exit statuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from runner.cli import cli
from runner.cli.group import Commands

SLOW = ("boto3", "botocore", "github", "docker", "moto", "rich", "awscrt", "msgspec")
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


def jam(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        cwd=cwd,
        env={**kept, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<h1>Hello</h1>")
    (tmp_path / "jam.toml").write_text('site = "plain"\nregion = "eu-central-1"\n')
    return tmp_path


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_slow(flag, tmp_path):
    code = (
        "import sys\n"
        "from runner.cli import cli\n"
        f"try: cli(['{flag}'])\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {SLOW!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command_with_a_sentence(tmp_path):
    help_text = jam("--help", cwd=tmp_path).stdout
    commands = ("init", "bootstrap", "plan", "deploy", "cloud", "rehearse")
    for command in (*commands, "status", "logs", "get", "invoke"):
        line = next(line for line in help_text.splitlines() if line.split()[:1] == [command])
        assert len(line.split()) > 4


def test_a_misspelt_key_is_named_with_its_line_and_the_nearest_known_one(site):
    (site / "jam.toml").write_text('site = "plain"\n[build]\npulish = "dist"\n')
    done = jam("plan", cwd=site, AWS_REGION="eu-central-1")
    assert done.returncode == 2
    assert "error[JAM-SETTINGS]" in done.stderr
    assert "jam.toml:3" in done.stderr
    assert "publish" in done.stderr


def test_a_missing_region_says_where_to_put_one(site):
    (site / "jam.toml").write_text('site = "plain"\n')
    done = jam("plan", cwd=site, **NOWHERE)
    assert done.returncode == 2
    assert "error[JAM-REGION-MISSING]" in done.stderr
    assert "AWS_REGION" in done.stderr


def test_missing_credentials_are_told_before_anything_is_built(site):
    (site / "jam.toml").write_text(
        'site = "plain"\nregion = "eu-central-1"\n[build]\ncommand = "touch built"\n'
    )
    done = jam("deploy", cwd=site)
    assert done.returncode == 3
    assert "error[JAM-CREDS-MISSING]" in done.stderr
    assert "hint:" in done.stderr
    assert not (site / "built").exists()


def test_an_endpoint_that_is_down_is_nobodys_fault_and_worth_a_second_run(site):
    done = jam("deploy", cwd=site, **NOWHERE)
    assert done.returncode == 75
    assert "error[JAM-ENDPOINT]" in done.stderr
    assert "127.0.0.1:9" in done.stderr


def test_with_json_an_error_is_one_document_on_standard_output(site):
    done = jam("deploy", "--json", cwd=site, **NOWHERE)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "JAM-ENDPOINT"
    assert error["hint"]


WRONG = [
    (["deploy", "--sideways"], "No such option", "deploy"),
    (["preview"], "Missing option '--pr'", "preview"),
    (["preview", "--pr", "x"], "'x' is not", "preview"),
    (["destroy", "--all", "more"], "unexpected extra argument", "destroy"),
    (["destroy"], "--all or --environment", "destroy"),
    (["destroy", "--all"], "--yes", "destroy"),
    (["invoke"], "Missing argument", "invoke"),
    (["hold", "--why"], "requires an argument", "hold"),
    (["deplo"], "No such command", ""),
]


def wrong(arguments: list[str]) -> Result:
    return CliRunner(env=NOWHERE).invoke(cli, arguments, prog_name="jam-deploy")


@pytest.fixture
def at_site(site, monkeypatch):
    monkeypatch.chdir(site)


@pytest.mark.parametrize(("arguments", "message", "command"), WRONG)
def test_wrong_usage_has_code_hint_and_status(arguments, message, command, at_site):
    found = wrong(arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    said, hint = found.stderr.splitlines()[-2:]
    assert said.startswith("error[JAM-USAGE]: ")
    assert message in said
    assert hint == f"hint: `{f'jam-deploy {command}'.strip()} --help` says what it takes."


@pytest.mark.parametrize(("arguments", "message", "_command"), WRONG)
def test_wrong_usage_is_one_document_with_json(arguments, message, _command, at_site):
    found = wrong([arguments[0], "--json", *arguments[1:]])
    told = json.loads(found.stdout)["error"]
    assert (found.exit_code, told["code"]) == (2, "JAM-USAGE")
    assert message in told["message"]
    assert told["hint"]


def test_wrong_usage_ends_the_process_with_its_status(tmp_path):
    done = jam("deploy", "--sideways", cwd=tmp_path)
    assert done.returncode == 2
    assert "error[JAM-USAGE]: No such option" in done.stderr


def test_a_question_that_is_answered_with_no_is_cancelled():
    @click.group(cls=Commands)
    def group() -> None: ...

    @group.command()
    def ask() -> None:
        click.confirm("Remove it?", abort=True, err=True)

    said_no = CliRunner().invoke(group, ["ask"], input="n\n")
    assert said_no.exit_code == 130
    assert "error[JAM-CANCELLED]: it was not confirmed, so nothing was done" in said_no.stderr


def test_no_command_at_all_shows_the_help():
    found = wrong([])
    assert found.exit_code == 2
    assert "Commands:" in found.stderr


def test_a_reader_who_has_enough_is_no_defect(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "bootstrap", "--print"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait()


def test_an_interrupt_ends_a_hanging_deploy_with_its_own_status(site):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "deploy"],
            cwd=site,
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                **NOWHERE,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.accept()
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "error[JAM-CANCELLED]" in log


def test_a_command_of_the_account_takes_the_region_of_the_site_if_there_is_one(
    site, tmp_path_factory, monkeypatch
):
    from runner.cli.options import Options
    from runner.cli.world import region_of

    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    plain = Options(config=None, site=None, region=None, as_json=False, verbose=False)
    monkeypatch.chdir(site)
    assert region_of(plain) == "eu-central-1"
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert region_of(plain) is None
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region_of(plain) == "eu-west-1"
