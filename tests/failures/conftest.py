"""One cloud for the whole folder, and one site of each kind in each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.local.cloud import Cloud
from tests.failures.scene import Scene


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture(scope="module")
def scene(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A site whose releases go to all visitors at once."""
    made = Scene(cloud, tmp_path_factory.mktemp("scene"))
    yield made
    made.site.close()
