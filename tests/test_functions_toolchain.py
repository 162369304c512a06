"""The programs come from pinned packages, and esbuild is installed once where it is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import JamError
from runner.toolchain import PACKAGES, find, install_packages
from tests.functions_site import toolchain


def test_every_program_runs() -> None:
    found = toolchain()
    for command in ([found.node], [*found.npm], [found.esbuild], [found.uv]):
        done = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, check=True, env={}
        )
        assert done.stdout.strip()


def test_packages_are_the_locked_ones_and_the_lock_names_no_registry() -> None:
    lock = (PACKAGES / "package-lock.json").read_text()
    locked = json.loads(lock)["packages"]
    found = toolchain()
    assert set(found.versions) == {"esbuild", "@vercel/nft", "acorn"}
    for name, version in found.versions.items():
        assert locked[f"node_modules/{name}"]["version"] == version
        installed = found.packages / "node_modules" / name / "package.json"
        assert json.loads(installed.read_text())["version"] == version
    assert '"resolved"' not in lock
    assert all("integrity" in package for path, package in locked.items() if path)


def test_a_build_finds_our_node_first() -> None:
    found = toolchain()
    path = found.environment({"PATH": "/bin", "HOME": "/home"})["PATH"]
    assert path == f"{found.node.parent}{os.pathsep}/bin"
    assert found.environment({})["PATH"].startswith(str(found.node.parent))


def test_a_missing_esbuild_is_installed_once_into_the_users_cache(tmp_path: Path) -> None:
    found = find(tmp_path)
    there = found.esbuild.relative_to(found.packages)
    packages = tmp_path / "node-1"
    missing = replace(found, packages=packages, esbuild=packages / there)
    ran: list[Path] = []
    for _ in range(2):
        install_packages(missing, os.environ)
        ran.append(missing.esbuild)
    assert all(os.access(program, os.X_OK) for program in ran)
    assert (packages / "node_modules/@vercel/nft/package.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["node-1"]


def test_an_installation_that_fails_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    false = shutil.which("false") or "/bin/false"
    found = find(tmp_path)
    packages = tmp_path / "node-1"
    missing = replace(found, npm=(false,), packages=packages, esbuild=packages / "esbuild")
    with pytest.raises(JamError, match="npm could not install") as caught:
        install_packages(missing, os.environ)
    assert caught.value.code == "JAM-TOOLCHAIN"
    assert list(tmp_path.iterdir()) == []
