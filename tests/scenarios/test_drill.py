"""A drill from beginning to end, in a cloud whose clock is in a hurry, over a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.scenarios.conftest import ENVIRONMENT, Site

SPEED = 12
PATIENCE = 240.0  # seconds of ours on a busy machine
SITE = "jam-drill-scenario"


@pytest.fixture(scope="module")
def somewhere(account: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A folder that is no site, and an account in a hurry."""
    site = Site(tmp_path_factory.mktemp("anywhere"), account)
    site.hasten(SPEED)
    yield site
    urllib3.request("DELETE", f"{account}/_jam/faults")


def _resources(site: Site) -> list[dict[str, Any]]:
    return [
        each
        for each in site.jam("audit", "--site", SITE).answer["resources"]
        if SITE in each["name"] or each["site"] == SITE
    ]


def test_a_broken_release_is_taken_back_for_real_visitors_and_nothing_is_left(
    somewhere: Site,
) -> None:
    done = somewhere.jam("drill", "--yes", "--site", SITE)
    assert done.status == 0, done.log[-3000:]
    assert done.answer["outcome"] == "passed"
    (rolled,) = done.answer["rollouts"]
    assert (rolled["outcome"], rolled["runner"], rolled["mixed"]) == ("rolled_back", "none", 0)
    assert rolled["exposed"] >= 1
    assert done.answer["cost"]["dollars"] < 1
    details = {step["name"]: step["detail"] for step in done.answer["steps"]}
    assert "the candidate is worse than what was live" in details["function-throws, nobody at hand"]
    assert "none failed" in details["what a visitor sees"]
    assert not details["destroy"].startswith("0 resources")
    assert _resources(somewhere) == []


def test_nobody_who_can_be_asked_means_that_nothing_is_made(somewhere: Site) -> None:
    done = somewhere.jam("drill", "--site", SITE)
    assert (done.status, "--yes" in done.log) == (2, True)
    assert _resources(somewhere) == []


@pytest.mark.hunt
def test_an_interrupted_drill_says_how_to_take_it_down_and_the_next_puts_it_right(
    somewhere: Site, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "drill", "--yes", "--site", SITE],
            cwd=somewhere.folder,
            env={**ENVIRONMENT, "AWS_ENDPOINT_URL": somewhere.endpoint},
            stdout=file,
            stderr=file,
        )
    deadline = time.monotonic() + PATIENCE
    while "nobody at hand" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert f"jam-deploy destroy --all --site {SITE}" in log.read_text()
    assert _resources(somewhere)
    done = somewhere.jam("drill", "--yes", "--site", SITE)
    assert done.status == 0, done.log[-3000:] + json.dumps(done.answer)
    assert _resources(somewhere) == []
