"""The action as GitHub's runner starts it: events in; comments, deployments, outputs, pages out."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from runner.local.github import Hub
from tests.action_site import Workplace, a_workplace

SPEED = 50.0  # cloud seconds in one of ours


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
