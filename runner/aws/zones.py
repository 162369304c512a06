"""Records of Route 53 for a site's names: only where their zone is in this account.

A record with another value than ours is somebody else's: it is neither changed nor removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.aws.certificates import plain
from runner.aws.refusals import tolerating
from runner.aws.session import Aws

# CloudFront's own zone, of all distributions.
# Source: Route 53 API reference, AliasTarget, HostedZoneId.
CLOUDFRONT = "Z2FDTNDATAQYW2"
# A distribution answers over IPv6 as well.
# Source: Route 53 developer guide, "Routing traffic to an Amazon CloudFront distribution by using
# your domain name".
ALIASES = ("A", "AAAA")
TTL = 300  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A name and what it leads to: a CNAME, or an alias of CloudFront (which a zone's own name can
    be)."""

    name: str
    target: str
    is_alias: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        return ALIASES if self.is_alias else ("CNAME",)

    def __str__(self) -> str:
        return f"CNAME  {self.name}  ->  {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A public hosted zone; `twins` are others of the same name: nobody here knows which one the
    registrar names."""

    id: str
    name: str
    twins: int = 0


def zone_of(aws: Aws, name: str) -> Zone | None:
    """The zone of this account that a name is in: the one with the longest name."""
    labels = name.removeprefix("*.").split(".")
    for depth in range(len(labels) - 1):
        wanted = ".".join(labels[depth:])
        told = aws.dns.list_hosted_zones_by_name(DNSName=wanted, MaxItems="10")["HostedZones"]
        same = [each for each in told if plain(each["Name"]) == wanted and _is_public(each)]
        if same:
            return Zone(id=bare(same[0]["Id"]), name=wanted, twins=len(same) - 1)
    return None


def servers(aws: Aws, zone: Zone) -> tuple[str, ...]:
    """The name servers that the registrar has to name for the zone to count."""
    told = aws.dns.get_hosted_zone(Id=zone.id).get("DelegationSet", {})
    return tuple(plain(each) for each in told.get("NameServers", ()))


def at(aws: Aws, zone: Zone, name: str) -> tuple[Any, ...]:
    """Everything that the zone has under exactly this name."""
    told = aws.dns.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName=name, MaxItems="20"
    )["ResourceRecordSets"]
    return tuple(each for each in told if plain(each["Name"]) == name)


def missing(record: Record, there: tuple[Any, ...]) -> tuple[str, ...]:
    """The types in which it is not there."""
    have = {each["Type"] for each in there if is_ours(record, each)}
    return tuple(kind for kind in record.kinds if kind not in have)


def in_the_way(record: Record, there: tuple[Any, ...]) -> str:
    """What visitors find there now, in words; empty where nothing hinders the record."""
    rivals = [each for each in there if each["Type"] in ("A", "AAAA", "CNAME")]
    others = [each for each in rivals if not is_ours(record, each)]
    return ", ".join(f"{each['Type']} {_value(each)}" for each in others)


def put(aws: Aws, zone: Zone, record: Record) -> bool:
    """Whether the record stands afterwards: made where it is missing and nothing is in its way."""
    there = at(aws, zone, record.name)
    lacking = missing(record, there)
    if not lacking:
        return True
    if in_the_way(record, there) or zone.twins:
        return False
    with tolerating("InvalidChangeBatch"):  # somebody made one meanwhile: the next look tells
        _change(aws, zone, "CREATE", [_form(record, kind) for kind in lacking])
        return True
    return False


def drop(aws: Aws, zone: Zone, record: Record) -> None:
    """Its record sets, where they still have our value."""
    ours = [each for each in at(aws, zone, record.name) if is_ours(record, each)]
    if ours:
        with tolerating("InvalidChangeBatch"):  # somebody changed one meanwhile: it is theirs now
            _change(aws, zone, "DELETE", ours)


def is_ours(record: Record, found: Any) -> bool:
    """By type and value; one among several by weight or place is somebody's own doing."""
    if found["Type"] not in record.kinds or "SetIdentifier" in found:
        return False
    if record.is_alias:
        return plain(found.get("AliasTarget", {}).get("DNSName", "")) == record.target
    return [plain(each["Value"]) for each in found.get("ResourceRecords", ())] == [record.target]


def bare(identity: str) -> str:
    """`Z123` of `/hostedzone/Z123`."""
    return identity.rpartition("/")[2]


def _is_public(zone: Any) -> bool:
    return not zone.get("Config", {}).get("PrivateZone", False)


def _change(aws: Aws, zone: Zone, action: str, sets: list[Any]) -> None:
    aws.dns.change_resource_record_sets(
        HostedZoneId=zone.id,
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": each} for each in sets]},
    )


def _form(record: Record, kind: str) -> Any:
    if not record.is_alias:
        value = {"TTL": TTL, "ResourceRecords": [{"Value": record.target}]}
    else:
        value = {
            "AliasTarget": {
                "HostedZoneId": CLOUDFRONT,
                "DNSName": record.target,
                "EvaluateTargetHealth": False,
            }
        }
    return {"Name": record.name, "Type": kind, **value}


def _value(found: Any) -> str:
    values = (each["Value"].rstrip(".") for each in found.get("ResourceRecords", ()))
    return plain(found.get("AliasTarget", {}).get("DNSName", "")) or " ".join(values)
