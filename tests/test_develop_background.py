"""Functions without a waiting visitor, under the functions server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from tests.compute_site import eventually
from tests.test_develop_functions import Running, site, start, stop

WORK = """
export const config = { async: true };
export const handler = async (event, context) => {
  console.log("worked on", event.body, context.awsRequestId);
};
"""
NIGHTLY = """
def handler(event, context):
    return [event["source"], event["resources"][0].rpartition(":")[2].split("-")[0]]
"""
TEXT = {"content-type": "text/plain"}
SETTINGS = f"""
site = "dev"
[functions]
runtime = "python3.{sys.version_info[1]}"
[functions.nightly]
schedule = "@daily"
[functions.fails]
async = true
retries = 1
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = site(tmp_path_factory.mktemp("site"))
    (folder / "jam.toml").write_text(SETTINGS)
    files = {
        "work.js": WORK,
        "nightly.py": NIGHTLY,
        "fails.py": "def handler(event, context):\n    raise ValueError('no luck')\n",
    }
    for name, text in files.items():
        (folder / "functions" / name).write_text(text)
    running = start(folder)
    yield running
    stop(running)


def test_a_request_in_the_background_is_answered_before_it_is_done(server: Running) -> None:
    answer = server.get("/.functions/work", "POST", body=b"order 7", headers=TEXT)
    run = answer.headers["x-jam-run"]
    assert (answer.status, json.loads(answer.data)) == (202, {"run": run})
    eventually(lambda: server.said(f"work │ worked on order 7 {run}"))


def test_a_failure_in_the_background_is_told_with_what_a_deploy_would_do(server: Running) -> None:
    assert server.get("/.functions/fails").status == 202
    eventually(lambda: server.said("ValueError: no luck"))
    eventually(lambda: server.said("fails │ failed; deployed it is tried once more, and then lies"))


def test_an_event_too_large_for_the_background_is_refused(server: Running) -> None:
    answer = server.get("/.functions/work", "POST", body=b"x" * 2**20)
    assert answer.status == 413


def test_a_schedule_is_told_opens_no_path_and_runs_by_hand(server: Running) -> None:
    at = f"http://localhost:{server.port}/.jam/run/nightly"
    told = f"nightly │ runs by cron(0 0 * * ? *) when deployed; here at {at}"
    eventually(lambda: server.said(told))
    assert server.get("/.functions/nightly").status == 404
    answer = server.get("/.jam/run/nightly")
    assert json.loads(answer.data) == ["aws.scheduler", "schedule/jam"]
    assert server.get("/.jam/run/work").status == 404
