"""Names and certificates: that part of the inventory. Reads only.

Records bear no tags: those are a site's that have the value that it would give them, in zones of
this account. Where a site has neither names nor certificates, no zone is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.aws import certificates as acm
from runner.aws import ownership, zones
from runner.aws.domain_removal import key_of
from runner.aws.domains import unneeded_proofs
from runner.aws.edge import items_of
from runner.aws.inventory.found import thing
from runner.aws.session import Aws
from runner.aws.zones import Record
from runner.names import Names
from runner.plan.inventory import Thing, What


def certificates(aws: Aws, _: Names) -> Iterator[Thing]:
    """Those that bear our tags, whatever their names."""
    for summary in acm.listed(aws):
        tags = acm.tags_of(aws, summary["CertificateArn"])
        if "jam:site" in tags:
            name = ", ".join(sorted(acm.hosts_of(summary)))
            yield thing(What.CERTIFICATE, name, tags=tags, key=summary["CertificateArn"])


def records(aws: Aws, names: Names) -> Iterator[Thing]:
    """What leads to this site's distributions, or proves one of its certificates."""
    mine = [each for each in certificates(aws, names) if each.site == names.site]
    served = list(_distributions(aws, names))
    hosts = {host for each in mine for host in each.name.split(", ")}
    for whole, domain, aliases in served:
        for host in sorted({*hosts, *aliases}):
            record = Record(name=host, target=domain, is_alias=True)
            yield from _there(aws, record, whole, host=host)
    for each in mine:
        found = acm.described(aws, each.key)
        for record in unneeded_proofs(aws, found) if found else ():
            host = (
                next(one.host for one in found.proofs if one.record == record.name) if found else ""
            )
            yield from _there(aws, record, each, host=host)


def _distributions(aws: Aws, names: Names) -> Iterator[tuple[Thing, str, tuple[str, ...]]]:
    """This site's, each with its own domain and the names that it has."""
    for each in items_of(aws.edge.list_distributions, "DistributionList"):
        found = aws.edge.list_tags_for_resource(Resource=each["ARN"])["Tags"].get("Items", [])
        tags = ownership.mapped(found)
        if tags.get("jam:site") == names.site:
            whole = thing(What.DISTRIBUTION, each["Id"], tags=tags)
            yield whole, each["DomainName"].lower(), tuple(each["Aliases"].get("Items", ()))


def _there(aws: Aws, record: Record, whole: Thing, *, host: str) -> Iterator[Thing]:
    """The record, if one of its types is there; `of` is the name that it is for."""
    zone = zones.zone_of(aws, record.name)
    if zone is None:
        return
    there = [one for one in zones.at(aws, zone, record.name) if zones.is_ours(record, one)]
    if there:
        kinds = " ".join(one["Type"] for one in there)
        name = f"{record.name} {kinds}"
        made = replace(whole, kind=What.DNS_RECORD, name=name, key=key_of(zone, record), of=host)
        yield replace(made, kept=False)
