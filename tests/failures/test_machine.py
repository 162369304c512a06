"""Rows 31 and 32: what is wrong before any call, and what goes wrong on the machine itself."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner.cli import cli
from tests.failures.scene import Ended, Scene, front_door


def run(folder: Path, endpoint: str, *words: str) -> Ended:
    """A whole command, in this process."""
    found = CliRunner().invoke(
        cli,
        [*words, "--config", str(folder / "jam.toml"), "--json"],
        env={
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-central-1",
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
    )
    error = json.loads(found.stdout or "{}").get("error", {})
    return Ended(status=found.exit_code, **error)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<h1>Hello</h1>")
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "a.py").write_text("def handler(event, context):\n    return {}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "said"),
    [(f"LONG={'x' * 4096}", "4096"), ("AWS_LAMBDA_FUNCTION_NAME=mine", "reserved")],
)
def test_31_an_environment_that_lambda_would_refuse_is_refused_before_any_write(
    scene: Scene, site: Path, environment: str, said: str
) -> None:
    (site / "jam.toml").write_text('site = "plain"\n[build]\npublish = "public"\n')
    (site / "functions" / ".env").write_text(environment)
    since = scene.cloud.journal.last
    ended = run(site, scene.cloud.endpoint, "deploy")
    assert (ended.code, ended.status) == ("JAM-ENV", 2), ended
    assert said in ended.message
    assert ended.hint
    asked = {each.service for each in scene.cloud.journal.entries(since=since)}
    assert asked <= {"sts"}


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), "JAM-DISK-FULL", "Make room"),
        (MemoryError(), "JAM-MEMORY", "larger machine"),
    ],
)
def test_32_a_machine_without_room_ends_like_a_crash(
    error: BaseException, code: str, hint: str
) -> None:
    ended = front_door(raising(error))
    assert (ended.code, ended.status) == (code, 75)
    assert hint in ended.hint


def test_32_a_crash_in_the_middle_frees_nothing_that_is_half_done(scene: Scene) -> None:
    scene.settled()
    before, commit = scene.kept(), scene.commit()
    full = OSError(errno.ENOSPC, "No space left on device", "/tmp/x")
    scene.at("TransactWriteItems", raising(full))
    ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-DISK-FULL", 75), ended
    assert "nothing is lost" in ended.hint
    after = scene.kept()
    assert (after.release, after.sequence) == (before.release, before.sequence)
    assert after.seen.document == commit.page  # visitors have it, and the next run records it
    assert scene.lease() == "left"
    assert scene.deploy(commit.again).outcome == "live"


def test_32_whoever_reads_us_and_goes_away_gets_no_traceback() -> None:
    """In a process of its own: the pipe has to be a real one."""
    program = (
        "from runner.cli.border import Ending, border\n"
        "import click\n"
        "with border(Ending(as_json=False, verbose=False)):\n"
        "    while True: click.echo('x' * 4096)\n"
    )
    begun = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert begun.stdout
    assert begun.stderr
    begun.stdout.read(1)
    begun.stdout.close()
    assert begun.stderr.read() == b""
    assert begun.wait(60) == 75
