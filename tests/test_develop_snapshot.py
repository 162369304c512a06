"""Whether anything was saved since: by files' own times, and by those of the folders above them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.develop.snapshot import Watch

LONG_AGO = 1_700_000_000
SETTLED = 3.0  # seconds: longer than the coarsest clock's step


def site(root: Path) -> Path:
    """As it lies after a while: every file and folder is older than any change to come."""
    for path in ("jam.toml", "functions/hello.js", "functions/a/b/deep.js", "functions/a/.env"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("first")
    age(root)
    return root


def age(root: Path) -> None:
    for path in (*root.rglob("*"), root):
        os.utime(path, (LONG_AGO, LONG_AGO))


def watched(root: Path) -> tuple[Watch, list[str]]:
    beside = ("jam.toml", "package.json", "node_modules/.package-lock.json")
    return Watch(str(root / "functions")), [str(root / name) for name in beside]


def installed(root: Path) -> None:
    (root / "node_modules").mkdir()
    (root / "node_modules/.package-lock.json").write_text("{}")


CHANGES: list[Callable[[Path], object]] = [
    lambda root: (root / "functions/hello.js").write_text("second"),
    lambda root: (root / "functions/a/b/deep.js").write_text("second"),
    lambda root: (root / "functions/a/.env").write_text("A=1"),
    lambda root: (root / "functions/a/b/new.js").write_text(""),
    lambda root: (root / "functions/a/b/deep.js").unlink(),
    lambda root: (root / "functions/a/b/deep.js").rename(root / "functions/a/b/other.js"),
    lambda root: (root / "functions/a").rename(root / "functions/c"),
    lambda root: (root / "functions").rename(root / "elsewhere"),
    lambda root: (root / "jam.toml").write_text("second"),
    lambda root: (root / "jam.toml").unlink(),
    lambda root: (root / "package.json").write_text("{}"),
    installed,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("looked_at", [(0.0,), (0.0, SETTLED), (0.0, 1.0, SETTLED, SETTLED + 1)])
def test_every_change_is_seen_at_the_next_look_and_once(
    tmp_path: Path, looked_at: tuple[float, ...], change: Callable[[Path], object]
) -> None:
    root = site(tmp_path)
    watch, others = watched(root)
    for at in looked_at:
        watch.changed(others, at=at)
    assert not watch.changed(others, at=looked_at[-1])
    change(root)
    assert watch.changed(others, at=looked_at[-1] + 0.001)
    assert not watch.changed(others, at=looked_at[-1] + 0.002)


def test_a_file_that_comes_within_one_step_of_a_coarse_clock_is_seen(tmp_path: Path) -> None:
    root = site(tmp_path)
    watch, others = watched(root)
    watch.changed(others, at=0.0)
    for number, at in enumerate((0.5, 1.0, 2.0)):
        (root / f"functions/a/new{number}.js").write_text("")
        age(root)  # the folder's time is that of before
        assert watch.changed(others, at=at)


def test_a_folder_that_is_not_there_yet_is_seen_when_it_comes(tmp_path: Path) -> None:
    watch, others = watched(tmp_path / "site")
    watch.changed(others, at=0.0)
    assert not watch.changed(others, at=SETTLED)
    (tmp_path / "site/functions").mkdir(parents=True)
    (tmp_path / "site/functions/hello.js").write_text("")
    assert watch.changed(others, at=SETTLED + 1)


def test_single_files_are_looked_at_from_when_they_are_named(tmp_path: Path) -> None:
    root = site(tmp_path)
    watch, others = watched(root)
    (root / "shared.js").write_text("first")
    age(root)
    for at in (0.0, SETTLED):
        watch.changed(others, at=at)
    more = [*others, str(root / "shared.js")]
    watch.changed(more, at=SETTLED + 1)
    (root / "shared.js").write_text("second")
    assert watch.changed(more, at=SETTLED + 2)
