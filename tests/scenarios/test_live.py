"""`make live` from beginning to end, against the embedded cloud in an account's place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.conftest import ENVIRONMENT

ROOT = Path(__file__).parents[2]


@pytest.mark.hunt
def test_one_command_asks_an_account_and_leaves_nothing_in_it(account: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-o",
            "addopts=-q",
            "-p",
            "no:cacheprovider",
            "tests/live",
        ],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": account},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "error" not in done.stdout  # of taking it down
