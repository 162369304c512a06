"""Names and certificates: Route 53's records, ACM, and what public name servers answer.

`dns` is asked by CloudFront's edges as well: a host that no record leads to is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runner.local.domains import certificates, changes, dns, zones
from runner.local.domains.certificates import Acm
from runner.local.domains.dns import Dns
from runner.local.domains.zones import Route53
from runner.local.wire import Host, Rule, Service

__all__ = ["NOT_EMULATED", "RULES", "Domains"]

RULES: tuple[Rule, ...] = (*dns.RULES, *zones.RULES, *changes.RULES, *certificates.RULES)
NOT_EMULATED: tuple[str, ...] = (*zones.NOT_EMULATED, *certificates.NOT_EMULATED)


class Domains:
    """A part of the cloud: services, and `dns` for edges and tests."""

    def __init__(self, cloud: Any) -> None:
        self.dns = Dns(
            zones=lambda: list(cloud.moto("route53").zones.values()), now=cloud.clock.now
        )
        self.certificates = Acm(
            clock=cloud.clock,
            ids=cloud.ids,
            dns=self.dns,
            account=cloud.account,
            users=cloud.cloudfront.users_of,
        )
        control = Route53(
            clock=cloud.clock,
            ids=cloud.ids,
            dns=self.dns,
            backend=lambda: cloud.moto("route53"),
            targets=cloud.cloudfront.domains,
        )
        self.services: Sequence[Service] = (self.certificates, control)
        self.hosts: Sequence[Host] = ()

    def leads_to_edge(self, host: str) -> bool:
        """Whether a visitor who looks `host` up finds CloudFront."""
        return self.dns.leads_to(host).endswith(".cloudfront.net")

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The admin API's body: a record in somebody else's DNS; without `values` it goes.

        `{"name": "www.example.com", "type": "CNAME", "values": ["d1.cloudfront.net"]}`; the type
        ALIAS is what other providers have for a domain's own name; NS serves it elsewhere.
        """
        values: Iterable[str] = wanted.get("values", ())
        self.dns.put(wanted["name"], wanted["type"], values)
        return self.inspect()

    def inspect(self) -> dict[str, Any]:
        """What is served elsewhere."""
        return {
            f"{name} {kind}": list(found.values)
            for (name, kind), found in self.dns.elsewhere.items()
        }

    def stop(self) -> None:
        """There is nothing to end."""
