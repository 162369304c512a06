"""examples/astro and examples/eleventy: found by package.json, built by npm, released."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.examples.repository import EXAMPLES, Repository

pytestmark = pytest.mark.hunt  # each fetches a framework: its registry's time, not ours

Example = Callable[[str], Repository]


def test_eleventy_writes_a_page_for_each_entry(example: Example) -> None:
    logbook = example("eleventy")
    (ran,) = logbook.push()
    url = ran.deployed.outputs["url"]
    listed = re.findall(r'<li><a href="([^"]+)">', logbook.page(url))
    assert len(listed) == 3
    assert "west by north" in logbook.page(url, "/notes/out-of-port/")
    assert all("Petrel" in logbook.page(url, each) for each in listed)
    assert logbook.visit(url, "/style.css").headers["cache-control"] == "public, max-age=600"
    missing = logbook.visit(url, "/nowhere")
    assert (missing.status, b"Off the chart" in missing.body) == (404, True)


def test_astro_writes_pages_and_a_function_answers_beside_them(example: Example) -> None:
    dome = example("astro")
    (ran,) = dome.push()
    url = ran.deployed.outputs["url"]
    home = dome.page(url)
    assert "The dome is open" in home
    assert "Bus 14" in dome.page(url, "/visit/")
    styles = re.findall(r'href="(/_astro/[^"]+\.css)"', home)
    assert all(".lead" in dome.page(url, each) for each in styles[:1])
    sky = json.loads(dome.page(url, "/.functions/tonight"))
    assert 0 <= sky["lit"] <= 100
    assert dome.visit(url, "/nowhere").status == 404


@pytest.mark.parametrize("name", ["astro", "eleventy"])
def test_the_lock_file_names_no_registry(name: str) -> None:
    assert "resolved" not in (EXAMPLES / name / "package-lock.json").read_text()
