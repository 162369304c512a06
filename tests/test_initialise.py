"""`init`: what it finds, what it asks, what it never overwrites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.config.load import Overrides, load
from runner.initialise import Asking, initialise

FOUND = Overrides(default_region="eu-central-1")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "package.json").write_text('{"name": "shop", "devDependencies": {"vite": "8.0.0"}}')
    (root / "package-lock.json").write_text("{}")
    (root / "index.html").write_text("<h1>Shop</h1>")
    return root


def start(root: Path, **how: object) -> tuple[tuple[str, ...], list[str]]:
    said: list[str] = []
    written = initialise(root, FOUND, **{"asking": None, "say": said.append, **how})
    return written, said


def test_without_questions_it_takes_what_it_found_and_says_why(repository):
    written, said = start(repository)
    assert written == ("jam.toml", ".github/workflows/deploy.yml")
    assert any("vite in package.json" in line for line in said)
    config = load(repository, None, FOUND)
    assert (config.site, config.install, config.publish) == ("shop", "npm ci", "dist")


def test_a_second_time_leaves_what_is_there_alone(repository):
    start(repository)
    (repository / "jam.toml").write_text('site = "mine"\n')
    written, said = start(repository)
    assert written == ()
    assert (repository / "jam.toml").read_text() == 'site = "mine"\n'
    assert "jam.toml exists and stays as it is" in said


def test_at_a_terminal_every_answer_counts(repository):
    questions: list[str] = []

    def text(question: str, found: str) -> str:
        questions.append(question)
        return {"Name of the site": "boutique", "AWS region": "eu-west-1"}.get(question, found)

    start(repository, asking=Asking(text=text, consent=lambda _: False))
    config = load(repository, None, Overrides())
    assert (config.site, config.region) == ("boutique", "eu-west-1")
    assert {"Build command", "Publish folder", "Production branch"} <= set(questions)


@pytest.mark.parametrize("consent", [True, False])
def test_at_a_terminal_it_overwrites_with_consent_alone(repository, consent):
    (repository / "jam.toml").write_text('site = "mine"\n')
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return consent

    start(repository, asking=Asking(text=lambda _, found: found, consent=agree))
    assert asked == ["Overwrite jam.toml?"]
    assert ("mine" not in (repository / "jam.toml").read_text()) == consent


def test_production_follows_the_branch_that_is_checked_out(repository):
    (repository / ".git").mkdir()
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/trunk\n")
    start(repository)
    assert load(repository, None, FOUND).settings.production.branch == "trunk"


@pytest.mark.parametrize("branch", ["main", '"${{ github.token }}'])
def test_linters_of_workflows_find_nothing_in_what_it_writes(repository, branch):
    (repository / ".git").mkdir()
    (repository / ".git" / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    start(repository)
    written = str(repository / ".github" / "workflows" / "deploy.yml")
    programs = Path(sys.executable).parent
    schema = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
    for program, *words in (schema, ["zizmor", "--offline", "--quiet", "--persona", "regular"]):
        ended = subprocess.run(
            [programs / program, *words, written], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
