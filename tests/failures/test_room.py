"""Row 28: Lambda's code storage is full, or nearly; what is past retention makes room."""

from __future__ import annotations

import pytest

from runner.local.faults import Fault
from tests.failures.scene import EVER, Scene
from tests.labs.site import Commit

SHORT = "[production.retention]\nreleases = 1\ndays = 0\n"
WEEK = 8 * 24 * 3600.0  # seconds: longer than any visitor's pin
TWO_DAYS = 2 * 24 * 3600.0  # seconds: longer than any run
NEARLY = Fault(
    kind="answer",
    service="lambda",
    operation="GetAccountSettings",
    times=EVER,
    values={"AccountUsage": {"TotalCodeSize": 70_000_000_000, "FunctionCount": 3}},
)
NOTHING = "nothing of this site is past retention"


def refused(times: int) -> Fault:
    return Fault(
        kind="error",
        service="lambda",
        operation="UpdateFunctionCode",
        times=times,
        code="CodeStorageExceededException",
        status=400,
        message="Code storage limit exceeded.",
    )


@pytest.fixture
def old(scene: Scene) -> Commit:
    """A release that nothing keeps and no visitor is pinned to; two came after it."""
    scene.settings(SHORT)
    commit = scene.released()
    scene.released()
    scene.released()
    with scene.broken(NEARLY):  # from now on nobody new is pinned to it
        assert scene.deploy(scene.commit()).outcome == "live"
    scene.site.sleep(WEEK)
    return commit


def test_28_near_the_quota_what_is_past_retention_goes_before_anything_is_published(
    scene: Scene, old: Commit
) -> None:
    commit = scene.commit()
    with scene.broken(NEARLY):
        ended = scene.deploy(commit)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert any("70.0 of 80.5 GB" in note for note in ended.notes)
    assert any("were removed" in note for note in ended.notes)
    assert left_of(scene, old) == []
    assert scene.site.visit().document == commit.page


def test_28_a_version_that_was_refused_is_published_once_there_is_room(
    scene: Scene, old: Commit
) -> None:
    commit = scene.commit()
    with scene.broken(refused(1)):
        ended = scene.deploy(commit)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert any(note.startswith("JAM-QUOTA-CODE") for note in ended.notes)
    assert left_of(scene, old) == []
    assert scene.site.visit().document == commit.page
    assert scene.lease() == "free"


def test_28_what_is_refused_again_ends_the_run_and_visitors_keep_what_they_have(
    scene: Scene, old: Commit
) -> None:
    before, commit = scene.kept(), scene.commit()
    with scene.broken(refused(EVER)):
        ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-QUOTA-CODE", 3), ended
    assert scene.kept() == before
    assert left_of(scene, old) == []  # once, and no more
    with scene.broken(refused(EVER)):
        again = scene.deploy(commit.again)
    assert again.code == "JAM-QUOTA-CODE"
    assert NOTHING in again.notes
    assert scene.deploy(commit.again).outcome == "live"


def test_28_what_a_killed_run_of_the_same_commit_made_is_no_room(scene: Scene) -> None:
    scene.settings(SHORT)
    scene.settled()
    commit = scene.commit()
    scene.kill("UpdateFunctionCode")
    assert scene.deploy(commit).code == "killed"
    scene.site.sleep(TWO_DAYS)
    with scene.broken(NEARLY):
        ended = scene.deploy(commit.again)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert not any("of kind objects" in note or "version" in note for note in ended.notes)


def left_of(scene: Scene, commit: Commit) -> list[str]:
    """The objects of a release that are left: they go with its versions."""
    release = scene.site.release_of(commit).id
    prefix = f"production/releases/{release}/"
    listed = scene.site.aws.s3.list_objects_v2(Bucket=scene.site.names.bucket, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]
