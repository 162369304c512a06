"""examples/fork-previews: a stranger's pull request is built without rights, and shown as files.

Whatever the stranger writes, into pages, settings, workflows or the artefact, is content at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.examples.repository import Ran, Repository


@dataclass
class Stranger:
    """`tree` is what their branch has, workflows and all."""

    repository: Repository
    number: int
    tree: Path

    def opens(self) -> dict[str, Ran]:
        """What GitHub starts, by workflow."""
        ran = self.repository.on_pull("opened", self.number, self.tree)
        return {each.job.workflow: each for each in ran}

    def shown(self, built: Ran) -> Ran:
        (ran,) = self.repository.completed(built, self.number)
        return ran


BUILD = "Build a fork's pull request"


@pytest.fixture
def trails(example: Callable[[str], Repository]) -> Repository:
    return example("fork-previews")


@pytest.fixture
def mallory(trails: Repository) -> Stranger:
    trails.at.pull("ours")  # somebody else's, whose number is the smaller
    fork = trails.hands.fork("mallory")
    fork.push("nice")
    number = fork.open("nice", author="mallory")
    tree = trails.branch("nice")
    about = tree / "pages" / "about.html"
    about.write_text(about.read_text().replace("Anybody", "Everybody"))
    return Stranger(trails, number, tree)


def test_a_fork_is_built_without_rights_shown_with_them_and_taken_away(
    trails: Repository, mallory: Stranger
) -> None:
    ran = mallory.opens()
    assert ran.keys() == {"Deploy", BUILD}
    skipped = ran["Deploy"].deployed
    assert skipped.outputs["outcome"] == "skipped"
    assert "examples/fork-previews" in skipped.notices[0]
    assert ran[BUILD].job.permissions == {"contents": "read"}

    shown = mallory.shown(ran[BUILD]).deployed
    assert shown.outputs["environment"] == f"pr-{mallory.number}"
    url = shown.outputs["url"]
    assert "Everybody may add a trail" in trails.page(url, "/about")
    assert trails.visit(url, "/.functions/walkers").status == 404
    (comment,) = trails.at.comments(mallory.number)
    assert url in comment
    assert trails.at.deployments(f"deploy:trails:pr-{mallory.number}") == ["success"]

    trails.hands.close(mallory.number)
    skipped, removed = trails.on_pull("closed", mallory.number, mallory.tree)
    assert skipped.deployed.outputs["outcome"] == "skipped"
    assert removed.deployed.outputs["outcome"] == "removed"
    assert trails.visit(url, "/about").status == 404


def test_nothing_that_a_stranger_says_is_believed(trails: Repository, mallory: Stranger) -> None:
    """Their workflow hands on all that they have: settings, functions, programs, numbers."""
    tree = mallory.tree
    (tree / "jam.toml").write_text(
        'site = "stolen"\nregion = "us-east-1"\n[build]\ncommand = "echo gotcha"\n'
        'publish = "."\n[preview]\npassword = "env:HOME"\n[tables.loot]\nhash = "id:S"\n'
    )
    (tree / "functions" / "evil.mjs").write_text('export default () => new Response("gotcha");')
    (tree / "package.json").write_text(json.dumps({"scripts": {"build": "echo gotcha"}}))
    for name in ("pr", "NR", "pr_number", "pull_request.txt", "head_sha"):
        (tree / name).write_text("1")
    workflow = tree / ".github" / "workflows" / "fork-build.yml"
    workflow.write_text(workflow.read_text().replace("path: public", "path: ."))

    shown = mallory.shown(mallory.opens()[BUILD]).deployed
    url = shown.outputs["url"]
    assert shown.outputs["environment"] == f"pr-{mallory.number}"
    assert "gotcha" not in shown.raw
    assert "Everybody" in trails.page(url, "/public/about")  # files, as they were handed on
    for name in ("evil", "walkers"):
        assert trails.visit(url, f"/.functions/{name}").status == 404
    assert trails.at.comments(1) == []
    (comment,) = trails.at.comments(mallory.number)
    assert "trails" in comment
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    at = {"endpoint_url": trails.at.cloud.endpoint, "region_name": "eu-central-1"}
    tables = boto3.client("dynamodb", **at, **keys).list_tables()["TableNames"]
    assert tables
    assert not [each for each in tables if "loot" in each or "trails" not in each]


def test_an_artefact_that_points_elsewhere_shows_nothing(
    trails: Repository, mallory: Stranger
) -> None:
    built = mallory.opens()[BUILD]
    artefact = trails.artefacts[built.run]["site"]
    for name, target in {"passwd": "/etc/passwd", "all": "../../..", "gone": "nowhere"}.items():
        link = artefact / name
        link.symlink_to(target)
        refused = mallory.shown(built).step
        link.unlink()
        assert refused is not None
        assert refused.status == 2
        assert "neither a file nor a folder" in refused.errors[-1]
    workflow = trails.main / ".github" / "workflows" / "fork-preview.yml"
    workflow.write_text(workflow.read_text().replace("from-the-fork", "."))
    (artefact / "jam.toml").write_text('site = "stolen"\n')  # and lies over the site's own
    refused = mallory.shown(built).step
    assert refused is not None
    assert refused.status == 2
    assert "may have come with the artefact" in refused.errors[-1]
    (comment,) = trails.at.comments(mallory.number)
    assert "2 of 2 previews failed" in comment
    assert "cloudfront.net" not in comment
