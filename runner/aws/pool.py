"""Distributions that previews take in turn where the site has no domain for them.

Each preview has a host of its own, so that no cookie and no worker script of one meets another. A
member's number is claimed on record before its distribution is made: of twenty runs at once each
makes its own, and what a killed run made is found again by its number.
"""

from __future__ import annotations

from runner.apply import Known
from runner.aws import distributions, edge, pool_records
from runner.aws.pool_records import give_back, hosts
from runner.aws.session import Aws
from runner.errors import JamError, Problem, Turn
from runner.names import PREVIEWS, Names
from runner.plan.foundation import Access, Policy, edges_of
from runner.plan.hosts import MOST, RESTS, Host, numbers, own, rested, until_free
from runner.plan.refs import Made, Ref

__all__ = ["find", "flaw", "give_back", "hosts", "take", "taken_by"]

_TRIES = 40  # others take what we have just seen free
_PAUSE = 1.0  # seconds


def take(aws: Aws, names: Names, *, known: Known) -> Host:
    """The preview's own host; the longest-rested free one, or a new one.

    Raises JamError `JAM-PREVIEW-POOL` where all are taken.
    """
    for _ in range(_TRIES):
        there = _without_replaced(aws, names, hosts(aws, names), known=known)
        taken = own(there, names.environment) or _free(aws, names, there)
        if taken is None and not any(numbers(there)):
            raise full(there, now=aws.clock())
        whole = taken and _whole(aws, names, taken, known=known)
        if whole:
            return whole
        aws.sleep(_PAUSE * (0.5 + aws.chance()))
    raise full(hosts(aws, names), now=aws.clock())


def taken_by(aws: Aws, names: Names) -> Host | None:
    """The host that the preview has."""
    return own(hosts(aws, names), names.environment)


def flaw(aws: Aws, host: Host) -> str:
    """What somebody did to its distribution by hand: `deleted`, `disabled`; empty if nothing."""
    try:
        found = aws.edge.get_distribution(Id=host.distribution)["Distribution"]
    except aws.edge.exceptions.NoSuchDistribution:
        return "deleted"
    return "" if found["DistributionConfig"]["Enabled"] else "disabled"


def find(aws: Aws, names: Names, host: Host) -> tuple[str, str] | None:
    """The distribution that was made for the number, as (id, domain), if it ever was."""
    return distributions.find(aws, names.previews, member=host.member)


def _without_replaced(
    aws: Aws, names: Names, there: tuple[Host, ...], *, known: Known
) -> tuple[Host, ...]:
    """The first is what previews share, by whatever id: it was made again if it was deleted."""
    shared = known[Ref(Made.DISTRIBUTION)]
    old = [each for each in there if each.lost and not each.member and each.distribution != shared]
    for each in old:
        pool_records.forget(aws, names, each)
    return tuple(each for each in there if each not in old)


def _free(aws: Aws, names: Names, there: tuple[Host, ...]) -> Host | None:
    """The longest-rested that nobody takes first, else the lowest number that is nobody's."""
    for each in rested(there, now=aws.clock()):
        if taken := pool_records.lease(aws, names, each):
            return taken
    for number in numbers(there):
        if claimed := pool_records.claim(aws, names, number):
            return claimed
    return None


def _whole(aws: Aws, names: Names, host: Host, *, known: Known) -> Host | None:
    """With its distribution, which serves; None where somebody took that away by hand."""
    if host.distribution:
        why = flaw(aws, host)
        if why:
            pool_records.lose(aws, names, host, why)
        return None if why else host
    made = _made(aws, names, member=host.member, known=known)
    return pool_records.complete(aws, names, host, made)


def _made(aws: Aws, names: Names, *, member: int, known: Known) -> tuple[str, str]:
    if member == 0:
        return known[Ref(Made.DISTRIBUTION)], known[Ref(Made.DOMAIN, PREVIEWS)]
    return distributions.make(
        aws, names.previews, known={**known, **_shared(aws, names)}, member=member
    )


def _shared(aws: Aws, names: Names) -> Known:
    """What all distributions of the pool are made of: ids that no record keeps."""
    looks: dict[Ref, str | None] = {
        **{Ref(Made.ACCESS, it): edge.find_access(aws, names, access=it) for it in Access},
        **{Ref(Made.POLICY, it): edge.find_policy(aws, policy=it) for it in Policy},
        **{Ref(Made.EDGE, it): edge.find_edge(aws, names, edge=it) for it in edges_of(())},
    }
    return {ref: found for ref, found in looks.items() if found is not None}


def full(there: tuple[Host, ...], *, now: float) -> JamError:
    """When one is free again, and which ones somebody took away by hand."""
    soon = until_free(there, now=now)
    wait = f"One is free again in {soon // 60 + 1} minutes. " if soon is not None else ""
    lost = (each for each in there if each.lost)
    return JamError(
        "JAM-PREVIEW-POOL",
        f"All {MOST} hosts of the site's previews are taken, or rest for {RESTS // 60} minutes.",
        hint=f"{wait}Close previews that nobody needs (`jam-deploy previews` lists them), or set "
        "`[preview] domain`: with a domain there is no such limit.",
        turn=Turn.AGAIN,
        problems=tuple(
            Problem(where=each.distribution, message=f"{each.lost} by hand") for each in lost
        ),
    )
