"""A deploy that `docker stop` ends in the middle of AWS: it says so, and the next run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from runner.local.github import Hub
from tests.action_container import stop
from tests.action_site import Workplace, a_workplace

pytestmark = pytest.mark.hunt  # and in the image's story (.ci/image.py)
SPEED = 50.0
STILL = 0.02  # what takes AWS seconds outlasts the test


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Workplace]:
    with (
        Cloud(speed=SPEED) as cloud,
        Hub(now=time.time, sleep=lambda _: None) as hub,
        a_workplace(cloud, hub, tmp_path, private=False) as found,
    ):
        yield found


def test_a_deploy_that_is_stopped_says_so_and_the_next_run_goes_on(at: Workplace) -> None:
    number = at.pull()
    payload = at.hands.event("pull_request", "opened", number)
    with at.started("pull_request", payload) as (process, ended):
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if "create the role" in line:  # nobody can use it for seconds
                break
        at.cloud.clock.hasten(STILL)
        stop(process, at.home)
        rest, _ = process.communicate(timeout=60)
        step = ended(process.returncode, seen + rest)
    assert step.status == 130, step.raw  # so it ended by itself, before SIGKILL
    at.cloud.clock.hasten(SPEED)
    assert at.post("pull_request", payload, step.state).status == 0  # tells what was left to tell
    assert at.deployments(f"deploy:notes:pr-{number}") == ["error"]
    assert "JAM-CANCELLED" in at.comments(number)[0]
    again = at.on_pull("synchronize", number)
    assert again.status == 0, again.raw
    assert at.visit(again.outputs["url"]).body == b"<h1>One</h1>"
    assert again.outputs["url"] in at.comments(number)[0]
