"""An environment's domain names: what its steps do, and what is still missing and from whom."""

from __future__ import annotations

from typing import assert_never

from runner.apply import Known
from runner.aws import aliases, certificates, zones
from runner.aws.certificates import Certificate
from runner.aws.session import Aws
from runner.aws.zones import Record
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
        record_of(each) for each in found.proofs if each.host.removeprefix("*.") not in needed
    )


def proofs_of(found: Certificate) -> tuple[Record, ...]:
    """Each once: a wildcard has the same as the name below it."""
    return tuple(dict.fromkeys(record_of(each) for each in found.proofs))


def record_of(proof: certificates.Proof) -> Record:
    return Record(name=proof.record, target=proof.value)


def domain_of(aws: Aws, distribution: str) -> str:
    told = aws.edge.get_distribution(Id=distribution)
    return str(told["Distribution"]["DomainName"]).lower()
