"""What the names of a site still lack: looked at, never waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.aws import aliases, certificates, domains, zones
from runner.aws.certificates import Certificate
from runner.aws.session import Aws
from runner.aws.zones import Record, Zone
from runner.names import Names
from runner.plan.domains import Hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that a name still waits for; the `hint` says who does what."""

    message: str
    hint: str
    code: str = ""
    record: Record | None = None  # to be added to a DNS that is not ours

    @property
    def told(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message

    def __str__(self) -> str:
        return f"{self.told}. {self.hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the names are: what they lack, which of them visitors may be led to by now, and for
    which of these the record is somebody else's to make."""

    lacks: tuple[Lack, ...] = ()
    attached: Hosts = ()
    elsewhere: tuple[Record, ...] = ()


def standing(aws: Aws, names: Names, *, hosts: Hosts, distribution: str) -> Standing:
    """Reads how far the names are; changes nothing."""
    mine = certificates.found(aws, names, hosts=hosts)
    lacks: list[Lack] = list(_of_certificate(aws, mine, hosts=hosts))
    issued = bool(mine) and mine[0].is_issued
    present = aliases.of(aws, distribution)
    domain = domains.domain_of(aws, distribution)
    elsewhere: list[Record] = []
    for host in hosts:
        if host not in present:
            lacks += _unattached(aws, host, distribution=distribution) if issued else ()
            continue
        record = Record(name=host, target=domain, is_alias=True)
        zone = zones.zone_of(aws, host)
        if zone is None or zone.twins:
            elsewhere.append(record)
            lacks += [_twins(zone)] if zone else ()
        else:
            lacks += _of_record(aws, zone, record)
    attached = tuple(each for each in hosts if each in present)
    return Standing(lacks=tuple(lacks), attached=attached, elsewhere=tuple(elsewhere))


def _of_certificate(aws: Aws, mine: tuple[Certificate, ...], *, hosts: Hosts) -> Iterator[Lack]:
    if not mine:
        yield Lack(
            message=f"there is no certificate for {', '.join(hosts)}",
            hint="`jam-deploy deploy` requests one.",
        )
        return
    best = mine[0]
    if best.renewing:
        yield Lack(
            message=f"the certificate for {', '.join(hosts)} is not renewed and ends on "
            f"{best.renewing}: its records in DNS are gone",
            hint="`jam-deploy deploy --repair` makes those again that lie in this account.",
        )
    if best.is_issued and not best.renewing:
        return
    yield from (_refused(each) for each in mine if each.reason)
    if best.status in (certificates.PENDING, certificates.ISSUED):
        yield from _unproven(aws, best)


def _refused(found: Certificate) -> Lack:
    hosts = ", ".join(sorted(found.hosts))
    if found.reason == "CAA_ERROR":
        return Lack(
            code="JAM-DOMAIN-CAA",
            message=f"ACM may not issue a certificate for {hosts}: a CAA record "
            "of the domain names other authorities alone",
            hint='Add the record CAA 0 issue "amazon.com" beside it, or delete it; then deploy '
            "again: a new certificate is requested.",
        )
    return Lack(
        message=f"ACM refused the certificate for {hosts}: {found.reason}",
        hint='ACM user guide, "Certificate request fails", says what to do; then deploy again.',
    )


def _unproven(aws: Aws, found: Certificate) -> Iterator[Lack]:
    unseen = {domains.record_of(each) for each in found.proofs if not each.is_seen}
    for record in (each for each in domains.proofs_of(found) if each in unseen or found.renewing):
        zone = zones.zone_of(aws, record.name)
        if zone is None or zone.twins:
            yield _to_add(record, "the certificate waits for a record in another DNS")
            if zone:
                yield _twins(zone)
        elif not zones.missing(record, zones.at(aws, zone, record.name)):
            yield _undelegated(aws, zone)
        else:
            yield from _of_record(aws, zone, record)


def _undelegated(aws: Aws, zone: Zone) -> Lack:
    return Lack(
        message=f"the certificate waits until ACM has seen its records in the zone {zone.name}",
        hint="It takes some minutes, at most half an hour. If it stays so, the registrar of "
        f"{zone.name} does not name this zone's servers: {', '.join(zones.servers(aws, zone))}.",
    )


def _unattached(aws: Aws, host: str, *, distribution: str) -> Iterable[Lack]:
    """Its certificate is issued; somebody else has the name, or names of a person are in the
    way."""
    who = aliases.owner(aws, host, distribution=distribution)
    if who:
        yield Lack(
            code="JAM-DOMAIN-TAKEN",
            message=f"{host} hangs on another distribution: {who}",
            hint="Take it off there and deploy again; or move it without a gap: `aws cloudfront "
            f"associate-alias --alias {host} --target-distribution-id {distribution}`.",
        )
        return
    yield Lack(
        message=f"{host} is not among the names of the distribution {distribution}",
        hint="`jam-deploy deploy` adds it. If it stays so, names that were added there by hand are "
        "not covered by the certificate: list them in `domain` too.",
    )


def _of_record(aws: Aws, zone: Zone, record: Record) -> Iterator[Lack]:
    there = zones.at(aws, zone, record.name)
    rival = zones.in_the_way(record, there)
    kinds = " and ".join(record.kinds)
    if rival:
        yield Lack(
            code="JAM-DOMAIN-RECORD",
            message=f"{record.name} leads elsewhere: the zone {zone.name} has {rival}",
            hint="It is left alone. To bring visitors here, delete it and deploy again, or make it "
            f"an alias ({kinds}) of {record.target} yourself: then nobody misses the site.",
        )
    elif zones.missing(record, there):
        yield Lack(
            message=f"{record.name} has no record ({kinds}) in the zone {zone.name}",
            hint="`jam-deploy deploy` makes it.",
        )


def to_lead(record: Record) -> Lack:
    """What has to be in a DNS that is not ours so that visitors come."""
    return _to_add(record, f"DNS does not lead {record.name} here yet")


def _to_add(record: Record, why: str) -> Lack:
    apex = (
        " A domain's own name cannot have a CNAME: take what your DNS calls ALIAS, ANAME or CNAME "
        "flattening."
    )
    return Lack(
        message=f"{why}: {record}",
        hint="Add it to the DNS of the domain, then deploy again."
        + (apex if record.is_alias and record.name.count(".") == 1 else ""),
        record=record,
    )


def _twins(zone: Zone) -> Lack:
    return Lack(
        message=f"{zone.twins + 1} public hosted zones of this account are named {zone.name}: "
        "nothing was written to either",
        hint="Delete those that the registrar does not name, then deploy again.",
    )
