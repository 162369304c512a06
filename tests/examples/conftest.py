"""The embedded AWS and GitHub that the examples are played on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from runner.local.github import Hub
from tests.action_site import a_workplace
from tests.examples.repository import Repository

SPEED = 12.0  # cloud seconds in one of ours: leases outlast a machine that is slow


@pytest.fixture(scope="package")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=SPEED) as found:
        yield found


@pytest.fixture(scope="package")
def hub() -> Iterator[Hub]:
    with Hub(now=time.time, sleep=lambda _: None) as found:
        yield found


@pytest.fixture
def example(
    cloud: Cloud, hub: Hub, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Repository]]:
    """A repository with that example in it, public unless the test is marked otherwise."""
    with a_workplace(cloud, hub, tmp_path, private=False) as at:
        yield lambda name: Repository.of(at, name)
