"""A batch of changes to the records of one hosted zone: all of it or nothing."""

from __future__ import annotations

from typing import Any

from moto.route53.models import RecordSet

from runner.local.domains.dns import is_below, plain
from runner.local.domains.pages import developer, operation, route53
from runner.local.wire import AwsError

RULES = (
    *route53(
        operation("ChangeResourceRecordSets"),
        "a batch is carried out whole or not at all",
        "CREATE of a record that exists, DELETE of one that does not or has other values: "
        "InvalidChangeBatch",
        "a record has either TTL and values, or an alias target: InvalidInput",
    ),
    *route53(
        developer("ResourceRecordTypes"),
        "beside a CNAME a name has no other record, and a zone's own name has none: "
        "InvalidChangeBatch",
    ),
    *route53(
        operation("AliasTarget"),
        "an alias to a distribution has CloudFront's zone Z2FDTNDATAQYW2, a target that exists and "
        "no evaluation of its health: InvalidChangeBatch",
    ),
    *route53(
        developer("SOA-NSrecords"),
        "the NS and SOA records of a zone cannot be deleted: InvalidChangeBatch",
    ),
)

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
_ACTIONS = ("CREATE", "UPSERT", "DELETE")


class Batch:
    """Collects what is wrong; `records` are the zone's afterwards, `written` what was changed."""

    def __init__(self, zone: str, records: list[RecordSet], *, targets: frozenset[str]) -> None:
        self._zone = plain(zone)
        self._targets = targets
        self._wrong: list[str] = []
        self.records = records
        self.written: list[tuple[str, str]] = []

    def take(self, action: str, given: dict[str, Any]) -> None:
        if action not in _ACTIONS:
            raise AwsError("InvalidInput", f"{action} is not one of {', '.join(_ACTIONS)}.")
        _check_form(given)
        name, kind = plain(given["Name"]), given["Type"]
        if not is_below(name, self._zone):
            self._refuse(f"RRSet with DNS name {name}. is not permitted in zone {self._zone}.")
            return
        before = self._find(given)
        if action == "DELETE":
            self._delete(given, before)
            return
        if action == "CREATE" and before:
            self._refuse(
                f"Tried to create resource record set [name='{name}.', type='{kind}'] but it "
                "already exists"
            )
            return
        self._check_place(name, kind)
        self._check_alias(given)
        self._put(given, before)

    def check(self) -> None:
        """Raises InvalidChangeBatch with everything that is wrong."""
        if self._wrong:
            raise AwsError("InvalidChangeBatch", f"[{', '.join(self._wrong)}]")

    def _refuse(self, message: str) -> None:
        self._wrong.append(message)

    def _find(self, given: dict[str, Any]) -> RecordSet | None:
        wanted = (plain(given["Name"]), given["Type"], given.get("SetIdentifier"))
        return next((each for each in self.records if _key(each) == wanted), None)

    def _delete(self, given: dict[str, Any], before: RecordSet | None) -> None:
        name, kind = plain(given["Name"]), given["Type"]
        told = f"Tried to delete resource record set [name='{name}.', type='{kind}']"
        if before is None:
            self._refuse(f"{told} but it was not found")
        elif _content(before) != _content(_made(given)):
            self._refuse(f"{told} but the values provided do not match the current values")
        elif name == self._zone and kind in ("NS", "SOA"):
            self._refuse(
                f"A HostedZone must contain at least one {kind} record for the zone itself."
            )
        else:
            self.records = [each for each in self.records if each is not before]

    def _put(self, given: dict[str, Any], before: RecordSet | None) -> None:
        made = _made(given)
        self.records = [*(each for each in self.records if each is not before), made]
        if before is None or _content(before) != _content(made):
            self.written.append((plain(given["Name"]), given["Type"]))

    def _check_place(self, name: str, kind: str) -> None:
        others = {each.type for each in self.records if plain(each.name) == name} - {kind}
        if kind == "CNAME" and name == self._zone:
            self._refuse(
                f"RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone "
                f"{self._zone}."
            )
        elif kind == "CNAME" and others:
            self._refuse(
                f"RRSet of type CNAME with DNS name {name}. is not permitted as it conflicts with "
                f"other records with the same DNS name in zone {self._zone}."
            )
        elif "CNAME" in others:
            self._refuse(
                f"RRSet of type {kind} with DNS name {name}. is not permitted because a "
                f"conflicting RRSet of type CNAME with the same DNS name already exists in zone "
                f"{self._zone}."
            )

    def _check_alias(self, given: dict[str, Any]) -> None:
        alias = given.get("AliasTarget")
        if not alias:
            return
        target, zone = plain(alias["DNSName"]), alias["HostedZoneId"]
        told = (
            f"Tried to create an alias that targets {target}., type {given['Type']} in zone {zone}"
        )
        is_edge = target.endswith(".cloudfront.net")
        if (zone == CLOUDFRONT_ZONE) != is_edge:
            self._refuse(f"{told}, but the alias target name does not lie within the target zone")
        elif is_edge and (target not in self._targets or given["Type"] not in ("A", "AAAA")):
            self._refuse(f"{told}, but that target was not found")
        elif is_edge and alias.get("EvaluateTargetHealth"):
            self._refuse("EvaluateTargetHealth cannot be set to true for CloudFront")


def _check_form(given: dict[str, Any]) -> None:
    has_values = given.get("TTL") is not None and bool(given.get("ResourceRecords"))
    if has_values == bool(given.get("AliasTarget")):
        raise AwsError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
            "ResourceRecords], or TrafficPolicyInstanceId], but found "
            f"{'more than one' if has_values else 'none'} in Change with [Name={given['Name']}, "
            f"Type={given['Type']}]",
        )


def _made(given: dict[str, Any]) -> RecordSet:
    values = [each["Value"] for each in given.get("ResourceRecords") or ()]
    told = {**given, "Name": f"{plain(given['Name'])}.", "ResourceRecords": values}
    return RecordSet(told)  # type: ignore[abstract]  # moto itself makes it so


def _key(record: RecordSet) -> tuple[str, str, str | None]:
    return plain(record.name), str(record.type), record.set_identifier


def _content(record: RecordSet) -> tuple[Any, ...]:
    """What has to be told again to delete it."""
    listed: Any = record.records or ()
    values = sorted(each["Value"] if isinstance(each, dict) else each for each in listed)
    alias: Any = record.alias_target or {}
    target = (alias.get("HostedZoneId"), plain(alias.get("DNSName", "")))
    healthy = bool(alias.get("EvaluateTargetHealth"))
    return (int(record.ttl or 0), values, target, healthy, record.weight, record.region)
