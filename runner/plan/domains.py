"""Steps that give an environment domain names of its own. Pure.

They do what can be done now; what waits for somebody (a record in another DNS, a name that another
distribution has) is told by whoever looks after them, and the next run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from runner.plan.live import Live
from runner.plan.refs import Made, Ref, Refs

Hosts = tuple[str, ...]
"""Host names, the primary one first; previews have a wildcard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfDomains:
    hosts: Hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeCertificate(_OfDomains):
    """Found, or requested: it is issued once its names are proven."""

    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.CERTIFICATE),)

    def __str__(self) -> str:
        return f"have a certificate for {', '.join(self.hosts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveDomains(_OfDomains):
    """The records that a certificate waits for, where their zone is in this account."""

    needs: ClassVar[Refs] = (Ref(Made.CERTIFICATE),)
    makes: ClassVar[Refs] = (Ref(Made.PROOF),)

    def __str__(self) -> str:
        return f"prove {', '.join(self.hosts)} by DNS"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachDomains(_OfDomains):
    """The names and their certificate in the distribution, once it is issued."""

    needs: ClassVar[Refs] = (Ref(Made.PROOF), Ref(Made.CERTIFICATE), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = (Ref(Made.ALIASES),)

    def __str__(self) -> str:
        return f"serve {', '.join(self.hosts)} by the distribution"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDomains(_OfDomains):
    """The records that lead visitors to the distribution, where their zone is in this account."""

    needs: ClassVar[Refs] = (Ref(Made.ALIASES), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = ()

    def __str__(self) -> str:
        return f"lead {', '.join(self.hosts)} to the distribution"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDomains(_OfDomains):
    """Names that the settings name no more, and certificates that nothing uses.

    `hosts` are those that stay.
    """

    gone: Hosts
    needs: ClassVar[Refs] = (Ref(Made.DISTRIBUTION),)
    makes: ClassVar[Refs] = ()

    def __str__(self) -> str:
        return f"let go of {', '.join(self.gone)}"


DomainStage = MakeCertificate | ProveDomains | AttachDomains | PointDomains
DomainStep = DomainStage | DropDomains


def named(hosts: Hosts, live: Live) -> Iterator[DomainStage]:
    """The steps that make an environment answer under `hosts`; none where it is known to."""
    if not hosts or (live.domains == hosts and live.domains_work):
        return
    yield MakeCertificate(hosts=hosts)
    yield ProveDomains(hosts=hosts)
    yield AttachDomains(hosts=hosts)
    yield PointDomains(hosts=hosts)


def unnamed(hosts: Hosts, live: Live) -> Iterator[DropDomains]:
    """What is left of names that the settings do not have any more."""
    gone = tuple(each for each in live.domains if each not in hosts)
    if gone:
        yield DropDomains(hosts=hosts, gone=gone)
