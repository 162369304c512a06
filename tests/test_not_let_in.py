"""A keeper that refuses the distribution's own key: who looks at functions tells it from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.aws import keeper
from runner.doctor import Practice, doctor
from runner.keeper.keeper import VARIABLE, digest
from runner.local.cloud import Cloud
from runner.names import PREVIEW_ROLE, Names
from tests.labs.crash import Wire
from tests.previews_site import PreviewedSite, Watching

HELLO = """
export default async (request) => {
  const status = Number(new URL(request.url).searchParams.get("status") ?? STATUS);
  return Response.json({ message: "Forbidden" }, { status });
};
"""
PATH = "/.functions/hello"
NOBODY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole",
  "Principal": {"Service": "lambda.amazonaws.com"}}]}"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture
def site(cloud: Cloud, tmp_path: Path) -> Iterator[PreviewedSite]:
    made = PreviewedSite.in_new_account(cloud, tmp_path)
    made.write("functions/hello.mjs", HELLO.replace("STATUS", "403"))
    yield made
    made.end()


def spoil(site: PreviewedSite, names: Names) -> None:
    """Somebody's hand; an hour later no api_stage remembers what it was told before."""
    site.onlooker.functions.update_function_configuration(
        FunctionName=names.keeper, Environment={"Variables": {VARIABLE: digest("another")}}
    )
    site.sleep(60)
    keeper.forget(site.onlooker, names)


def changed(site: PreviewedSite) -> None:
    site.write("functions/hello.mjs", HELLO.replace("STATUS", "401"))


def test_a_function_that_refuses_is_no_keeper_that_does_and_a_deploy_mends_the_keeper(
    site: PreviewedSite,
) -> None:
    url = site.deploy(run=1).url
    visitor = site.visitor(url)
    assert visitor.get(PATH).headers["x-jam-own"] == "yes"
    assert "x-jam-own" not in visitor.get(f"{PATH}?status=200").headers
    assert site.deploy(run=2).outcome == "unchanged"

    spoil(site, site.names)
    assert "x-jam-own" not in visitor.get(PATH).headers
    told = Watching()
    site.deploy(run=3, watching=told)
    assert any(f"{PATH} is not reached: 403" in each for each in told.notes)
    assert visitor.get(f"{PATH}?status=200").status == 200

    # A candidate that its own API refuses goes live in the same run, once the keeper is mended.
    spoil(site, site.names)
    changed(site)
    told = Watching()
    assert site.deploy(run=4, watching=told).outcome == "live"
    assert any("JAM-FUNCTION-FAILS" in each for each in told.notes)
    assert visitor.get(PATH).status == 401

    spoil(site, site.names)
    health = doctor(site.account(Wire()), site.names, Practice(rollouts=False))
    keepers = f"function {site.names.keeper} is changed: its settings"
    assert [str(each) for each in health.drift.findings] == [keepers]
    site.deploy(run=5)  # doctor left a mark
    assert visitor.get(PATH).headers["x-jam-own"] == "yes"


def test_a_preview_whose_api_lets_nobody_in_mends_the_keeper(site: PreviewedSite) -> None:
    url = site.preview(7, run=1, private=False).outcome.url
    spoil(site, site.names.previews)
    changed(site)
    ran = site.preview(7, run=2, private=False)
    assert ran.outcome.outcome == "live"
    assert any("keeper of previews' API" in each for each in ran.watching.notes)
    assert site.visitor(url).get(f"{PATH}?status=200").status == 200


def test_where_previews_may_write_no_role_productions_repair_mends_their_keeper(
    site: PreviewedSite,
) -> None:
    site.onlooker.roles.create_role(RoleName=PREVIEW_ROLE, AssumeRolePolicyDocument=NOBODY)
    site.deploy(run=1)
    url = site.preview(7, run=2, private=False).outcome.url
    visitor = site.visitor(url)
    assert visitor.get(f"{PATH}?status=200").status == 200
    spoil(site, site.names.previews)
    assert visitor.get(f"{PATH}?status=200").status == 403
    assert site.deploy(run=3, repair=True).outcome == "unchanged"
    assert visitor.get(f"{PATH}?status=200").status == 200
