"""An environment's domain names: what its steps do, and what is still missing and from whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from runner.apply import Known
from runner.aws import aliases, certificates, zones
from runner.aws.certificates import Certificate
from runner.aws.session import Aws
from runner.aws.zones import Record, Zone
from runner.names import Names
from runner.plan.domains import (
    AttachDomains,
    DomainStep,
    DropDomains,
    Hosts,
    MakeCertificate,
    PointDomains,
    ProveDomains,
)
from runner.plan.refs import Made, Ref

# How long a run waits for a certificate whose records it has made itself: minutes are usual, half
# an hour is possible. Source: ACM user guide, "DNS validation".
ISSUE_BUDGET = 300.0  # seconds
LOOK_EVERY = 5.0  # seconds
HERE = "here"  # what `Made.PROOF` says where all records are in this account


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


def performed(aws: Aws, names: Names, *, step: DomainStep, known: Known) -> Known:
    """Carries out one step; what has to wait is left for the next run."""
    match step:
        case MakeCertificate(hosts=hosts):
            return {Ref(Made.CERTIFICATE): certificates.make(aws, names, hosts=hosts)}
        case ProveDomains():
            return {Ref(Made.PROOF): _prove(aws, known[Ref(Made.CERTIFICATE)])}
        case AttachDomains(hosts=hosts):
            _attach(aws, names, hosts=hosts, known=known)
            return {Ref(Made.ALIASES): ""}
        case PointDomains(hosts=hosts):
            point(aws, hosts=hosts, distribution=known[Ref(Made.DISTRIBUTION)])
        case DropDomains(hosts=hosts, gone=gone):
            _drop(aws, names, hosts=hosts, gone=gone, distribution=known[Ref(Made.DISTRIBUTION)])
        case _:
            assert_never(step)
    return {}


def _prove(aws: Aws, arn: str) -> str:
    """Makes the records where it can; `HERE` if that was all of them."""
    stand = [_put(aws, each) for each in proofs_of(certificates.with_proofs(aws, arn))]
    return HERE if all(stand) else ""


def _put(aws: Aws, record: Record) -> bool:
    zone = zones.zone_of(aws, record.name)
    return zone is not None and zones.put(aws, zone, record)


def _attach(aws: Aws, names: Names, *, hosts: Hosts, known: Known) -> None:
    arn = known[Ref(Made.CERTIFICATE)]
    if not _is_issued(aws, arn, budget=ISSUE_BUDGET if known[Ref(Made.PROOF)] == HERE else 0.0):
        return
    aliases.attach(
        aws, names, hosts=hosts, distribution=known[Ref(Made.DISTRIBUTION)], certificate=arn
    )


def _is_issued(aws: Aws, arn: str, *, budget: float) -> bool:
    deadline = aws.clock() + budget
    while True:
        found = certificates.described(aws, arn)
        if found is None or found.status != certificates.PENDING:
            return found is not None and found.is_issued
        if aws.clock() + LOOK_EVERY > deadline:
            return False
        aws.sleep(LOOK_EVERY)


def point(aws: Aws, *, hosts: Hosts, distribution: str) -> None:
    """Leads the names that the distribution has to it, where nothing else has them."""
    domain = domain_of(aws, distribution)
    present = aliases.of(aws, distribution)
    for host in hosts:
        if host in present:
            _put(aws, Record(name=host, target=domain, is_alias=True))


def _drop(aws: Aws, names: Names, *, hosts: Hosts, gone: Hosts, distribution: str) -> None:
    """Records first: nobody is led to what does not answer."""
    domain = domain_of(aws, distribution)
    every = [each for each in certificates.listed(aws) if _is_ours(aws, names, each)]
    for record in (Record(name=host, target=domain, is_alias=True) for host in gone):
        _unput(aws, record)
    aliases.detach(aws, names, gone=gone, distribution=distribution)
    for summary in every:
        if certificates.hosts_of(summary) == frozenset(hosts):
            continue
        found = certificates.described(aws, summary["CertificateArn"])
        for record in unneeded_proofs(aws, found) if found else ():
            _unput(aws, record)
        certificates.delete(aws, summary["CertificateArn"])  # else `gc`, once it is forgotten


def _is_ours(aws: Aws, names: Names, summary: dict[str, str]) -> bool:
    from runner.aws import ownership

    return ownership.is_ours(certificates.tags_of(aws, summary["CertificateArn"]), names)


def _unput(aws: Aws, record: Record) -> None:
    zone = zones.zone_of(aws, record.name)
    if zone:
        zones.drop(aws, zone, record)


def unneeded_proofs(aws: Aws, found: Certificate) -> tuple[Record, ...]:
    """The records of a certificate that no other one of the account needs: a name's is the same in
    all. Source: ACM user guide, "DNS validation"."""
    others = [each for each in certificates.listed(aws) if each["CertificateArn"] != found.arn]
    needed = {host.removeprefix("*.") for each in others for host in certificates.hosts_of(each)}
    return tuple(
        _record_of(each) for each in found.proofs if each.host.removeprefix("*.") not in needed
    )


def proofs_of(found: Certificate) -> tuple[Record, ...]:
    """Each once: a wildcard has the same as the name below it."""
    return tuple(dict.fromkeys(_record_of(each) for each in found.proofs))


def _record_of(proof: certificates.Proof) -> Record:
    return Record(name=proof.record, target=proof.value)


def domain_of(aws: Aws, distribution: str) -> str:
    told = aws.edge.get_distribution(Id=distribution)
    return str(told["Distribution"]["DomainName"]).lower()


def standing(aws: Aws, names: Names, *, hosts: Hosts, distribution: str) -> Standing:
    """Reads how far the names are; changes nothing."""
    mine = certificates.found(aws, names, hosts=hosts)
    lacks: list[Lack] = list(_of_certificate(aws, mine, hosts=hosts))
    issued = bool(mine) and mine[0].is_issued
    present = aliases.of(aws, distribution)
    domain = domain_of(aws, distribution)
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
    unseen = {_record_of(each) for each in found.proofs if not each.is_seen}
    for record in (each for each in proofs_of(found) if each in unseen or found.renewing):
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
