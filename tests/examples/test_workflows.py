"""The examples' workflows are what `init` writes, and name the same actions as our own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from runner.config.workflow import CHECKOUT, WORKFLOW, workflow
from tests.action_site import ROOT
from tests.examples.repository import EXAMPLES

_USES = re.compile(r"uses: (\S+@[0-9a-f]{40} # v[0-9.]+)")


def _actions(folder: Path) -> set[str]:
    return {each for file in folder.glob("*.yml") for each in _USES.findall(file.read_text())}


@pytest.mark.parametrize("name", ["astro", "eleventy", "fork-previews", "notes", "plain"])
def test_an_example_has_the_workflow_that_init_writes(name: str) -> None:
    site = tomllib.loads((EXAMPLES / name / "jam.toml").read_text())["site"]
    assert (EXAMPLES / name / WORKFLOW).read_text() == workflow(site, "main")


def test_examples_and_init_name_the_same_commits_of_actions_as_our_own_workflows() -> None:
    ours = _actions(ROOT / ".github" / "workflows")
    theirs = {each for folder in EXAMPLES.glob("*/.github/workflows") for each in _actions(folder)}
    assert CHECKOUT in theirs
    assert theirs <= ours
