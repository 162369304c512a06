"""Where a site is built, and what whoever builds it is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runner.config.load import Overrides, load
from runner.packaging import AS_ROOT, packaged
from runner.world import World
from tests.previews_site import CACHE, Watching


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root is warned")
@pytest.mark.parametrize(("command", "notes"), [("echo built", [AS_ROOT]), ("", [])])
def test_root_hears_that_its_build_is_kept_apart_from_nothing(
    tmp_path: Path, command: str, notes: list[str]
) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public/index.html").write_text("<p>")
    build = f'[build]\npublish = "public"\ncommand = "{command}"\n'
    (tmp_path / "jam.toml").write_text(f'site = "shop"\nregion = "eu-central-1"\n{build}')
    watching: Any = Watching()
    world = World(
        environment={"PATH": os.environ["PATH"]},
        clock=lambda: 0.0,
        now=lambda: 0.0,
        sleep=lambda _: None,
        chance=lambda: 0.5,
        watcher=watching,
        cache=CACHE,
    )
    nobody: Any = Nobody()
    assert packaged(load(tmp_path, None, Overrides()), world, aws=nobody).files
    assert watching.notes == notes


class Nobody:
    """An account that is asked for nothing."""

    def parameter(self, name: str) -> str:
        raise AssertionError(name)
