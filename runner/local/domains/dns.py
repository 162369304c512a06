"""What public name servers answer: the account's public hosted zones, and other people's DNS.

A hosted zone counts unless somebody else's NS records serve its name. Changes in a zone are
answered a while later; what tests put elsewhere at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from runner.local.domains.pages import developer, operation, route53

PROPAGATES = 30.0  # seconds of the cloud's clock until a change is INSYNC
_STEPS = 8  # CNAMEs in a row

RULES = (
    *route53(
        operation("ChangeResourceRecordSets"),
        "a change is PENDING, and answered nowhere, for half a minute; then it is INSYNC",
    ),
    *route53(
        developer("hosted-zone-private-considerations"),
        "nobody outside is answered from a private hosted zone",
    ),
    *route53(
        developer("domain-name-format"),
        "a record *.example.com answers for every name below example.com that has no record of "
        "its own",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The values of one name and type; `alias` says that they are names to be followed."""

    values: tuple[str, ...]
    since: float
    alias: bool = False


@dataclass(kw_only=True)
class Dns:
    """`zones` are moto's hosted zones. Called under the overlay's lock, or for a look alone."""

    zones: Callable[[], Iterable[Any]]
    now: Callable[[], float]
    elsewhere: dict[tuple[str, str], Answer] = field(default_factory=dict)
    shown_at: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def put(self, name: str, kind: str, values: Iterable[str]) -> None:
        """A record in somebody else's DNS; without values it goes."""
        key, listed = (plain(name), kind.upper()), tuple(plain(each) for each in values)
        self.elsewhere.pop(key, None)
        if listed:
            self.elsewhere[key] = Answer(values=listed, since=self.now(), alias=kind == "ALIAS")

    def changed(self, zone: Any, name: str, kind: str) -> None:
        """A record of a zone was written now."""
        self.shown_at[zone.resource_id, plain(name), kind] = self.now() + PROPAGATES

    def find(self, name: str, kind: str) -> Answer | None:
        """What is answered for `name`, its wildcard's record if it has none of its own."""
        for candidate in _covering(plain(name)):
            if self._exists(candidate):
                return self._at(candidate, kind)
        return None

    def leads_to(self, name: str) -> str:
        """The name at the end of CNAMEs and aliases; `name` itself where there is none."""
        found = plain(name)
        for _ in range(_STEPS):
            following = self._next(found)
            if following is None:
                return found
            found = following
        return found

    def forget(self) -> None:
        self.elsewhere.clear()
        self.shown_at.clear()

    def _next(self, name: str) -> str | None:
        for kind in ("CNAME", "ALIAS", "A"):
            found = self.find(name, kind)
            if found and (kind != "A" or found.alias):
                return found.values[0]
        return None

    def _exists(self, name: str) -> bool:
        return any(key[0] == name for key in self.elsewhere) or any(
            _name(each) == name for _, each in self._shown(name)
        )

    def _at(self, name: str, kind: str) -> Answer | None:
        kept = self.elsewhere.get((name, kind))
        if kept:
            return kept
        for zone, each in self._shown(name):
            if _name(each) == name and each.type == kind:
                since = self.shown_at.get((zone.resource_id, name, kind), 0.0)
                target = each.alias_target
                values = (plain(target["DNSName"]),) if target else values_of(each)
                return Answer(values=values, since=since, alias=bool(target))
        return None

    def _shown(self, name: str) -> Iterator[tuple[Any, Any]]:
        """The records of the zone that serves `name`, but for what is not answered yet."""
        zone = self._zone(name)
        for each in zone.rrsets if zone else ():
            key = (zone.resource_id, _name(each), each.type)
            if self.shown_at.get(key, 0.0) <= self.now():
                yield zone, each

    def _zone(self, name: str) -> Any:
        """The public zone with the longest name; of several of one name the first."""
        serving = [
            zone
            for zone in self.zones()
            if not zone.private_zone
            and is_below(name, plain(zone.name))
            and (plain(zone.name), "NS") not in self.elsewhere
        ]
        return max(serving, key=lambda zone: len(zone.name), default=None)


def plain(name: str) -> str:
    """Lower case, without the dot at the end."""
    return name.lower().rstrip(".").replace("\\052", "*")


def is_below(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def values_of(record: Any) -> tuple[str, ...]:
    """moto keeps some as texts, others as the API has them."""
    listed = record.records or ()
    return tuple(plain(each["Value"] if isinstance(each, dict) else each) for each in listed)


def _name(record: Any) -> str:
    return plain(record.name)


def _covering(name: str) -> Iterator[str]:
    yield name
    labels = name.split(".")
    for depth in range(1, len(labels)):
        yield ".".join(("*", *labels[depth:]))
