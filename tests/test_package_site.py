"""References in environments, settings that are not built yet, tables in a function's digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.load import Overrides, load
from runner.errors import JamError
from runner.package.site import Surroundings, package, resolved


def around(tmp_path: Path, **environment: str) -> Surroundings:
    return Surroundings(
        environment=environment,
        tools={},
        cache=tmp_path / "cache",
        echo=lambda _: None,
        parameter={"/notes/cms": "secret"}.__getitem__,
    )


def config_of(root: Path, text: str = ""):
    (root / "index.html").write_text("<h1>Hello</h1>")
    (root / "jam.toml").write_text('site = "notes"\nregion = "eu-central-1"\n' + text)
    return load(root, None, Overrides())


def test_references_lead_to_the_runner_and_to_the_parameter_store(tmp_path):
    values = {"A": "plain", "B": "env:HERE", "C": "ssm:/notes/cms"}
    found = resolved(values, around(tmp_path, HERE="there"), where="build.environment")
    assert dict(found) == {"A": "plain", "B": "there", "C": "secret"}


def test_every_reference_that_leads_nowhere_is_named_at_once(tmp_path):
    with pytest.raises(JamError) as caught:
        resolved({"A": "env:ONE", "B": "env:TWO"}, around(tmp_path), where="build.environment")
    assert caught.value.code == "JAM-ENV"
    assert [problem.where for problem in caught.value.problems] == [
        "build.environment.A",
        "build.environment.B",
    ]


def test_a_site_without_functions_folder_is_a_release_of_files_alone(tmp_path):
    config = config_of(tmp_path)
    release = package(config, tmp_path, around(tmp_path))
    assert [file.path for file in release.files] == ["index.html"]
    assert release.functions == ()
    assert release.routing.api_stage == ""


def test_headers_and_redirects_of_the_publish_folder_are_read_and_not_published(tmp_path):
    config = config_of(tmp_path)
    (tmp_path / "_headers").write_text("/*\n  X-Frame-Options: DENY\n")
    (tmp_path / "_redirects").write_text("/old / 301\n")
    release = package(config, tmp_path, around(tmp_path))
    assert [file.path for file in release.files] == ["index.html"]
    assert release.redirects[0].source == "/old"
    assert release.header_sets[0].headers == (("x-frame-options", "DENY"),)
