"""What is generated from the settings: schema, documents, and what `init` writes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runner.config.detect import Detected, detect
from runner.config.initial import initial_files, toml_value, write_initial
from runner.config.load import Overrides, load
from runner.config.schema import schema, written
from runner.config.workflow import WORKFLOW, workflow
from runner.package.functions import settings as functions
from tests.test_config_detect import FRAMEWORKS, NPM, Files, repository
from tests.test_config_load import WRONG, whole

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", written())
def test_the_generated_documents_are_current(name: str) -> None:
    hint = "run: python -m runner.config.schema"
    assert (ROOT / "docs" / name).read_text() == written()[name], hint


def checked(text: str) -> list[jsonschema.ValidationError]:
    validator = jsonschema.Draft202012Validator(schema())
    return list(validator.iter_errors(tomllib.loads(text)))


def test_the_schema_is_a_schema_without_nulls() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert "null" not in str(schema())


def test_the_schema_takes_what_the_loader_takes(tmp_path: Path) -> None:
    whole(tmp_path)
    assert checked((tmp_path / "jam.toml").read_text()) == []


# Rules between two keys, a line feed at the end, whose variable it is: a schema cannot tell, or
# TOML's editors do not.
BEYOND = {
    *("a line feed after a name", "a pause without time for it", "longer than API Gateway waits"),
    *("one function's ending", "a table that does not exist", "a variable that Lambda sets"),
    *("one attribute twice", "functions in public"),
    *("a schedule that AWS refuses", "a schedule that only Unix takes"),
    *("longer than CodeDeploy shifts", "a credential of the run for the build"),
    *("a token of the runner as a password", "the workflow's token for a function"),
}


@pytest.mark.parametrize("name", sorted(set(WRONG) - BEYOND))
def test_the_schema_refuses_what_the_loader_refuses(name: str) -> None:
    assert checked(WRONG[name][0])


def test_the_defaults_that_are_told_are_those_of_the_packaging() -> None:
    keys: dict[str, Any] = schema()["$defs"]["Function"]["properties"]
    runtimes = ", ".join(functions.DEFAULT_RUNTIME.values())
    assert f"({runtimes})" in keys["runtime"]["description"]
    assert f"({functions.DEFAULT_MEMORY})" in keys["memory"]["description"]
    assert f"({functions.DEFAULT_TIMEOUT};" in keys["timeout"]["description"]
    assert f"({functions.DEFAULT_ARCHITECTURE})" in keys["architecture"]["description"]
    allowed = {name for names in functions.RUNTIMES.values() for name in names}
    assert set(keys["runtime"]["enum"]) <= allowed


BUILT = {name: row for name, row in FRAMEWORKS.items() if name != "nothing"}


@pytest.mark.parametrize(("files", "expected"), BUILT.values(), ids=BUILT)
def test_what_init_writes_loads_back_as_it_was_detected(
    tmp_path: Path, files: Files, expected: tuple[str, str, str]
) -> None:
    root = repository(tmp_path, {**files, **NPM})
    found = detect(root)
    texts = initial_files(found, "notes", region="eu-central-1", branch="main")
    assert write_initial(root, texts, overwrite=lambda _: False) == ("jam.toml", WORKFLOW)
    config = load(root, None, Overrides())
    assert (config.site, config.region) == ("notes", "eu-central-1")
    assert (found.framework, config.command, config.publish) == expected
    assert config.install == found.install
    assert checked(texts["jam.toml"]) == []


def _uncommented(text: str) -> str:
    """Every commented key of a jam.toml brought to life."""
    return re.sub(r"(?m)^# (?=\[|\w+ = )", "", text)


def test_every_commented_key_is_a_valid_example(tmp_path: Path) -> None:
    root = repository(tmp_path, {"index.html": "x"})
    texts = initial_files(detect(root), "notes", region="", branch="main")
    alive = _uncommented(texts["jam.toml"])
    (root / "jam.toml").write_text(alive)
    config = load(root, None, Overrides())
    assert config.settings.functions.secrets == {"STRIPE_KEY": "ssm:/notes/stripe"}
    assert config.settings.functions.named["notes/[id]"].memory == 512
    assert config.settings.production.rollout.beacon is True
    assert checked(alive) == []


def test_detected_values_stand_with_their_reason(tmp_path: Path) -> None:
    files, _ = FRAMEWORKS["vite"]
    found = detect(repository(tmp_path, {**files, **NPM}))
    lines = initial_files(found, "notes", region="", branch="main")["jam.toml"].splitlines()
    assert 'install = "npm ci"  # package-lock.json' in lines
    assert 'command = "npm run build"  # the script build in package.json' in lines
    assert any(line.startswith("# spa = true  # ") for line in lines)
    assert any(line.startswith('# region = "eu-central-1"  # ') for line in lines)


@pytest.mark.parametrize("value", ['a"b\\c\n', "é\x7f", True, 3, ["a", 1], {"A": "x", "B": "y"}])
def test_a_value_survives_being_written_as_toml(value: object) -> None:
    text = f"value = {toml_value(value)}"
    assert "\n" not in text
    assert tomllib.loads(text) == {"value": value}


def test_nothing_is_overwritten_without_asking(tmp_path: Path) -> None:
    (tmp_path / "jam.toml").write_text("mine")
    (tmp_path / "same").write_text("same")
    asked: list[str] = []
    files = {"jam.toml": "ours", "same": "same", "a/new": "new"}
    kept = write_initial(tmp_path, files, overwrite=lambda path: asked.append(path) is not None)
    assert (kept, asked) == (("a/new",), ["jam.toml"])
    assert (tmp_path / "jam.toml").read_text() == "mine"
    assert write_initial(tmp_path, files, overwrite=lambda _: True) == ("jam.toml",)
    assert (tmp_path / "jam.toml").read_text() == "ours"


def parsed(branch: str = "main") -> dict[Any, Any]:
    found = yaml.safe_load(workflow("notes", branch))
    assert isinstance(found, dict)
    return found


def test_the_workflow_has_every_trigger_of_the_interface() -> None:
    triggers = parsed()[True]  # YAML 1.1 reads the key `on` as a boolean; GitHub does not
    assert triggers["pull_request"]["types"] == ["opened", "synchronize", "reopened", "closed"]
    assert triggers["push"]["branches"] == ["main"]
    assert re.fullmatch(r"[0-9]+ 3 \* \* \*", triggers["schedule"][0]["cron"])
    inputs = triggers["workflow_dispatch"]["inputs"]
    assert set(inputs) == {"command", "release"}
    assert {"deploy", "rollback", "settle", "destroy"} <= set(inputs["command"]["options"])


def test_the_workflow_queues_runs_and_never_cancels_one() -> None:
    concurrency = parsed()["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert concurrency["queue"] == "max"
    assert "github.event.pull_request.number" in concurrency["group"]
    assert "\n" not in concurrency["group"]


def test_the_workflow_asks_for_no_more_than_it_uses() -> None:
    found = parsed()
    job = found["jobs"]["deploy"]
    assert found["permissions"] == {}
    assert job["permissions"] == {
        "contents": "read",
        "id-token": "write",
        "pull-requests": "write",
        "deployments": "write",
    }
    assert job["steps"][0]["with"] == {"persist-credentials": False}
    assert set(job["steps"][1]["with"]) == {"role-to-assume", "command", "release"}


@pytest.mark.parametrize(
    ("branch", "pattern"), [("release/1.x", "release/1.x"), ("c++", r"c\+\+"), ('a"b', 'a"b')]
)
def test_a_branch_is_written_in_the_language_of_filters(branch: str, pattern: str) -> None:
    assert parsed(branch)[True]["push"]["branches"] == [pattern]


def test_init_without_anything_detected_still_writes_valid_toml() -> None:
    found = Detected(why={"framework": "no framework"})
    text = initial_files(found, "notes", region="eu-west-1", branch="main")["jam.toml"]
    assert tomllib.loads(text)["build"] == {}
