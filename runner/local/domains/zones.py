"""Route 53: records and changes of hosted zones, by its rules; the zones themselves are moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.route53.models import RecordSet

from runner.local.clock import Clock
from runner.local.domains.changes import Batch
from runner.local.domains.dns import PROPAGATES, Dns, plain
from runner.local.domains.pages import operation, route53
from runner.local.ids import Ids
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *route53(
        operation("ListHostedZonesByName"),
        "zones are listed from a name on, in the order of their labels from the right: what "
        "follows may be another zone",
    ),
    *route53(
        operation("ListResourceRecordSets"),
        "records are listed from a name and type on, in the order of their labels from the right; "
        "* is told as \\052; at most 300 a page",
    ),
    *route53(operation("GetChange"), "an unknown change: NoSuchChange"),
)
NOT_EMULATED = (
    "Route 53: health checks, weights and other routing policies (records are answered by name "
    "and type alone), traffic policies, DNSSEC, TestDNSAnswer; the registrar's delegation, but for "
    "NS records put elsewhere by POST /_jam/dns",
)

_PAGE = 300
_ZONES = 100
# moto's own answers to changes of whole zones.
_AT_ONCE = frozenset({"C1PA6795UKMFR9", "C2682N5HXP0BZ4"})


class Route53:
    """`backend` is moto's; `targets` the domains of the account's distributions."""

    name = "route53"

    def __init__(
        self,
        *,
        clock: Clock,
        ids: Ids,
        dns: Dns,
        backend: Callable[[], Any],
        targets: Callable[[], Iterable[str]],
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._dns = dns
        self._backend = backend
        self._targets = targets
        self._changes: dict[str, float] = {}

    def operations(self) -> Mapping[str, Operation]:
        return {
            "ChangeResourceRecordSets": self._change,
            "GetChange": self._get_change,
            "ListResourceRecordSets": self._records,
            "ListHostedZonesByName": self._zones,
        }

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        self._changes.clear()
        self._dns.forget()

    def _change(self, parameters: Parameters, _call: Call) -> Result:
        zone = self._zone(parameters["HostedZoneId"])
        batch = Batch(zone.name, list(zone.rrsets), targets=frozenset(self._targets()))
        for each in parameters["ChangeBatch"]["Changes"]:
            batch.take(each["Action"], each["ResourceRecordSet"])
        batch.check()
        zone.rrsets = batch.records
        for name, kind in batch.written:
            self._dns.changed(zone, name, kind)
        change = "C" + self._ids.upper(20)
        self._changes[change] = self._clock.now()
        return {"ChangeInfo": self._info(change)}

    def _get_change(self, parameters: Parameters, _call: Call) -> Result:
        change = parameters["Id"].rpartition("/")[2]
        if change not in self._changes and change not in _AT_ONCE:
            raise AwsError(
                "NoSuchChange",
                f"Could not find resource with ID: /change/{change}",
                status=404,
            )
        return {"ChangeInfo": self._info(change)}

    def _info(self, change: str) -> Result:
        submitted = self._changes.get(change, 0.0)
        is_known = self._clock.now() >= submitted + PROPAGATES
        return {
            "Id": f"/change/{change}",
            "Status": "INSYNC" if is_known else "PENDING",
            "SubmittedAt": submitted,
        }

    def _records(self, parameters: Parameters, _call: Call) -> Result:
        zone = self._zone(parameters["HostedZoneId"])
        name, kind = parameters.get("StartRecordName"), parameters.get("StartRecordType", "")
        if kind and not name:
            raise AwsError("InvalidInput", "StartRecordType needs a StartRecordName.")
        begin = (_reversed(plain(name)), kind) if name else ((), "")
        ordered = sorted(zone.rrsets, key=_place)
        left = [each for each in ordered if _place(each) >= begin]
        size = min(int(parameters.get("MaxItems") or _PAGE), _PAGE)
        after = left[size] if size < len(left) else None
        more = {"NextRecordName": _told(after.name), "NextRecordType": after.type} if after else {}
        return {
            "ResourceRecordSets": [_shown(each) for each in left[:size]],
            "IsTruncated": after is not None,
            "MaxItems": str(size),
            **more,
        }

    def _zones(self, parameters: Parameters, _call: Call) -> Result:
        wanted = parameters.get("DNSName") or ""
        begin = (_reversed(plain(wanted)) if wanted else (), parameters.get("HostedZoneId") or "")
        zones = sorted(self._backend().zones.values(), key=_zone_place)
        left = [each for each in zones if _zone_place(each) >= begin]
        size = min(int(parameters.get("MaxItems") or _ZONES), _ZONES)
        after = left[size] if size < len(left) else None
        more = {"NextDNSName": after.name, "NextHostedZoneId": after.resource_id} if after else {}
        return {
            "HostedZones": [_zone_shown(each) for each in left[:size]],
            "IsTruncated": after is not None,
            "MaxItems": str(size),
            **({"DNSName": wanted} if wanted else {}),
            **more,
        }

    def _zone(self, identity: str) -> Any:
        found = self._backend().zones.get(identity.rpartition("/")[2])
        if found is None:
            raise AwsError(
                "NoSuchHostedZone", f"No hosted zone found with ID: {identity}", status=404
            )
        return found


def _reversed(name: str) -> tuple[str, ...]:
    return tuple(reversed(name.split(".")))


def _place(record: RecordSet) -> tuple[tuple[str, ...], str]:
    return _reversed(plain(record.name)), str(record.type)


def _zone_place(zone: Any) -> tuple[tuple[str, ...], str]:
    return _reversed(plain(zone.name)), str(zone.resource_id)


def _told(name: str) -> str:
    return plain(name).replace("*", "\\052") + "."


def _shown(record: RecordSet) -> Result:
    values = [{"Value": each} for each in _texts(record)]
    parts: Iterator[tuple[str, Any]] = iter(
        (
            ("SetIdentifier", record.set_identifier),
            ("Weight", record.weight),
            ("Region", record.region),
            ("TTL", None if record.alias_target else int(record.ttl or 0)),
            ("ResourceRecords", values or None),
            ("AliasTarget", record.alias_target),
        )
    )
    kept = {key: value for key, value in parts if value is not None}
    return {"Name": _told(record.name), "Type": record.type, **kept}


def _texts(record: RecordSet) -> tuple[str, ...]:
    """As they were given."""
    listed: Any = record.records or ()
    return tuple(each["Value"] if isinstance(each, dict) else each for each in listed)


def _zone_shown(zone: Any) -> Result:
    config = {
        "PrivateZone": zone.private_zone,
        **({"Comment": zone.comment} if zone.comment else {}),
    }
    return {
        "Id": zone.id,
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": config,
        "ResourceRecordSetCount": len(zone.rrsets),
    }
