"""A deploy by hand knows its commit, and no repository makes it run anything."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runner.checkout import checked_out
from runner.model import Origin
from runner.plan.order import is_older

ANN = {
    "PATH": os.environ["PATH"],
    "USER": "ann",
    **{f"GIT_{who}_{what}": "ann" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**ANN, "HOME": str(folder)},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def committed(folder: Path, *more: str) -> str:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main", *more)
    (folder / "index.html").write_text("one")
    git(folder, "add", "index.html")
    git(folder, "commit", "--quiet", "--message=first")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {**ANN, "HOME": str(home)}


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_the_commit_the_branch_and_who_deploys(
    tmp_path: Path, environment: dict[str, str], form: str
) -> None:
    commit = committed(tmp_path / "site", f"--object-format={form}")
    clean = Origin(commit=commit, branch="main", author="ann")
    assert checked_out(tmp_path / "site", environment) == clean
    (tmp_path / "site" / "new.html").write_text("nobody knows it")
    assert checked_out(tmp_path / "site", environment) == clean
    (tmp_path / "site" / "index.html").write_text("another")
    assert checked_out(tmp_path / "site", environment) == replace(clean, dirty=True)


def test_what_is_staged_and_not_committed_is_a_difference(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    committed(tmp_path / "site")
    (tmp_path / "site" / "index.html").write_text("two")
    git(tmp_path / "site", "add", "index.html")
    assert checked_out(tmp_path / "site", environment).dirty


def test_a_folder_of_a_repository_and_a_worktree_beside_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    commit = committed(tmp_path / "site")
    (tmp_path / "site" / "web").mkdir()
    assert checked_out(tmp_path / "site" / "web", environment).commit == commit
    git(tmp_path / "site", "worktree", "add", "--quiet", "--detach", str(tmp_path / "aside"))
    found = checked_out(tmp_path / "aside", environment)
    assert found == Origin(commit=commit, author="ann")
    (tmp_path / "aside" / "index.html").write_text("changed here alone")
    assert checked_out(tmp_path / "aside", environment).dirty
    assert not checked_out(tmp_path / "site", environment).dirty


def test_no_repository_no_commit_and_no_git_are_fine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert checked_out(tmp_path, environment) == Origin()
    git(tmp_path, "init", "--quiet")
    assert checked_out(tmp_path, environment) == Origin()
    committed(tmp_path / "site")
    assert checked_out(tmp_path / "site", {**environment, "PATH": "/nowhere"}) == Origin()


def test_nothing_that_a_hostile_repository_names_is_run(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """With filters git would run on a file as old as the index, and on one that it reads anew."""
    site, canary = tmp_path / "site", tmp_path / "canary"
    committed(site)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {canary}\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    for name in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass",
        "core.gitProxy", "filter.trap.clean", "filter.trap.smudge", "filter.trap.process",
        "diff.external", "diff.trap.command", "diff.trap.textconv", "credential.helper",
        "uploadpack.packObjectsHook", "remote.origin.uploadpack", "alias.status",
        "alias.rev-parse", "trace2.eventTarget", "gpg.program",
    ):  # fmt: skip
        git(site, "config", name, f"!{trap}" if name.startswith("alias") else str(trap))
    for name, value in (("core.hooksPath", str(tmp_path / "hooks")), ("status.submoduleSummary",
                        "true"), ("remote.origin.promisor", "true"),
                        ("remote.origin.url", f"ext::{trap}")):  # fmt: skip
        git(site, "config", name, value)
    for folder in (tmp_path / "hooks", site / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
            (folder / hook).symlink_to(trap)
    (site / ".gitattributes").write_text("* filter=trap diff=trap\n")
    (site / "index.html").write_text("two")
    os.utime(site / "index.html", ns=(2**40, 2**40))
    assert checked_out(site, environment).dirty
    assert not canary.exists()
    subprocess.run(["git", "-C", str(site), "status"], env=ANN, capture_output=True, check=False)
    assert canary.exists()  # the trap is one: git by itself goes into it


def test_what_was_deployed_by_hand_has_no_place_in_the_order() -> None:
    run = Origin(commit="a", workflow="deploy", number=7)
    by_hand = Origin(commit="b", author="ann")
    for mine, than in ((run, by_hand), (by_hand, run), (by_hand, replace(by_hand, commit="c"))):
        assert not is_older(mine, than, is_ancestor=lambda _first, _second: True)
    other = replace(run, commit="b", number=8, workflow="another")
    assert is_older(run, other, is_ancestor=lambda _first, _second: True)
