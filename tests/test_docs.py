"""The README and docs/ say what is true: links lead somewhere, commands, settings, inputs and codes
exist, workflows are GitHub's. What README says in a shell is run, as written, by .ci/run.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from mkdocs.commands.build import build
from mkdocs.config import load_config

from runner.cli import cli
from runner.config.schema import schema
from runner.report import inputs
from runner.report.errors import known

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (
    README,
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
CODE = re.compile(r"\bJAM(?:-[A-Z0-9]+)+\b")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> Iterator[str]:
    """The fenced blocks of a page in that language."""
    return (text for name, text in FENCE.findall(page.read_text()) if name == language)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Its headings as GitHub makes fragments of them."""
    heads = (
        re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", head) for head in HEADING.findall(prose(page))
    )
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    lost = []
    for target in LINK.findall(prose(page)):
        path, _, fragment = unquote(target).partition("#")
        if re.match(r"(https?|mailto):", target):
            continue
        there = (page.parent / path) if path else page
        if not there.exists() or (fragment and fragment not in anchors(there)):
            lost.append(target)
    assert lost == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True)
    build(config)  # raises for a link, an anchor or a page that is missing
    assert "Fifteen lines of workflow" in (tmp_path / "index.html").read_text()
    assert "jam-deploy" in (tmp_path / "costs" / "index.html").read_text()


def test_the_tables_of_the_readme_are_current() -> None:
    text = README.read_text()
    assert inputs.filled(text, inputs.action()) == text, "run `make docs`"


def test_a_table_needs_its_place() -> None:
    with pytest.raises(ValueError, match="outputs"):
        inputs.filled("<!-- inputs -->\n<!-- end -->\n", {"inputs": {}, "outputs": {}})


def test_what_readme_says_in_a_shell_is_there_to_be_run() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    assert "make test" in lines
    for line in lines:
        program, *words = shlex.split(line)
        assert (program == "make" and words[0] in targets) or program == ".venv/bin/jam-deploy"


@cache
def workflow_schema() -> Any:
    return get_builtin_schema("vendor.github-workflows")


WORKFLOWS = [(page, text) for page in PAGES for text in blocks(page, "yaml")]


@pytest.mark.parametrize(("page", "text"), WORKFLOWS, ids=[name_of(page) for page, _ in WORKFLOWS])
def test_a_workflow_is_github_s_and_gives_the_action_what_it_knows(page: Path, text: str) -> None:
    workflow = yaml.safe_load(text)
    jsonschema.validate(
        {("on" if key is True else key): v for key, v in workflow.items()}, workflow_schema()
    )
    action = inputs.action()
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    ours = [step for step in steps if step.get("uses", "").startswith("org/jam-deploy@")]
    assert ours, f"{page} has a workflow without the action"
    for step in ours:
        assert step["with"].keys() <= action["inputs"].keys()


def test_readme_s_workflow_has_fifteen_lines() -> None:
    (text,) = blocks(README, "yaml")
    assert len(text.splitlines()) == 15


SETTINGS = [(page, text) for page in PAGES for text in blocks(page, "toml")]


@pytest.mark.parametrize(("page", "text"), SETTINGS, ids=[name_of(page) for page, _ in SETTINGS])
def test_settings_are_such_as_can_be(page: Path, text: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(tomllib.loads(text))


def commands(page: Path) -> Iterator[str]:
    """What a page tells to type: lines of text blocks, and code in the prose."""
    lines = [line for block in blocks(page, "text") for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", prose(page))
    for line in (*lines, *spans):
        if "jam-deploy " in line and "=" not in line.split("jam-deploy ")[0]:
            yield from re.findall(r"^(?:\.venv/bin/)?jam-deploy (.+)", line.strip())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_exists(page: Path) -> None:
    for line in commands(page):
        found: click.Command = cli
        said, *_ = re.split(r" {2,}|; ", line)
        words = [word for word in said.split() if re.fullmatch(r"[a-z-]+", word)]
        while isinstance(found, click.Group) and words and not words[0].startswith("-"):
            name = words.pop(0)
            assert name in found.commands, f"jam-deploy {line}"
            found = found.commands[name]
        context = click.Context(found)
        options = {word for each in found.get_params(context) for word in each.opts}
        told = re.findall(r"(?<!\S)--[a-z-]+", said)
        assert set(told) <= options, f"jam-deploy {line}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_code_is_listed(page: Path) -> None:
    listed = {each.code for each in known()} | {"JAM-WORDS"}
    assert set(CODE.findall(page.read_text())) <= listed
