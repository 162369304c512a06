"""Questions to a real AWS account: `make live`. Numbers are those of docs/live-checks.md.

Deploys examples/notes as the site `jam-live` to the account of the environment's credentials, which
an administrator has bootstrapped, and takes it down again, its table too; JAM_LIVE_KEEP leaves it.
Everything of it bears the tag `jam:site=jam-live`, so that the next run clears what a killed one
left. The embedded cloud answers the same questions as AWS's documentation does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.fetch import Answer, fetch_from, loopback
from runner.rehearsal.stage import copy_of

ROOT = Path(__file__).parents[2]
SITE = "jam-live"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[dict]:
    folder = copy_of(ROOT / "examples" / "notes", tmp_path_factory.mktemp("site"))
    page = folder / "public" / "käse & brot.html"
    page.write_text("<h1>K</h1>")
    try:
        yield json.loads(jam(folder, "deploy"))
    finally:
        if not os.environ.get("JAM_LIVE_KEEP"):
            removed(folder)


def jam(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words, "--json", "--site", SITE],
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def removed(folder: Path) -> None:
    """Nothing that bears the site's tag is left."""
    jam(folder, "destroy", "--all", "--with-tables", "notes", "--yes")
    left = json.loads(jam(folder, "audit"))["resources"]
    assert [each for each in left if each["site"] == SITE] == []


def get(deployed: dict, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    near = loopback(os.environ.get("AWS_ENDPOINT_URL", ""))
    return fetch_from(deployed["url"], connect_to=near)(path, named)


def test_the_site_is_served_as_released(deployed):
    assert all(check["outcome"] == "passed" for check in deployed["checks"])
    assert get(deployed, "/").headers["x-jam-release"] == deployed["release"]


def test_2_a_visitors_draw_header_never_reaches_the_cache_key(deployed):
    get(deployed, "/about")
    assert "Hit" in get(deployed, "/about", x_jam_draw="mine").headers["x-cache"]


def test_5_a_function_sees_its_route_without_the_stage(deployed):
    assert get(deployed, "/.functions/notes/nobody").status == 404
    assert b"no such note" in get(deployed, "/.functions/notes/nobody").body


def test_7_a_name_that_needs_encoding_is_served(deployed):
    assert get(deployed, "/k%C3%A4se%20%26%20brot").status == 200


def test_7_a_missing_name_that_needs_encoding_gets_the_sites_404_page(deployed):
    answer = get(deployed, "/k%C3%A4se%20%2B%20wein")
    assert answer.status == 404
    assert b"There is no such page" in answer.body


def test_8_response_parameters_have_no_effect(deployed):
    answer = get(deployed, "/about?response-content-type=text/plain")
    assert answer.headers["content-type"].startswith("text/html")


def test_9_header_rules_reach_visitors(deployed):
    assert get(deployed, "/about").headers["x-frame-options"] == "DENY"
