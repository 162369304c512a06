"""A site under its own names: as visitors find it, and as whoever has to see to its DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from runner.audit import audit
from runner.aws import pool_records, records
from runner.clearing import Clearing, Nobody, clear
from runner.closing import Closing
from runner.destroy import Doom, destroy
from runner.doctor import Practice, doctor
from runner.local.cloud import Cloud
from runner.model import Origin
from runner.plan.inventory import What
from runner.plan.remarks import Topic
from runner.rollback import Wish, rollback
from runner.shared import shared
from tests.labs.crash import Wire
from tests.previews_site import PreviewedSite, Watching

RECORD = re.compile(r"CNAME  (\S+)  ->  (\S+?)\.(?:\s|$)")
APEX = '[production]\ndomain = "example.com"\n'
PREVIEWS = '[preview]\ndomain = "*.preview.example.com"\n'


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as running:
        yield running


class Named(PreviewedSite):
    """A site with settings for its names, and hands on the DNS of others."""

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service's name is not a literal
            service, region_name=region, endpoint_url=self.cloud.endpoint,
            aws_access_key_id="test", aws_secret_access_key="secret",
        )  # fmt: skip

    def zone(self, name: str = "example.com") -> str:
        made = self.client("route53").create_hosted_zone(Name=name, CallerReference=name)
        return str(made["HostedZone"]["Id"])

    def records(self, zone: str) -> dict[str, Any]:
        """All but those that every zone has."""
        told = self.client("route53").list_resource_record_sets(HostedZoneId=zone)
        return {
            f"{each['Name']} {each['Type']}": each
            for each in told["ResourceRecordSets"]
            if each["Type"] not in ("NS", "SOA")
        }

    def add(self, zone: str, name: str, kind: str, value: str) -> None:
        record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        self.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def elsewhere(self, told: tuple[str, ...]) -> int:
        """Somebody adds every record that they were told of to a DNS that is not ours."""
        records = RECORD.findall("\n".join(told))
        for name, target in records:
            kind = "ALIAS" if name.count(".") == 1 else "CNAME"
            self.cloud.domains.dns.put(name, kind, [target])
        return len(records)

    def wrongs(self) -> list[str]:
        """What `doctor` finds wrong about names, each with what to do."""
        settings = self.config.settings
        practice = Practice(
            rollouts=False,
            domains=settings.production.domain,
            previews=settings.preview.domain or "",
            near=self.cloud.endpoint,
        )
        told = doctor(self.account(Wire()), self.names, practice).remarks
        return [
            f"{each.message}. {each.hint}"
            for each in told
            if each.topic is Topic.DOMAIN and each.is_wrong
        ]

    def certificates(self) -> list[Any]:
        return list(self.client("acm").list_certificates()["CertificateSummaryList"])

    def page(self, host: str, path: str = "/", method: str = "GET") -> Any:
        return self.visitor(f"https://{host}").get(path, method=method)


@pytest.fixture
def site(cloud: Cloud, tmp_path: Path) -> Iterator[Named]:
    made = Named.in_new_account(cloud, tmp_path)
    assert isinstance(made, Named)
    yield made
    made.end()


def test_with_its_zone_in_the_account_one_deploy_is_all_that_it_takes(site: Named) -> None:
    zone = site.zone()
    site.settings(APEX)
    done = site.deploy()
    assert done.url == "https://example.com"
    assert not done.lacks
    assert site.page("example.com").body == b"<p>first"
    moved = site.page("www.example.com", "/a%20b?c=d&e=f")
    assert (moved.status, moved.headers["location"]) == (301, "https://example.com/a%20b?c=d&e=f")
    posted = site.page("www.example.com", "/.functions/x", "POST")
    assert (posted.status, posted.headers["location"]) == (
        308,
        "https://example.com/.functions/x",
    )
    aliases = {name for name in site.records(zone) if "CNAME" not in name}
    assert aliases == {
        "example.com. A", "example.com. AAAA", "www.example.com. A", "www.example.com. AAAA",
    }  # fmt: skip


@pytest.mark.parametrize("proved", [True, False], ids=["that work", "that lack a record"])
def test_going_back_leaves_the_sites_names_as_they_are(site: Named, proved: bool) -> None:
    zone = site.zone() if proved else ""
    site.settings(APEX)
    site.deploy()
    site.write("public/index.html", "<p>second")
    site.deploy(run=2)
    before = (site.certificates(), site.records(zone) if proved else {})
    aws = site.account(Wire())
    rollback(aws, site.names, Wish(run="b"), watcher=Watching(), clock=site.cloud.clock.now)
    assert (site.certificates(), site.records(zone) if proved else {}) == before
    if proved:
        assert site.page("example.com").body == b"<p>first"
        assert site.page("www.example.com").status == 301
    found = audit(site.account(Wire()), site.names)
    assert found.unexplained == ()


def test_a_deploy_of_what_is_live_asks_nobody_about_its_names(site: Named) -> None:
    site.deploy()
    plain = site.deploy(run=2).calls
    site.zone()
    site.settings(APEX)
    site.deploy(run=3)
    again = site.deploy(run=4)
    assert (again.outcome, again.url, again.calls) == ("unchanged", "https://example.com", plain)


def test_with_another_dns_records_are_told_and_later_deploys_go_on(site: Named) -> None:
    site.settings(APEX)
    first = site.deploy()
    assert first.url.endswith(".cloudfront.net")
    assert len(RECORD.findall("\n".join(first.lacks))) == 2
    assert site.wrongs() == list(first.lacks)
    assert site.elsewhere(first.lacks) == 2
    site.sleep(120)

    second = site.deploy(run=2)
    assert second.url == first.url
    assert site.wrongs() == list(second.lacks)
    assert "ALIAS, ANAME" in second.lacks[0]
    assert site.elsewhere(second.lacks) == 2

    third = site.deploy(run=3)
    assert (third.url, third.lacks) == ("https://example.com", ())
    assert site.page("example.com").body == b"<p>first"
    assert site.page("www.example.com").status == 301
    assert site.wrongs() == []


def test_a_record_that_leads_elsewhere_is_named_and_left_alone(site: Named) -> None:
    zone = site.zone()
    site.add(zone, "www.example.com", "CNAME", "old.example.net")
    site.settings('[production]\ndomain = "www.example.com"\n')
    done = site.deploy()
    (told,) = done.lacks
    assert "JAM-DOMAIN-RECORD: www.example.com leads elsewhere" in told
    assert "CNAME old.example.net" in told
    left = site.records(zone)["www.example.com. CNAME"]["ResourceRecords"]
    assert left == [{"Value": "old.example.net"}]
    site.sleep(60)
    assert site.page("example.com").status == 301, "the other name is served already"


def test_a_name_of_another_distribution_is_told_with_its_owner(site: Named, tmp_path: Path) -> None:
    zone = site.zone()
    site.settings('[production]\ndomain = ["example.com"]\n')
    site.deploy()
    other = Named(site.cloud, tmp_path / "other", site="other")
    other.settings('[production]\ndomain = ["example.com", "new.example.com"]\n')
    done = other.deploy()
    assert done.url.endswith(".cloudfront.net")
    (told,) = [line for line in done.lacks if "JAM-DOMAIN-TAKEN" in line]
    assert "example.com hangs on another distribution" in told
    assert "(jam-shop production)" in told
    site.sleep(60)
    assert other.page("new.example.com").status == 301
    assert site.page("example.com").body == b"<p>first"
    assert "new.example.com. A" in site.records(zone)
    other.end()


def test_a_caa_record_that_forbids_is_named_and_a_new_certificate_follows(site: Named) -> None:
    zone = site.zone()
    site.add(zone, "example.com", "CAA", '0 issue "letsencrypt.org"')
    site.settings(APEX)
    done = site.deploy()
    assert "JAM-DOMAIN-CAA" in done.lacks[0]
    assert 'CAA 0 issue "amazon.com"' in done.lacks[0]
    site.add(zone, "example.com", "CAA", '0 issue "amazon.com"')
    site.sleep(60)
    assert site.deploy(run=2).url == "https://example.com"


def test_what_was_deleted_by_hand_is_told_by_doctor_and_made_again(site: Named) -> None:
    zone = site.zone()
    site.settings(APEX)
    site.deploy()
    gone = site.records(zone)["www.example.com. A"]
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": gone}]}
    site.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    (told,) = site.wrongs()
    assert "www.example.com has no record (A and AAAA)" in told
    site.deploy(run=2)
    assert "www.example.com. A" in site.records(zone)
    assert site.wrongs() == []


def test_a_repair_that_another_deploy_overtakes_still_makes_the_record_again(site: Named) -> None:
    zone = site.zone()
    site.settings(APEX)
    site.deploy()
    gone = site.records(zone)["www.example.com. A"]
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": gone}]}
    site.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    site.write("public/index.html", "<p>a later text")
    site.deploy(run=3, repair=True, between=lambda: site.deploy(run=2))
    assert "www.example.com. A" in site.records(zone)
    assert site.wrongs() == []


def test_names_that_the_settings_drop_are_let_go(site: Named) -> None:
    zone = site.zone()
    site.settings(APEX)
    site.deploy()
    site.settings('[production]\ndomain = ["example.com"]\n')
    site.deploy(run=2)
    assert not [name for name in site.records(zone) if name.startswith("www.")]
    site.sleep(60)
    assert site.cloud.owner("www.example.com") is None
    assert site.page("example.com").body == b"<p>first"
    site.settings("")
    done = site.deploy(run=3)
    assert done.url.endswith(".cloudfront.net")
    assert site.records(zone) == {}


def test_two_pull_requests_have_hosts_below_the_wildcard_and_no_distribution_more(
    site: Named,
) -> None:
    site.zone()
    site.settings(PREVIEWS)
    seven = site.preview(7, private=False)
    site.write("public/index.html", "<p>eight")
    eight = site.preview(8, run=2, private=False)
    assert seven.outcome.url == "https://pr-7.preview.example.com"
    assert eight.outcome.url == "https://pr-8.preview.example.com"
    assert site.page("pr-7.preview.example.com").body == b"<p>first"
    assert site.page("pr-8.preview.example.com").body == b"<p>eight"
    commit = eight.shown.commit_url.removeprefix("https://")
    assert commit == f"{eight.outcome.release[:8]}--pr-8.preview.example.com"
    assert site.page(commit).body == b"<p>eight"
    listed = site.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    assert len(listed) == 1


def test_a_pull_request_whose_settings_name_no_domain_leaves_it_to_the_others(site: Named) -> None:
    zone = site.zone()
    site.settings(PREVIEWS)
    site.preview(7, private=False)
    before = (site.certificates(), site.records(zone))
    site.settings("")
    plain = site.preview(8, run=2, private=False)
    assert plain.outcome.url.endswith(".cloudfront.net")
    assert (site.certificates(), site.records(zone)) == before
    assert site.page("pr-7.preview.example.com").body == b"<p>first"

    aws, names = site.account(Wire()), site.names
    there, _ = records.read(aws, names.previews, release="") or pytest.fail("no record")
    world = site.world(Watching(), run=3)
    shared(site.config, world, aws=aws, names=names, there=there, lets_go=True)
    assert site.records(zone) == {}
    assert [each["DomainName"] for each in site.certificates()] == ["*.preview.example.com"]

    site.sleep(1200)  # until CloudFront has forgotten it
    closing = Closing(run="gc", origin=Origin(), say=lambda _line: None)
    clear(aws, names, Clearing(closing=closing, pulls=Nobody(), expire=86_400))
    assert site.certificates() == []
    assert audit(aws, names).unexplained == ()


def test_until_the_wildcard_works_previews_have_hosts_of_the_pool(site: Named) -> None:
    site.settings(PREVIEWS)
    first = site.preview(7, private=False)
    assert first.outcome.url.endswith(".cloudfront.net")
    assert site.elsewhere(tuple(first.watching.notes)) == 1
    site.sleep(120)
    site.write("public/index.html", "<p>second")
    second = site.preview(7, run=2, private=False)
    assert site.elsewhere(tuple(second.watching.notes)) == 1
    site.write("public/index.html", "<p>third")
    third = site.preview(7, run=3, private=False)
    assert third.outcome.url == "https://pr-7.preview.example.com"
    assert site.page("pr-7.preview.example.com").body == b"<p>third"
    # The pool's has its host again at once, and shows nothing.
    assert site.visitor(first.outcome.url).visit("/").status == 404
    hosts = pool_records.hosts(site.onlooker, site.names.previews)
    assert [each.environment for each in hosts] == [""]


def test_destroy_leaves_nothing_but_what_others_made(site: Named) -> None:
    zone = site.zone()
    site.settings(APEX + PREVIEWS)
    site.deploy()
    site.preview(7, run=2, private=False)
    site.add(zone, "mail.example.com", "A", "192.0.2.1")
    told = audit(site.account(Wire()), site.names)
    assert told.unexplained == ()
    kinds = [each.kind for each in told.of_site]
    assert (kinds.count(What.DNS_RECORD), kinds.count(What.CERTIFICATE)) == (6, 2)
    site.sleep(1200)
    destroy(site.account(Wire()), site.names, Doom(run="test"), say=lambda _line: None)
    assert set(site.records(zone)) == {"mail.example.com. A"}
    assert site.certificates() == []
    listed = site.client("cloudfront").list_distributions()["DistributionList"]
    assert listed.get("Items", []) == []
