"""A command that is interrupted while AWS hangs: gone at once, and in nobody's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import Site

SOON = 3.0  # seconds for the process to end; interface: status 130 within 2 s, plus a busy machine
FOR_LONG = 20  # seconds of the cloud's clock: longer than anybody waits here
FOR_EVER = 100_000  # calls


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Deployed twice, so that there is something to go back to."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "public").mkdir()
    (folder / "jam.toml").write_text('site = "interrupted"\n[build]\npublish = "public"\n')
    for number in range(40):
        (folder / "public" / f"{number}.txt").write_text(f"{number}")
    made = Site(folder, account)
    for page in ("one", "two"):
        show(made, page)
        made.deploy()
    return made


def show(site: Site, page: str) -> None:
    """Another page, and other files: all of them have to be uploaded."""
    for name in ("index.html", *(f"{number}.txt" for number in range(40))):
        (site.folder / "public" / name).write_text(f"{page} {name}")


EVERYTHING = ("*", "*")


@pytest.mark.parametrize(
    ("command", "hanging", "how"),
    [
        pytest.param(["deploy", "--now"], ("s3", "PutObject"), signal.SIGINT, id="uploads"),
        pytest.param(
            ["rollback", "--no-hold"], ("lambda", "UpdateAlias"), signal.SIGTERM, id="rollback"
        ),
        *(
            pytest.param(*each, id=name, marks=pytest.mark.hunt)
            for name, each in {
                "publishing": (
                    ["deploy", "--now"],
                    ("lambda", "UpdateFunctionCode"),
                    signal.SIGTERM,
                ),
                "everything": (["deploy", "--now"], EVERYTHING, signal.SIGTERM),
                "gc": (["gc"], ("lambda", "ListVersionsByFunction"), signal.SIGINT),
            }.items()
        ),
    ],
)
def test_an_interrupt_ends_a_command_at_once_and_frees_the_lease(
    site: Site, tmp_path: Path, *, command: list[str], hanging: tuple[str, str], how: signal.Signals
) -> None:
    show(site, tmp_path.name)
    check_interrupted(site, tmp_path / "log", command, hanging=hanging, how=how)
    again = site.jam(*command)
    assert again.status == 0, again.log[-3000:]
    if hanging != EVERYTHING:  # nobody can free the lease where DynamoDB hangs: it runs out
        assert "waiting for" not in again.log


@pytest.mark.hunt
def test_an_interrupted_watcher_leaves_the_rollout_to_the_guard(site: Site, tmp_path: Path) -> None:
    show(site, "a candidate")
    site.hasten(30)  # a minute passes before the store's news counts as known
    with begun(site, ["deploy"], tmp_path / "log") as (running, said):
        eventually(lambda: "weight" in said(), running, said)
        assert ended(running, signal.SIGTERM) < SOON
    site.hasten(1)
    (environment,) = site.jam("status").answer["environments"]
    assert environment["rollout"]["outcome"] == "open"
    assert environment["run_at_it"] is None
    assert site.jam("rollback", "--no-hold").status == 0


@pytest.mark.hunt
def test_an_interrupted_destroy_is_continued_by_the_next(site: Site, tmp_path: Path) -> None:
    command = ["destroy", "--all", "--yes"]
    hanging = ("lambda", "DeleteFunction")
    check_interrupted(site, tmp_path / "log", command, hanging=hanging, how=signal.SIGTERM)
    again = site.jam(*command)
    assert (again.status, again.answer["outcome"]) == (0, "removed"), again.log[-3000:]
    assert "waiting for" not in again.log
    assert [each for each in site.jam("audit").answer["resources"] if each["site"]] == []


def check_interrupted(
    site: Site, log: Path, command: list[str], *, hanging: tuple[str, str], how: signal.Signals
) -> None:
    if hanging != EVERYTHING:
        hang(site, *hanging)
    try:
        with begun(site, command, log) as (running, said):
            if hanging == EVERYTHING:
                eventually(lambda: "stage" in said(), running, said)
                hang(site, *hanging)
            eventually(lambda: is_hanging(site), running, said)
            assert ended(running, how) < SOON
            assert "interrupted" in said()
    finally:
        faults(site, "DELETE")


@contextmanager
def begun(
    site: Site, command: list[str], log: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """The command in a process of its own, and what it said so far."""
    with log.open("w") as heard:
        running = subprocess.Popen(
            [sys.executable, "-m", "runner", *command, "--json"],
            cwd=site.folder,
            env={**site.environment, "AWS_ENDPOINT_URL": site.endpoint},
            stdout=subprocess.DEVNULL,
            stderr=heard,
        )
    try:
        yield running, log.read_text
    finally:
        running.kill()
        running.wait()


def eventually(
    is_so: Callable[[], bool], running: subprocess.Popen[bytes], said: Callable[[], str]
) -> None:
    for _ in range(600):
        if is_so():
            return
        assert running.poll() is None, said()
        time.sleep(0.1)
    raise AssertionError(said())


def ended(running: subprocess.Popen[bytes], how: signal.Signals) -> float:
    """Seconds from the signal to the process's end, with status 130."""
    begun = time.monotonic()
    os.kill(running.pid, how)
    assert running.wait(timeout=60) == 130
    return time.monotonic() - begun


def hang(site: Site, service: str, operation: str) -> None:
    fault = {"kind": "delay", "service": service, "operation": operation}
    faults(site, "POST", json.dumps([{**fault, "seconds": FOR_LONG, "times": FOR_EVER}]).encode())


def is_hanging(site: Site) -> bool:
    return any(each["left"] < FOR_EVER for each in faults(site, "GET")["faults"])


def faults(site: Site, method: str, body: bytes | None = None) -> dict[str, Any]:
    asked = urllib.request.Request(f"{site.endpoint}/_jam/faults", data=body, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
