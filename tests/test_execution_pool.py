"""Execution environments: cold, warm, several at once, and none left behind; Python's runtimes."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.execution.interpreters import Interpreters
from runner.execution.pool import PoolClosedError
from tests.compute_site import NODE, Bench, bench, eventually, texts

COUNTING = """let n = 0;
exports.handler = async (event) => {
  await new Promise((done) => setTimeout(done, event.ms ?? 0));
  return ++n;
};"""
RUNNING = f"python3.{sys.version_info.minor}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    made = bench(tmp_path)
    yield made
    made.pool.close()


def test_a_warm_environment_is_used_again(place: Bench) -> None:
    program = place.program({"index.js": COUNTING})
    first, second = place.run(program), place.run(program)
    assert (first.payload, second.payload) == (b"1", b"2")
    assert first.init is not None
    assert second.init is None


def test_concurrent_events_get_environments_of_their_own(place: Bench) -> None:
    program = place.program({"index.js": COUNTING})
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(place.run(program, {"ms": 300}).payload))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"1", b"1", b"1"]
    assert place.pool.count(program.identity) == 3


def test_above_the_limit_an_event_waits_and_the_longest_idle_one_makes_room(
    tmp_path: Path,
) -> None:
    place = bench(tmp_path, limit=1)
    one, two = (place.program({"index.js": COUNTING}) for _ in range(2))
    answers: list[bytes] = []
    slow = threading.Thread(target=lambda: answers.append(place.run(one, {"ms": 300}).payload))
    slow.start()
    eventually(lambda: place.pool.count(one.identity) == 1)
    answers.append(place.run(two).payload)
    slow.join()
    assert answers == [b"1", b"1"]
    assert place.pool.count(one.identity) == 0
    place.pool.close()


def test_idle_environments_end(tmp_path: Path) -> None:
    place = bench(tmp_path, idle=0.2)
    program = place.program({"index.js": COUNTING})
    place.run(program)
    assert place.pool.count(program.identity) == 1
    eventually(lambda: place.pool.count(program.identity) == 0)
    place.pool.close()


def test_an_environment_past_its_lifetime_takes_no_event(tmp_path: Path) -> None:
    place = bench(tmp_path, lifetime=0.0)
    program = place.program({"index.js": COUNTING})
    assert [place.run(program).payload for _ in range(2)] == [b"1", b"1"]
    place.pool.close()


def test_retired_programs_lose_their_environments(place: Bench) -> None:
    kept, gone = (place.program({"index.js": COUNTING}) for _ in range(2))
    place.run(kept)
    place.run(gone)
    place.pool.retire(lambda program: program.identity == kept.identity)
    assert place.pool.count(kept.identity) == 1
    assert place.pool.count(gone.identity) == 0


def test_close_ends_busy_environments_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    place = bench(tmp_path)
    program = place.program({"index.js": COUNTING}, timeout=30)
    errors: list[str] = []
    busy = threading.Thread(target=lambda: errors.append(place.run(program, {"ms": 20000}).error))
    busy.start()
    eventually(lambda: place.pool.count(program.identity) == 1)
    time.sleep(0.3)
    place.pool.close()
    busy.join(timeout=5)
    assert errors == ["Runtime.ExitError"]
    eventually(lambda: threading.active_count() <= before)


def test_a_closed_pool_runs_nothing(place: Bench) -> None:
    program = place.program({"index.js": COUNTING})
    place.pool.close()
    with pytest.raises(PoolClosedError):
        place.run(program)


PYTHON = """
import logging, os, sys

def handler(event, context):
    print("printed")
    logging.getLogger().warning("warned")
    if event.get("raise"):
        raise ValueError("bad")
    if event.get("exit"):
        os._exit(4)
    return {"path": sys.path, "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "version": sys.version_info[:2], "left": context.get_remaining_time_in_millis()}
"""


def test_a_python_function_runs_behind_awss_own_client(place: Bench) -> None:
    program = place.program({"app.py": PYTHON}, runtime=RUNNING, handler="app.handler")
    outcome = place.run(program)
    told = json.loads(outcome.payload)
    assert told["id"] == "r-1"
    assert told["arn"].endswith(":live")
    assert told["path"][0] == str(program.folder)
    assert not any("site-packages" in entry for entry in told["path"])
    assert "printed" in texts(outcome)
    assert any(line.endswith("r-1\twarned") for line in texts(outcome))


def test_lambdas_own_packages_are_there_for_python(place: Bench) -> None:
    source = "import boto3\ndef handler(event, context): return boto3.__version__"
    program = place.program({"app.py": source}, runtime=RUNNING, handler="app.handler", timeout=30)
    assert place.run(program).error == ""


def test_packages_of_ours_are_not_there_for_python(place: Bench) -> None:
    source = "import moto\ndef handler(event, context): return 1"
    program = place.program({"app.py": source}, runtime=RUNNING, handler="app.handler")
    assert place.run(program).error == "Runtime.ImportModuleError"


@pytest.mark.parametrize(
    ("event", "error"), [({"raise": 1}, "ValueError"), ({"exit": 1}, "Runtime.ExitError")]
)
def test_python_errors_have_their_type(place: Bench, event: dict[str, int], error: str) -> None:
    program = place.program({"app.py": PYTHON}, runtime=RUNNING, handler="app.handler")
    assert place.run(program, event).error == error


def test_the_nearest_python_runs_a_function_and_the_log_says_so(place: Bench) -> None:
    program = place.program({"app.py": PYTHON}, runtime="python3.15", handler="app.handler")
    outcome = place.run(program)
    assert outcome.error == ""
    assert "(the nearest to python3.15 on this machine)" in texts(outcome)[0]


def test_a_shim_without_a_python_behind_it_is_passed_over(tmp_path: Path) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    found = Interpreters(NODE, tmp_path / "rt", which=lambda name: str(tmp_path / name))
    chosen = found.choose("python3.13", 128)
    assert str(shim) not in chosen.command
    assert chosen.exact is (sys.version_info[:2] == (3, 13))


def test_the_pure_client_serves_where_the_compiled_one_does_not_fit(place: Bench) -> None:
    runtime_dir = place.folder / "runtime"
    for compiled in runtime_dir.glob("runtime_client*"):
        compiled.unlink()
    program = place.program({"app.py": PYTHON}, runtime=RUNNING, handler="app.handler")
    assert json.loads(place.run(program).payload)["id"] == "r-1"
    assert place.run(program, {"raise": 1}).error == "ValueError"
