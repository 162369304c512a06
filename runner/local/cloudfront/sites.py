"""Finds the distribution that serves a host, compiled anew whenever something was written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.checks import items
from runner.local.cloudfront.compiled import compiled
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Distribution

RULES = rule(
    guide("CNAMEs"),
    "a host is the distribution's own domain, an alternate domain name, or covered by a wildcard "
    "one; the most exact wins. Visitors come by an alternate name once DNS leads there",
)


OWN = ".cloudfront.net"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What holds as long as nothing is written (`version`) and nothing gets deployed (`until`)."""

    version: int
    until: float
    hosts: dict[str, Distribution | None]  # None: not deployed yet


class Sites:
    """Safe from several threads."""

    def __init__(self, account: Account, leads: Callable[[str], bool] = lambda _host: True) -> None:
        self._account = account
        self._leads = leads  # whether DNS leads a host to CloudFront
        self._lock = threading.Lock()
        self._reading = _Reading(version=-1, until=0.0, hosts={})

    def owns(self, host: str) -> bool:
        return self._entry(host) is not None

    def names(self) -> Iterable[str]:
        return list(self._current().hosts)

    def find(self, host: str) -> Distribution | None:
        """The distribution as edges serve it now."""
        entry = self._entry(host)
        return self._current().hosts.get(entry) if entry else None

    def _entry(self, host: str) -> str | None:
        entry = _entry(host, self._current().hosts)
        is_own = entry is not None and entry.endswith(OWN)
        return entry if is_own or (entry and self._leads(host)) else None

    def _current(self) -> _Reading:
        reading = self._reading
        if reading.version == self._account.version and self._account.now() < reading.until:
            return reading
        with self._lock:
            self._reading = self._read()
            return self._reading

    def _read(self) -> _Reading:
        version, now = self._account.version, self._account.now()
        hosts: dict[str, Distribution | None] = {}
        until = float("inf")
        for entity in self._account.distributions.items.values():
            if now < entity.body.deployed_at:
                until = min(until, entity.body.deployed_at)
            config = entity.body.served(now)
            site = compiled(entity, config, self._account) if config else None
            hosts[entity.body.domain] = site
            for alias in site.aliases if site else items(entity.body.config["Aliases"]):
                hosts[alias.lower()] = site
        return _Reading(version=version, until=until, hosts=hosts)


def _entry(host: str, hosts: dict[str, Distribution | None]) -> str | None:
    name = host.lower()
    if name in hosts:
        return name
    wildcard = f"*.{name.partition('.')[2]}"
    return wildcard if wildcard in hosts else None
