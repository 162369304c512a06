"""What Route 53, ACM and CloudFront refuse about names and certificates, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from runner.local.cloud import Cloud
from tests.local_cloud import refusal

CLOUDFRONT = "Z2FDTNDATAQYW2"


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


def client(cloud: Cloud, service: str, region: str = "us-east-1") -> Any:
    return boto3.client(  # type: ignore[call-overload]  # the service's name is not a literal
        service, region_name=region, endpoint_url=cloud.endpoint,
        aws_access_key_id="test", aws_secret_access_key="secret",
    )  # fmt: skip


def advance(cloud: Cloud, seconds: float) -> None:
    cloud.clock.run(cloud.clock.now() + seconds)


def zone(cloud: Cloud, name: str = "example.com", **config: Any) -> str:
    made = client(cloud, "route53").create_hosted_zone(Name=name, CallerReference=name, **config)
    return str(made["HostedZone"]["Id"])


def plain(name: str, kind: str, value: str, ttl: int = 300) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}]}


def alias(name: str, target: str, **more: Any) -> dict[str, Any]:
    told = {"DNSName": target, "HostedZoneId": CLOUDFRONT, "EvaluateTargetHealth": False, **more}
    return {"Name": name, "Type": "A", "AliasTarget": told}


def change(cloud: Cloud, zone: str, *changes: tuple[str, dict[str, Any]]) -> str:
    batch = {"Changes": [{"Action": do, "ResourceRecordSet": what} for do, what in changes]}
    answer = client(cloud, "route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch=batch
    )
    return str(answer["ChangeInfo"]["Id"])


def distribution(cloud: Cloud, *aliases: str, certificate: str = "", reference: str = "1") -> Any:
    """A plain distribution; what it serves is nobody's question here."""
    shown = {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only",
             "MinimumProtocolVersion": "TLSv1.2_2021"}  # fmt: skip
    origin = {"Id": "o", "DomainName": "origin.example.net", "CustomOriginConfig": {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}  # fmt: skip
    return client(cloud, "cloudfront").create_distribution(DistributionConfig={
        "CallerReference": reference, "Comment": "", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only",
                                 "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"},
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        **({"ViewerCertificate": shown} if certificate else {}),
    })["Distribution"]  # fmt: skip


def request(cloud: Cloud, *names: str, region: str = "us-east-1") -> str:
    made = client(cloud, "acm", region).request_certificate(
        DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
    )
    return str(made["CertificateArn"])


def described(cloud: Cloud, arn: str) -> Any:
    region = arn.split(":")[3]
    return client(cloud, "acm", region).describe_certificate(CertificateArn=arn)["Certificate"]


def proof(cloud: Cloud, arn: str) -> list[dict[str, str]]:
    advance(cloud, 10)
    return [each["ResourceRecord"] for each in described(cloud, arn)["DomainValidationOptions"]]


def prove(cloud: Cloud, arn: str) -> None:
    for record in proof(cloud, arn):
        cloud.domains.dns.put(record["Name"], "CNAME", [record["Value"]])


def issued(cloud: Cloud, *names: str) -> str:
    arn = request(cloud, *names)
    prove(cloud, arn)
    advance(cloud, 61)
    assert described(cloud, arn)["Status"] == "ISSUED"
    return arn


WWW = plain("www.example.com", "A", "192.0.2.1")
REFUSED: list[tuple[str, list[tuple[str, dict[str, Any]]], str]] = [
    ("CREATE of what an UPSERT made", [("CREATE", WWW)], "InvalidChangeBatch"),
    ("DELETE of what is not there", [("DELETE", plain("a.example.com", "A", "192.0.2.1"))],
     "InvalidChangeBatch"),
    ("DELETE with another value", [("DELETE", plain("www.example.com", "A", "192.0.2.9"))],
     "InvalidChangeBatch"),
    ("DELETE with another TTL", [("DELETE", plain("www.example.com", "A", "192.0.2.1", 60))],
     "InvalidChangeBatch"),
    ("a CNAME at the zone's own name", [("CREATE", plain("example.com", "CNAME", "a.net"))],
     "InvalidChangeBatch"),
    ("a CNAME beside another record", [("CREATE", plain("www.example.com", "CNAME", "a.net"))],
     "InvalidChangeBatch"),
    ("a name of another zone", [("CREATE", plain("www.example.org", "A", "192.0.2.1"))],
     "InvalidChangeBatch"),
    ("an alias to a distribution that does not exist",
     [("CREATE", alias("b.example.com", "d0000000000000.cloudfront.net"))], "InvalidChangeBatch"),
    ("an alias into the wrong zone",
     [("CREATE", alias("b.example.com", "d0.cloudfront.net", HostedZoneId="Z35SXDOTRQ7X7K"))],
     "InvalidChangeBatch"),
    ("neither values nor alias", [("CREATE", {"Name": "b.example.com", "Type": "A"})],
     "InvalidInput"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), [row[1:] for row in REFUSED],
                         ids=[row[0] for row in REFUSED])  # fmt: skip
def test_route_53_refuses_what_contradicts_a_zone(
    cloud: Cloud, changes: list[tuple[str, dict[str, Any]]], code: str
) -> None:
    where = zone(cloud)
    change(cloud, where, ("UPSERT", WWW))
    assert refusal(lambda: change(cloud, where, *changes)) == (code, 400)


def test_a_batch_with_one_wrong_change_changes_nothing(cloud: Cloud) -> None:
    where = zone(cloud)
    good, bad = ("CREATE", WWW), ("DELETE", plain("a.example.com", "A", "192.0.2.1"))
    assert refusal(lambda: change(cloud, where, good, bad))[0] == "InvalidChangeBatch"
    listed = client(cloud, "route53").list_resource_record_sets(HostedZoneId=where)
    assert {each["Type"] for each in listed["ResourceRecordSets"]} == {"NS", "SOA"}


def test_an_alias_to_a_distribution_is_made_and_deleted_by_its_target_alone(cloud: Cloud) -> None:
    where, target = zone(cloud), distribution(cloud)["DomainName"]
    wanted = alias("www.example.com", target)
    assert refusal(
        lambda: change(
            cloud, where, ("CREATE", alias("www.example.com", target, EvaluateTargetHealth=True))
        )
    )
    change(cloud, where, ("CREATE", wanted))
    other = alias("www.example.com", "d0000000000000.cloudfront.net")
    assert refusal(lambda: change(cloud, where, ("DELETE", other)))[0] == "InvalidChangeBatch"
    change(cloud, where, ("DELETE", wanted))


def test_records_and_zones_are_listed_from_a_name_on(cloud: Cloud) -> None:
    where = zone(cloud)
    for other in ("example.net", "a.example.com", "z.example.com"):
        zone(cloud, other)
    change(cloud, where, ("CREATE", plain("*.example.com", "A", "192.0.2.1")), ("CREATE", WWW))
    dns = client(cloud, "route53")
    advance(cloud, 2)  # five calls a second
    listed = dns.list_resource_record_sets(
        HostedZoneId=where, StartRecordName="*.example.com", MaxItems="2"
    )
    names = [each["Name"] for each in listed["ResourceRecordSets"]]
    assert names == ["\\052.example.com.", "www.example.com."]
    found = dns.list_hosted_zones_by_name(DNSName="b.example.com")["HostedZones"]
    assert [each["Name"] for each in found] == ["z.example.com.", "example.net."]


def test_a_change_is_pending_and_answered_nowhere_at_first(cloud: Cloud) -> None:
    dns, where = client(cloud, "route53"), zone(cloud)
    made = change(cloud, where, ("CREATE", WWW))
    assert dns.get_change(Id=made)["ChangeInfo"]["Status"] == "PENDING"
    assert cloud.domains.dns.find("www.example.com", "A") is None
    advance(cloud, 31)
    assert dns.get_change(Id=made)["ChangeInfo"]["Status"] == "INSYNC"
    assert cloud.domains.dns.find("www.example.com", "A") is not None


def test_a_zone_counts_while_its_name_is_served_by_nobody_else(cloud: Cloud) -> None:
    change(cloud, zone(cloud), ("CREATE", WWW))
    advance(cloud, 31)
    cloud.domains.dns.put("example.com", "NS", ["ns1.example.net"])
    assert cloud.domains.dns.find("www.example.com", "A") is None


def test_a_certificate_is_issued_a_while_after_all_its_records_are_answered(cloud: Cloud) -> None:
    arn = request(cloud, "example.com", "www.example.com")
    records = proof(cloud, arn)
    assert len({each["Name"] for each in records}) == 2
    cloud.domains.dns.put(records[0]["Name"], "CNAME", [records[0]["Value"]])
    advance(cloud, 3600)
    assert described(cloud, arn)["Status"] == "PENDING_VALIDATION"
    cloud.domains.dns.put(records[1]["Name"], "CNAME", [records[1]["Value"]])
    assert described(cloud, arn)["Status"] == "PENDING_VALIDATION"
    advance(cloud, 61)
    assert described(cloud, arn)["Status"] == "ISSUED"


def test_its_records_are_told_some_seconds_late_and_are_the_same_for_a_wildcard(
    cloud: Cloud,
) -> None:
    arn = request(cloud, "example.com", "*.example.com")
    told = described(cloud, arn)["DomainValidationOptions"]
    assert not any("ResourceRecord" in each for each in told)
    assert len({each["Name"] for each in proof(cloud, arn)}) == 1


def test_without_its_records_it_times_out_after_three_days(cloud: Cloud) -> None:
    arn = request(cloud, "example.com")
    advance(cloud, 72 * 3600 + 1)
    assert described(cloud, arn)["Status"] == "VALIDATION_TIMED_OUT"


CAA: list[tuple[str, str, list[str], str]] = [
    ("another authority", "example.com", ['0 issue "letsencrypt.org"'], "FAILED"),
    ("Amazon among others", "example.com", ['0 issue "letsencrypt.org"', '0 issue "amazon.com"'],
     "ISSUED"),
    ("only mail", "example.com", ['0 iodef "mailto:a@example.com"'], "ISSUED"),
    ("another authority at the name itself", "www.example.com", ['0 issue "letsencrypt.org"'],
     "FAILED"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "status"), [row[1:] for row in CAA],
                         ids=[row[0] for row in CAA])  # fmt: skip
def test_caa_records_decide_who_may_issue(
    cloud: Cloud, name: str, values: list[str], status: str
) -> None:
    cloud.domains.dns.put(name, "CAA", values)
    arn = request(cloud, "www.example.com")
    prove(cloud, arn)
    advance(cloud, 61)
    found = described(cloud, arn)
    assert found["Status"] == status
    assert found.get("FailureReason") == ("CAA_ERROR" if status == "FAILED" else None)


def test_a_distribution_takes_a_name_with_an_issued_certificate_of_us_east_1_alone(
    cloud: Cloud,
) -> None:
    for wrong in (request(cloud, "www.example.com"),
                  request(cloud, "www.example.com", region="eu-west-1")):  # fmt: skip
        if "eu-west-1" in wrong:
            prove(cloud, wrong)
            advance(cloud, 61)
        said = refusal(lambda arn=wrong: distribution(cloud, "www.example.com", certificate=arn))
        assert said[0] == "InvalidViewerCertificate"
    distribution(cloud, "www.example.com", certificate=issued(cloud, "www.example.com"))


def test_a_certificate_in_use_stays_until_the_edges_have_let_go(cloud: Cloud) -> None:
    arn = issued(cloud, "www.example.com")
    made = distribution(cloud, "www.example.com", certificate=arn)
    acm, edge = client(cloud, "acm"), client(cloud, "cloudfront")
    assert described(cloud, arn)["InUseBy"] == [made["ARN"]]

    def delete() -> Any:
        return acm.delete_certificate(CertificateArn=arn)

    assert refusal(delete)[0] == "ResourceInUseException"
    now = edge.get_distribution_config(Id=made["Id"])
    advance(cloud, 5)
    config = {**now["DistributionConfig"], "Aliases": {"Quantity": 0},
              "ViewerCertificate": {"CloudFrontDefaultCertificate": True}}  # fmt: skip
    edge.update_distribution(Id=made["Id"], IfMatch=now["ETag"], DistributionConfig=config)
    assert refusal(delete)[0] == "ResourceInUseException"
    advance(cloud, 5)
    delete()


def test_who_has_a_name_already_is_told_by_halves(cloud: Cloud) -> None:
    arn = issued(cloud, "*.example.com")
    first = distribution(cloud, "www.example.com", certificate=arn)
    said = refusal(lambda: distribution(cloud, "www.example.com", certificate=arn, reference="2"))
    assert said[0] == "CNAMEAlreadyExists"
    second = distribution(cloud, certificate=arn, reference="2")
    found = client(cloud, "cloudfront").list_conflicting_aliases(
        DistributionId=second["Id"], Alias="www.example.com"
    )["ConflictingAliasesList"]["Items"]
    (told,) = found
    assert told["DistributionId"].startswith("***")
    assert told["DistributionId"][-7:] == first["Id"][-7:]


def test_a_host_is_served_once_dns_leads_to_cloudfront(cloud: Cloud) -> None:
    made = distribution(cloud, "www.example.com", certificate=issued(cloud, "www.example.com"))
    advance(cloud, 5)
    assert cloud.owner("www.example.com") is None
    cloud.domains.dns.put("www.example.com", "CNAME", [made["DomainName"]])
    assert cloud.owner("www.example.com") is not None
