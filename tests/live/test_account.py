"""Questions to a real AWS account: `make live`. Numbers are those of docs/live-checks.md.

Deploys examples/notes as the site `jam-live` to the account of the environment's credentials, which
an administrator has bootstrapped. The site stays for the next run; everything of it bears the tag
`jam:site=jam-live`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from runner.rehearsal.stage import copy_of

ROOT = Path(__file__).parents[2]
SITE = "jam-live"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> dict:
    folder = copy_of(ROOT / "examples" / "notes", tmp_path_factory.mktemp("site"))
    page = folder / "public" / "käse & brot.html"
    page.write_text("<h1>K</h1>")
    done = subprocess.run(
        [sys.executable, "-m", "runner", "deploy", "--json", "--site", SITE],
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def get(deployed: dict, path: str, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = deployed["url"] + path
    return urllib3.request("GET", url, headers=named, redirect=False, retries=False)


def test_the_site_is_served_as_released(deployed):
    assert all(check["outcome"] == "passed" for check in deployed["checks"])
    assert get(deployed, "/").headers["x-jam-release"] == deployed["release"]


def test_2_a_visitors_draw_header_never_reaches_the_cache_key(deployed):
    get(deployed, "/about")
    assert "Hit" in get(deployed, "/about", x_jam_draw="mine").headers["x-cache"]


def test_5_a_function_sees_its_route_without_the_stage(deployed):
    assert get(deployed, "/.functions/notes/nobody").status == 404
    assert b"no such note" in get(deployed, "/.functions/notes/nobody").data


def test_7_a_name_that_needs_encoding_is_served(deployed):
    assert get(deployed, "/k%C3%A4se%20%26%20brot").status == 200


def test_7_a_missing_name_that_needs_encoding_gets_the_sites_404_page(deployed):
    answer = get(deployed, "/k%C3%A4se%20%2B%20wein")
    assert answer.status == 404
    assert b"There is no such page" in answer.data


def test_8_response_parameters_have_no_effect(deployed):
    answer = get(deployed, "/about?response-content-type=text/plain")
    assert answer.headers["content-type"].startswith("text/html")


def test_9_header_rules_reach_visitors(deployed):
    assert get(deployed, "/about").headers["x-frame-options"] == "DENY"
