"""The embedded CloudFront: a control plane with a store of its own, and edges that really serve.

`CloudFront(cloud)` is the part that the cloud puts together; `RULES` are AWS's rules that it keeps,
`NOT_EMULATED` is what it has not.
"""

from __future__ import annotations

from typing import Any

from runner.local.cloudfront import (
    access,
    admission,
    cache,
    checks,
    chosen,
    compiled,
    compression,
    conflicts,
    defaults,
    distributions,
    edge,
    entities,
    events,
    flowing,
    forward,
    freshness,
    functions,
    invalidations,
    keyvalues,
    lookup,
    origin,
    origin_checks,
    policies,
    quantities,
    ranges,
    response_headers,
    s3origin,
    sites,
    stores,
    tags,
    unsupported,
    values,
    visit,
)
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.edge import Edge
from runner.local.cloudfront.keyvalues import KeyValues
from runner.local.cloudfront.log import EdgeLog
from runner.local.cloudfront.origin import Origins, OriginUnreachableError
from runner.local.cloudfront.s3origin import Bucket
from runner.local.cloudfront.service import ControlPlane
from runner.local.cloudfront.settings import Propagation, Settings
from runner.local.wire import Host, Rule, Service

__all__ = [
    "NOT_EMULATED",
    "RULES",
    "CloudFront",
    "OriginUnreachableError",
    "Propagation",
    "Settings",
]

RULES: tuple[Rule, ...] = tuple(
    found
    for module in (
        entities, quantities, defaults, checks, origin_checks, distributions, access, policies,
        functions, stores, keyvalues, invalidations, tags, values, sites, admission, compiled,
        events, chosen, visit, forward, freshness, cache, lookup, origin, s3origin, ranges,
        conflicts, compression, flowing, edge, response_headers,
    )
    for found in module.RULES
)  # fmt: skip

NOT_EMULATED: tuple[str, ...] = (
    *unsupported.NOT_EMULATED,
    "operations: TestFunction, CopyDistribution, AssociateAlias, lists by policy or key group, "
    "monitoring subscriptions, public keys, and everything else that is not in the table: 501",
    "several edge locations and regional caches: there is one cache, so one POP",
    "the minutes that a new configuration takes to reach all edges: it arrives at all at once",
    "stored ranges: a range of an object that is not in the cache goes to the origin and is not "
    "stored",
    "several ranges in one request: the whole object",
    "stale-while-revalidate and stale-if-error; an expired object outlives a 5xx for "
    "ErrorCachingMinTTL as AWS says",
    "Vary other than Accept-Encoding",
    "writes (PUT, POST, DELETE) through an S3 origin: 403",
    "TLS, HTTP/2, HTTP/3, IPv6, WebSockets",
    "originOverrides in createRequestOriginGroup: 502",
    "origin timeouts pass in real seconds, not on the cloud's clock: functions are real processes",
    "logs of distributions and functions, metrics of functions; limits on the headers of responses",
)


class CloudFront:
    """CloudFront as a part of the cloud: services, host, and knobs for tests.

    `settings` are delays and propagation, `edge` has `log` and `lookup.cache`.
    """

    def __init__(self, cloud: Any) -> None:
        self.settings = Settings()
        self._account = Account(
            number=cloud.account, clock=cloud.clock, ids=cloud.ids, settings=self.settings
        )
        # The overlay is made after its parts, and objects must not be read half-written.
        bucket = Bucket(lambda: cloud.moto("s3"), lambda: cloud.overlay.lock)
        log = EdgeLog()
        origins = Origins(send=cloud.send, bucket=bucket, log=log)
        self.edge = Edge(
            self._account,
            origins,
            log,
            counted=cloud.cloudwatch.edge_request,
            leads=lambda host: cloud.domains.leads_to_edge(host),  # noqa: PLW0108 -- made after this
        )
        control = ControlPlane(
            self._account,
            lambda arn: cloud.domains.certificates.covered(arn),  # noqa: PLW0108 -- made after this
            forget=self.edge.reset,
        )
        self.services: tuple[Service, ...] = (control, KeyValues(self._account))
        self.hosts: tuple[Host, ...] = (self.edge,)

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The admin API's body: `Settings.change`, plus `{"forget": true}` to empty the cache."""
        if wanted.pop("forget", False):
            self.edge.reset()
        return self.settings.change(wanted)

    def inspect(self) -> dict[str, Any]:
        """For the admin API: counts by distribution, number of stored objects."""
        return {"distributions": self.edge.log.shown(), "stored": len(self.edge.lookup.cache)}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Tags by ARN, for a tagging service that looks across services."""
        return {arn: dict(tags) for arn, tags in self._account.tags.items()}

    def domains(self) -> frozenset[str]:
        """The distributions' own."""
        return frozenset(each.body.domain for each in self._account.distributions.items.values())

    def users_of(self, certificate: str) -> tuple[str, ...]:
        """The ARNs of distributions that have a certificate, or whose edges still do."""
        now = self._account.now()
        return tuple(
            each.arn
            for each in self._account.distributions.items.values()
            for config in (each.body.config, each.body.served(now))
            if config and config["ViewerCertificate"].get("ACMCertificateArn") == certificate
        )

    def stop(self) -> None:
        self.edge.close()
