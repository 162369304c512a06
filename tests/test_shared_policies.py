"""All sites of an account have the same CloudFront policies: an account takes twenty of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.aws import delivery
from runner.collect import collect
from runner.destroy import Doom, destroy
from runner.local.cloud import Cloud
from runner.plan.retention import Retention
from tests.previews_site import PreviewedSite

SPREAD = 600.0  # seconds until all edges know of a change
KEPT = Retention(releases=5, days=30)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


def policies(site: PreviewedSite) -> list[str]:
    """The names of all that the account made."""
    edge = site.onlooker.edge
    cache: Any = edge.list_cache_policies(Type="custom")["CachePolicyList"]
    forward: Any = edge.list_origin_request_policies(Type="custom")["OriginRequestPolicyList"]
    return [
        *(each["CachePolicy"]["CachePolicyConfig"]["Name"] for each in cache.get("Items", [])),
        *(
            each["OriginRequestPolicy"]["OriginRequestPolicyConfig"]["Name"]
            for each in forward.get("Items", [])
        ),
    ]


def destroyed(site: PreviewedSite) -> None:
    destroy(site.onlooker, site.names, Doom(run="test"), say=lambda _line: None)


def in_use(site: PreviewedSite) -> set[str]:
    """The ids of the cache policies that its distributions' default behaviours have."""
    listed = site.onlooker.edge.list_distributions()["DistributionList"]["Items"]
    return {each["DefaultCacheBehavior"]["CachePolicyId"] for each in listed}


def own_policy(site: PreviewedSite) -> str:
    """As sites had them: one named after the site, which its distribution uses; the policy's id."""
    edge = site.onlooker.edge
    config: Any = {**delivery.cache_policy(), "Name": f"{site.names.prefix}-cache"}
    made = edge.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"]
    (there,) = edge.list_distributions()["DistributionList"]["Items"]
    now = edge.get_distribution_config(Id=there["Id"])
    whole: Any = now["DistributionConfig"]
    for each in (whole["DefaultCacheBehavior"], *whole["CacheBehaviors"].get("Items", ())):
        if each["CachePolicyId"] in in_use(site):
            each["CachePolicyId"] = made
    edge.update_distribution(Id=there["Id"], IfMatch=now["ETag"], DistributionConfig=whole)
    return made


def test_two_sites_with_previews_have_one_of_each_and_the_last_takes_them_along(
    cloud: Cloud, tmp_path: Path
) -> None:
    shop = PreviewedSite.in_new_account(cloud, tmp_path / "shop")
    blog = PreviewedSite(cloud, tmp_path / "blog", site="blog")
    shop.deploy()
    live = blog.deploy().url
    blog.preview(7)
    assert sorted(policies(shop)) == sorted(
        [delivery.cache_policy()["Name"], delivery.forward_policy()["Name"]]
    )
    destroyed(shop)
    assert len(policies(shop)) == 2
    assert blog.visitor(live).visit("/").status == 200
    destroyed(blog)
    assert policies(blog) == []


def test_a_site_that_has_its_own_goes_on_moves_over_and_gc_takes_the_old_one(
    cloud: Cloud, tmp_path: Path
) -> None:
    shop = PreviewedSite.in_new_account(cloud, tmp_path)
    live = shop.deploy().url
    old = own_policy(shop)
    assert in_use(shop) == {old}
    assert shop.visitor(live).visit("/").status == 200
    shop.write("public/index.html", "<p>second")
    shop.deploy(run=2, repair=True)
    assert old not in in_use(shop)
    shop.sleep(SPREAD)
    collect(shop.onlooker, shop.names, KEPT, run="gc", say=lambda _line: None)
    assert f"{shop.names.prefix}-cache" not in policies(shop)
    assert shop.visitor(live).visit("/").body == b"<p>second"
