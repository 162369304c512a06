"""A deploy that is interrupted while Lambda hangs: gone at once, and in nobody's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.scenarios.conftest import Site

SOON = 3.0  # seconds for the process to end; interface: status 130 within 2 s, plus a busy machine


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deploy_ends_at_once_and_frees_the_lease(
    plain: Site, tmp_path: Path, how: signal.Signals
) -> None:
    plain.deploy()
    plain.replace("public/index.html", "Hello", "Bye")
    hang(plain, service="lambda", operation="UpdateFunctionCode", seconds=20)
    log = tmp_path / "log"
    with log.open("w") as heard:
        running = subprocess.Popen(
            [sys.executable, "-m", "runner", "deploy", "--now", "--json"],
            cwd=plain.folder,
            env={**plain.environment, "AWS_ENDPOINT_URL": plain.endpoint},
            stdout=subprocess.DEVNULL,
            stderr=heard,
        )
        while "upload the manifest" not in log.read_text():
            assert running.poll() is None, log.read_text()
            time.sleep(0.1)
        begun = time.monotonic()
        os.kill(running.pid, how)
        assert running.wait(timeout=60) == 130
    assert time.monotonic() - begun < SOON
    faults(plain, "DELETE")
    again = plain.jam("deploy", "--now")
    assert (again.status, again.answer["outcome"]) == (0, "live"), again.log[-3000:]
    assert "waiting for" not in again.log


def hang(site: Site, *, service: str, operation: str, seconds: float) -> None:
    fault = {"kind": "delay", "service": service, "operation": operation, "seconds": seconds}
    faults(site, "POST", json.dumps([fault]).encode())


def faults(site: Site, method: str, body: bytes | None = None) -> None:
    asked = urllib.request.Request(f"{site.endpoint}/_jam/faults", data=body, method=method)
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
