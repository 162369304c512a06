"""Commands that a person starts by hand in a workflow, in an account where nothing is deployed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from runner.action.dispatching import dispatch
from runner.config.workflow import COMMANDS
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.model import Origin
from runner.names import Names
from tests.labs import direct

LOOK = {
    "status": "notes: nothing is live in eu-central-1.",
    "releases": "notes: nothing was ever deployed",
    "previews": "notes: no previews.",
    "unhold": "notes: production is free",
    "audit": "notes: 0 resources, every one explained",
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as made:
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def job(cloud: Cloud, said: list[str]) -> Any:
    aws = direct.account(cloud, clock=cloud.clock.now, sleep=lambda _: None)
    names = Names("notes", aws.account, aws.region)
    event = SimpleNamespace(origin=Origin(author="ada"), title="")
    console = SimpleNamespace(line=said.append, summary=str)
    world = SimpleNamespace(environment={}, clock=time.monotonic)
    return SimpleNamespace(
        account=lambda: (aws, names), console=console, event=event, run_url="a run", world=world
    )


@pytest.mark.parametrize("command", LOOK)
def test_a_look_is_told_on_the_log(job: Any, said: list[str], command: str) -> None:
    assert command in COMMANDS
    assert dispatch(job, command, "").outcome == ""
    assert said == [LOOK[command]]


@pytest.mark.parametrize("command", ["hold", "rollback --plan"])
def test_what_needs_a_release_says_that_there_is_none(job: Any, command: str) -> None:
    assert command in COMMANDS
    with pytest.raises(JamError) as caught:
        dispatch(job, command, "")
    assert (caught.value.code, int(caught.value.turn)) == ("JAM-ROLLBACK-NOTHING", 2)
    assert "`jam-deploy deploy`" in caught.value.hint
