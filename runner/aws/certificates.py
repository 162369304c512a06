"""Certificates of ACM for domain names: found by tag and names, requested, told, removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist, until
from runner.errors import JamError, busy_error
from runner.names import Names
from runner.plan.inventory import Thing

ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
# ACM knows a certificate's records some seconds after it was requested.
# Source: ACM API reference, RequestCertificate.
TOLD_BUDGET = 60.0  # seconds
# A distribution that is gone is forgotten some minutes later.
# Source: ACM user guide, "Delete certificates managed by AWS Certificate Manager".
IN_USE_BUDGET = 600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The CNAME record that proves one name, and whether ACM has seen it."""

    host: str
    record: str
    value: str
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """As ACM tells it; `renewing` is empty unless a renewal waits for somebody."""

    arn: str
    hosts: frozenset[str]
    status: str
    reason: str = ""
    proofs: tuple[Proof, ...] = ()
    renewing: str = ""

    @property
    def is_issued(self) -> bool:
        return self.status == ISSUED


def found(aws: Aws, names: Names, *, hosts: Iterable[str]) -> tuple[Certificate, ...]:
    """This environment's own for exactly these names, the best first."""
    wanted = frozenset(hosts)
    mine = (
        described(aws, summary["CertificateArn"])
        for summary in listed(aws)
        if hosts_of(summary) == wanted and _is_ours(aws, names, summary["CertificateArn"])
    )
    order = (ISSUED, PENDING)
    there = [each for each in mine if each]
    return tuple(sorted(there, key=lambda it: order.index(it.status) if it.status in order else 9))


def make(aws: Aws, names: Names, *, hosts: tuple[str, ...]) -> str:
    """The ARN of one that is issued, or waits to be.

    A request that failed cannot be sent again: a new one is made beside it, whose failure tells
    what is wrong. Source: ACM user guide, "Certificate request fails".
    """
    mine = found(aws, names, hosts=hosts)
    if mine and mine[0].status in (ISSUED, PENDING):
        return mine[0].arn
    failed = [each.arn for each in mine]
    told = "|".join((*hosts, *failed, names.environment, names.site))
    made = aws.certificates.request_certificate(
        DomainName=hosts[0],
        SubjectAlternativeNames=list(hosts),
        ValidationMethod="DNS",
        IdempotencyToken=hashlib.sha256(told.encode()).hexdigest()[:32],
        Tags=ownership.tag_list(names),
    )
    for each in failed[1:]:
        delete(aws, each)
    return str(made["CertificateArn"])


def with_proofs(aws: Aws, arn: str) -> Certificate:
    """Once ACM tells the records that it wants to see."""

    def probe() -> Certificate | None:
        there = described(aws, arn)
        return there if there and len(there.proofs) == len(there.hosts) else None

    return until(aws, probe, budget=TOLD_BUDGET, late=lambda: _silent(arn))


def described(aws: Aws, arn: str) -> Certificate | None:
    with tolerating("ResourceNotFoundException"):
        told: Any = aws.certificates.describe_certificate(CertificateArn=arn)["Certificate"]
        renewal = told.get("RenewalSummary", {})
        waits = renewal.get("RenewalStatus", "") in ("PENDING_VALIDATION", "FAILED")
        return Certificate(
            arn=arn,
            hosts=frozenset((told["DomainName"], *told.get("SubjectAlternativeNames", ()))),
            status=told["Status"],
            reason=told.get("FailureReason", ""),
            proofs=tuple(_proofs(told.get("DomainValidationOptions", ()))),
            renewing=str(told.get("NotAfter", "")) if waits else "",
        )
    return None


def listed(aws: Aws) -> Iterator[Any]:
    """All of the account that CloudFront can have."""
    for page in aws.certificates.get_paginator("list_certificates").paginate():
        yield from page["CertificateSummaryList"]


def hosts_of(summary: Any) -> frozenset[str]:
    more = summary.get("SubjectAlternativeNameSummaries", ())
    return frozenset((summary["DomainName"], *more))


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    with tolerating("ResourceNotFoundException"):
        told = aws.certificates.list_tags_for_certificate(CertificateArn=arn)
        return ownership.mapped(told.get("Tags", ()))
    return {}


def delete(aws: Aws, arn: str) -> bool:
    """False where something has it still."""
    with tolerating("ResourceInUseException"):
        with tolerating("ResourceNotFoundException"):
            aws.certificates.delete_certificate(CertificateArn=arn)
        return True
    return False


def remove(aws: Aws, _: Names, thing: Thing) -> None:
    """Once its distribution is gone. Source: ACM API reference, DeleteCertificate."""

    def call() -> None:
        with tolerating("ResourceNotFoundException"):
            aws.certificates.delete_certificate(CertificateArn=thing.key)

    insist(
        aws,
        call,
        passes=lambda error: error.response["Error"].get("Code") == "ResourceInUseException",
        late=lambda _error: _used(thing),
        budget=IN_USE_BUDGET,
    )


def _is_ours(aws: Aws, names: Names, arn: str) -> bool:
    return ownership.is_ours(tags_of(aws, arn), names)


def _proofs(options: Iterable[Any]) -> Iterator[Proof]:
    for each in options:
        told = each.get("ResourceRecord")
        if told:
            yield Proof(
                host=each["DomainName"],
                record=plain(told["Name"]),
                value=plain(told["Value"]),
                is_seen=each.get("ValidationStatus") == "SUCCESS",
            )


def plain(name: str) -> str:
    """A name without DNS's last dot, as Route 53 tells a wildcard or as people do."""
    return name.lower().rstrip(".").replace("\\052", "*")


def _silent(arn: str) -> JamError:
    return busy_error(
        "JAM-CERTIFICATE-SILENT",
        f"ACM has not told the records that prove {arn} after {TOLD_BUDGET:.0f} s.",
        hint="Run again: it goes on from here.",
    )


def _used(thing: Thing) -> JamError:
    return busy_error(
        "JAM-DESTROY-BUSY",
        f"The certificate of {thing.name} is in use still: ACM hears some minutes late that a "
        "distribution is gone.",
        hint="Run again: it goes on from here.",
    )
