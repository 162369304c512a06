"""Distributions that previews take in turn where the site has no domain for them.

Each preview has a host of its own, so that no cookie and no worker script of one meets another. A
host that was given back rests: edges may know its last preview for up to half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.apply import Known
from runner.aws import distributions, edge
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.names import PREVIEWS, Names
from runner.plan.foundation import Access, Policy, edges_of
from runner.plan.refs import Made, Ref

RESTS = 600  # seconds between two previews
MOST = 20  # distributions of a site; an account has 500. Source: "Quotas on distributions"
_TRIES = 40  # others take what we have just seen free
_PAUSE = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A distribution of the pool: whose it is (empty: free) by which lease, free since when."""

    distribution: str
    domain: str
    environment: str = ""
    lease: int = 0
    free: int = 0


def hosts(aws: Aws, names: Names) -> tuple[Host, ...]:
    """The whole pool."""
    pages = aws.records.get_paginator("query").paginate(
        TableName=names.records,
        ConsistentRead=True,
        KeyConditionExpression="#pk = :pool",
        ExpressionAttributeNames={"#pk": "pk"},
        ExpressionAttributeValues={":pool": {"S": _POOL}},
    )
    return tuple(_host(item) for page in pages for item in page["Items"])


def take(aws: Aws, names: Names, *, known: Known) -> Host:
    """The preview's own host; the longest-rested free one, or a new one.

    Raises JamError `JAM-PREVIEW-POOL` where all are taken.
    """
    for _ in range(_TRIES):
        there = hosts(aws, names)
        mine = next((each for each in there if each.environment == names.environment), None)
        taken = mine or _rested(aws, names, there) or _another(aws, names, there, known=known)
        if taken:
            return taken
        aws.sleep(_PAUSE * (0.5 + aws.chance()))
    raise _full()


def taken_by(aws: Aws, names: Names) -> Host | None:
    """The host that the preview has."""
    there = hosts(aws, names)
    return next((each for each in there if each.environment == names.environment), None)


def give_back(aws: Aws, names: Names) -> None:
    """The preview's host rests from now on."""
    for each in hosts(aws, names):
        if each.environment != names.environment:
            continue
        with tolerating("ConditionalCheckFailedException"):
            aws.records.update_item(
                TableName=names.records,
                Key=_key(each.distribution),
                UpdateExpression="SET #free = :now REMOVE #leased",
                ConditionExpression="#leased = :mine",
                ExpressionAttributeNames={"#free": "free", "#leased": "leased"},
                ExpressionAttributeValues={
                    ":now": {"N": str(int(aws.clock()))},
                    ":mine": {"S": names.environment},
                },
            )


_POOL = "pool"


def _rested(aws: Aws, names: Names, there: tuple[Host, ...]) -> Host | None:
    """One that nobody has, taken; the longest-rested first."""
    until = aws.clock() - RESTS
    free = (each for each in there if not each.environment and each.free <= until)
    for each in sorted(free, key=lambda host: (host.free, host.distribution)):
        with tolerating("ConditionalCheckFailedException"):
            changed = aws.records.update_item(
                TableName=names.records,
                Key=_key(each.distribution),
                UpdateExpression="SET #leased = :mine ADD #lease :one",
                ConditionExpression="attribute_not_exists(#leased)",
                ExpressionAttributeNames={"#leased": "leased", "#lease": "lease"},
                ExpressionAttributeValues={
                    ":mine": {"S": names.environment},
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
            )
            return _host(changed["Attributes"])
    return None


def _another(aws: Aws, names: Names, there: tuple[Host, ...], *, known: Known) -> Host | None:
    """The shared distribution while the pool is empty, later a new one; None if others took it."""
    for member in _members(len(there)):
        made = _made(aws, names, member=member, known=known)
        if made in {(each.distribution, each.domain) for each in there}:
            continue
        host = Host(distribution=made[0], domain=made[1], environment=names.environment, lease=1)
        with tolerating("ConditionalCheckFailedException"):
            aws.records.put_item(
                TableName=names.records,
                Item=_item(host),
                ConditionExpression="attribute_not_exists(#pk)",
                ExpressionAttributeNames={"#pk": "pk"},
            )
            return host
        return None
    raise _full()


def _members(count: int) -> Iterator[int]:
    """Numbers that may be free: the next first, then gaps that somebody's deletion left."""
    yield from (each for each in (count, *range(count)) if each < MOST)


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
        **{Ref(Made.POLICY, it): edge.find_policy(aws, names, policy=it) for it in Policy},
        **{Ref(Made.EDGE, it): edge.find_edge(aws, names, edge=it) for it in edges_of(())},
    }
    return {ref: found for ref, found in looks.items() if found is not None}


def _key(distribution: str) -> Any:
    return {"pk": {"S": _POOL}, "sk": {"S": distribution}}


def _item(host: Host) -> Any:
    return {
        **_key(host.distribution),
        "domain": {"S": host.domain},
        "leased": {"S": host.environment},
        "lease": {"N": str(host.lease)},
    }


def _host(item: Mapping[str, Any]) -> Host:
    return Host(
        distribution=item["sk"]["S"],
        domain=item["domain"]["S"],
        environment=item.get("leased", {}).get("S", ""),
        lease=int(item.get("lease", {}).get("N", "0")),
        free=int(item.get("free", {}).get("N", "0")),
    )


def _full() -> JamError:
    return busy_error(
        "JAM-PREVIEW-POOL",
        f"All {MOST} hosts of the site's previews are taken, or rest for {RESTS // 60} minutes.",
        hint="Close previews that nobody needs, or set `[preview] domain`: with a domain there is "
        "no such limit.",
    )
