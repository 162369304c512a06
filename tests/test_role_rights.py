"""The roles that `bootstrap` makes are enough for all that a site does, and for nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.aws.deploy_roles import production_statements
from runner.aws.preview_needs import preview_statements
from runner.local.cloud import Cloud
from tests.rights_record import read, recorded
from tests.rights_site import PreviewRoleSite, RolesSite, actions

SAMPLE = ("iam:GetRole", "s3:CreateBucket", "dynamodb:TagResource")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.mark.hunt
def test_with_their_roles_workflows_do_all_that_a_site_needs(cloud: Cloud, tmp_path: Path) -> None:
    site = RolesSite.begun(cloud, tmp_path)
    ends = {name: str(error or "") for name, error in site.play()}
    site.end()
    assert set(ends.values()) == {""}, ends


@pytest.mark.hunt
def test_the_record_is_of_what_the_whole_story_asks_today(tmp_path: Path) -> None:
    told = {(role, ask.action) for role, ask in read()}
    assert recorded(tmp_path).keys() == told, "run `python -m tests.rights_record`"


@pytest.mark.parametrize("action", SAMPLE)
def test_without_an_action_a_first_deploy_is_refused_by_its_name(
    cloud: Cloud, tmp_path: Path, action: str
) -> None:
    site = RolesSite.begun(cloud, tmp_path, removed=action)
    _, error = next(site.play())
    site.end()
    assert error is not None
    assert error.code == "JAM-DENIED"
    assert action in str(error)


DONE_WITHOUT = {
    "lambda:GetAccountSettings",  # how much room there is: nobody makes any then
}
ROLES: dict[str, tuple[type[RolesSite], set[str]]] = {
    "production": (RolesSite, actions(production_statements())),
    "preview": (PreviewRoleSite, actions(preview_statements(("arn:aws:cloudfront::1:store",)))),
}


@pytest.mark.hunt
@pytest.mark.parametrize(
    ("role", "action"),
    [(role, action) for role, (_, every) in ROLES.items() for action in sorted(every)],
)
def test_an_action_that_the_story_asks_for_is_missed_by_its_name(
    cloud: Cloud, tmp_path: Path, role: str, action: str
) -> None:
    """What no command of it asks for (`audit`, `doctor`, a VPC) proves nothing here."""
    site = ROLES[role][0].begun(cloud, tmp_path, removed=action, bereft=role)
    try:
        missed = site.missed()
    finally:
        site.end()
    if action not in cloud.rights.refused:
        pytest.skip("no command of the story asks for it")
    assert bool(missed) == (action not in DONE_WITHOUT)
