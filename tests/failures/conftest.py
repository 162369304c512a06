"""One cloud for the whole folder, and upon it one site at a time, which tests hand on.

Two clouds in one process would share moto's state.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.local.cloud import Cloud
from tests.failures.scene import Scene

LONG = 50  # releases, with which a site is as slow to look at as a new one is to make


class Stage:
    """The scene that is played now. Whoever breaks one for good drops it."""

    def __init__(self, cloud: Cloud, folders: pytest.TempPathFactory) -> None:
        self.cloud = cloud
        self._folders = folders
        self._scene: Scene | None = None
        self._strategy = ""

    def scene(self, strategy: str) -> Scene:
        """A site with this strategy, perhaps with releases of other tests."""
        if self._scene and self._strategy == strategy and self._scene.number < LONG:
            self._scene.settings()
            return self._scene
        return self.fresh(strategy)

    def fresh(self, strategy: str = "all-at-once") -> Scene:
        """A site that was never deployed, in an account that was never used."""
        self.drop()
        self._strategy = strategy
        self._scene = Scene(self.cloud, self._folders.mktemp("scene"), strategy=strategy)
        return self._scene

    def drop(self) -> None:
        if self._scene:
            self._scene.site.close()
        self._scene = None


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Cloud(speed=50.0) as cloud:
        made = Stage(cloud, tmp_path_factory)
        yield made
        made.drop()


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A site whose releases go to all visitors at once."""
    return stage.scene("all-at-once")
