"""Hosts that previews take in turn: which one is next, which rest, which may go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RESTS = 600  # seconds between two previews: edges, and browsers, may still know the last one
MOST = 20  # distributions of a site; an account has 500. Source: "Quotas on distributions"
SPARE = 5  # free ones that stay: they cost nothing, and a new one takes minutes to be everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A member of the pool, by its number; the first is what previews share anyway.

    `distribution` is empty while it is being made. Whose it is (empty: free) by which `lease`,
    `free` since when, `retired` since when, in epoch seconds. `lost`: what somebody did by hand.
    """

    member: int
    distribution: str = ""
    domain: str = ""
    environment: str = ""
    lease: int = 0
    free: int = 0
    retired: int = 0
    lost: str = ""

    @property
    def is_free(self) -> bool:
        """Nobody has it, and nobody is told to leave it alone."""
        return not (self.environment or self.retired or self.lost)


def own(hosts: Iterable[Host], environment: str) -> Host | None:
    """The one that a preview has."""
    return next((each for each in hosts if each.environment == environment), None)


def rested(hosts: Iterable[Host], *, now: float) -> list[Host]:
    """Those that may be taken at the epoch second `now`, the longest-rested first."""
    free = [each for each in hosts if each.is_free and _has_rested(each, now=now)]
    return sorted(free, key=lambda each: (each.free, each.member))


def _has_rested(host: Host, *, now: float) -> bool:
    """One that never was a preview's has nothing to forget."""
    return not host.distribution or host.free <= now - RESTS


def numbers(hosts: Iterable[Host]) -> Iterator[int]:
    """Numbers that no member has, lowest first."""
    there = {each.member for each in hosts}
    return (each for each in range(MOST) if each not in there)


def spare(hosts: Iterable[Host], *, now: float) -> list[Host]:
    """What may go: of the free and rested all but `SPARE`, the newest first, never the first."""
    found = [each for each in rested(hosts, now=now) if each.distribution]
    kept = sorted(found, key=lambda each: each.member)[SPARE:]
    return [each for each in reversed(kept) if each.member]


def until_free(hosts: Iterable[Host], *, now: float) -> int | None:
    """Seconds until one has rested; None where none does."""
    waits = [each.free + RESTS - now for each in hosts if each.is_free]
    return max(0, int(min(waits))) if waits else None
