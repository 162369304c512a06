"""60 functions of both languages, with compiled packages, answer through the distribution."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from runner.toolchain import find
from tests.scenarios.conftest import Site
from tests.scenarios.sixty import LOCKED, PLACES, SETTINGS, Call, write


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


PLACE = PLACES[0]
# What is written anew and how it is refused: a file or jam.toml, its text, code, what is named.
BREAKS = {
    "a dependency that is not there": (
        f"functions/{PLACE}/common.js",
        "require('left');\nexports.handler = 1;",
        "JAM-FUNCTION-BUNDLE",
        (f"functions/{PLACE}/common.js:1", "npm install left"),
    ),
    "syntax": (
        f"functions/{PLACE}/plain.py",
        "def handler(event, context)\n    return 1\n",
        "JAM-FUNCTION-PYTHON",
        (f"functions/{PLACE}/plain.py:1", "expected ':'"),
    ),
    "two files for one route": (
        f"functions/{PLACE}/common/index.py",
        "def handler(event, context): ...",
        "JAM-FUNCTION-CLASH",
        (f"functions/{PLACE}/common.js", f"functions/{PLACE}/common/index.py"),
    ),
    "an environment over 4 KB": (
        "functions/shop/.env",
        f"AREA={'x' * 5000}\n",
        "JAM-ENV",
        (f"functions/{PLACE}/common.js", "Lambda takes 4096"),
    ),
    "a package without a wheel": (
        f"functions/{PLACE}/native/requirements.txt",
        "numpy==1.19.5\n",
        "JAM-FUNCTION-DEPENDENCIES",
        (f"functions/{PLACE}/native/requirements.txt:1", "numpy==1.19.5 has no"),
    ),
    "a value that is no text": (
        "jam.toml",
        SETTINGS + "environment = { LEVEL = 1 }\n",
        "JAM-SETTINGS",
        ("functions.environment.LEVEL", "text"),
    ),
    "a time out of range": (
        "jam.toml",
        f'{SETTINGS}[functions."{PLACE}/common"]\ntimeout = 901\n',
        "JAM-SETTINGS",
        ("timeout", f"{PLACE}/common", "900"),
    ),
    "a runtime that AWS has not": (
        "jam.toml",
        SETTINGS.replace("python3.", "python2."),
        "JAM-SETTINGS",
        ("functions.runtime", "nodejs24.x"),
    ),
    "a table that is nowhere": (
        "jam.toml",
        SETTINGS + 'tables = ["notes:rw"]\n',
        "JAM-SETTINGS",
        ("functions.tables", "notes"),
    ),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_one_that_breaks_is_refused_before_anything_is_written(
    kind: str, calls: tuple[Site, list[Call]], deployed: dict[str, Any]
) -> None:
    site, (file, text, code, named) = calls[0], BREAKS[kind]
    before = writes(site)
    with rewritten(site.folder / file, text):
        done = site.jam("deploy", "--now")
    assert (done.status, done.error["code"]) == (2, code), done.log
    assert [words for words in named if words not in str(done.error)] == []
    assert done.error["hint"]
    assert writes(site) == before


@contextmanager
def rewritten(file: Path, text: str) -> Iterator[None]:
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    yield
    file.unlink() if before is None else file.write_text(before)


def writes(site: Site) -> int:
    """Those of the one who deploys: functions and the guard of rollouts have keys of their own."""
    journal = urllib3.request("GET", f"{site.endpoint}/_jam/journal").json()["calls"]
    own = site.environment["AWS_ACCESS_KEY_ID"]
    return sum(call["write"] for call in journal if call["access_key"] == own)
