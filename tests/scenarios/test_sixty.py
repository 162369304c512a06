"""60 functions of both languages, with compiled packages, answer through the distribution."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runner.toolchain import find
from tests.scenarios.conftest import Site
from tests.scenarios.sixty import LOCKED, PLACES, Call, write


@pytest.fixture(scope="module")
def calls(account: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[Call]]:
    """The site as its author commits it: with its lock files, installed by nobody."""
    root = tmp_path_factory.mktemp("sixty")
    calls = write(root)
    tools = find(Path.home() / ".cache" / "jam-deploy")
    lock = [*tools.npm, "install", "--package-lock-only", "--no-audit", "--no-fund"]
    subprocess.run(
        lock, cwd=root, env=tools.environment(os.environ), check=True, capture_output=True
    )
    subprocess.run([str(tools.uv), "lock", "--quiet"], cwd=root / "functions" / LOCKED, check=True)
    return Site(root, account), calls


@pytest.fixture(scope="module")
def deployed(calls: tuple[Site, list[Call]]) -> dict[str, Any]:
    return calls[0].deploy()


def test_each_of_60_functions_says_what_it_should(
    calls: tuple[Site, list[Call]], deployed: dict[str, Any]
) -> None:
    site, every = calls

    def answered(call: Call) -> tuple[str, Any, Any]:
        answer = site.get(deployed["url"], call.path)
        told = answer.json() if answer.status == 200 else {"said": answer.data}
        return call.path, told["said"], told.get("place")

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(answered, every))
    assert len(found) == 60
    assert found == [(call.path, call.said, call.place) for call in every]


def test_what_each_asks_of_its_route_is_kept(
    calls: tuple[Site, list[Call]], deployed: dict[str, Any]
) -> None:
    site, place = calls[0], f"/.functions/{PLACES[0]}"
    assert site.get(deployed["url"], f"{place}/rest/x", "POST").status == 404
    assert site.get(deployed["url"], f"{place}/web").headers["set-cookie"] == "a=1"


def test_the_same_60_again_are_no_release(
    calls: tuple[Site, list[Call]], deployed: dict[str, Any]
) -> None:
    again = calls[0].deploy()
    assert (again["outcome"], again["release"]) == ("unchanged", deployed["release"])
