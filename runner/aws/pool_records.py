"""What is recorded of the pool of previews' hosts: a claim on a number, then what it is.

Each write is conditional on what was read: of two runs that want the same host one gets it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.aws import fenced
from runner.aws.leases import Lease
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.hosts import Host

_POOL = "pool"
_REFUSED = "ConditionalCheckFailedException"
_MINE = "#leased = :mine"
_FREE = "attribute_not_exists(#leased) AND attribute_not_exists(#retired)"
_SAME = "#distribution = :it"


def hosts(aws: Aws, names: Names) -> tuple[Host, ...]:
    """The whole pool, by number; empty where there is no table."""
    pages = aws.records.get_paginator("query").paginate(
        TableName=names.records,
        ConsistentRead=True,
        KeyConditionExpression="#pk = :pool",
        ExpressionAttributeNames={"#pk": "pk"},
        ExpressionAttributeValues={":pool": {"S": _POOL}},
    )
    with tolerating("ResourceNotFoundException"):
        return tuple(host_of(item) for page in pages for item in page["Items"])
    return ()


def claim(aws: Aws, names: Names, number: int) -> Host | None:
    """The number for this preview; None where somebody else has it."""
    host = Host(member=number, environment=names.environment, lease=1)
    item = {**_key(number), "leased": {"S": host.environment}, "lease": {"N": "1"}}
    with tolerating(_REFUSED):
        aws.records.put_item(
            TableName=names.records,
            Item=item,
            ConditionExpression="attribute_not_exists(#pk)",
            ExpressionAttributeNames={"#pk": "pk"},
        )
        return host
    return None


def lease(aws: Aws, names: Names, host: Host) -> Host | None:
    """A free one for this preview; None where somebody was first."""
    change = "SET #leased = :mine ADD #lease :one"
    when = f"attribute_exists(#pk) AND {_FREE}"
    return _change(aws, names, host, change, when=when, mine=names.environment, one=1)


def complete(aws: Aws, names: Names, host: Host, made: tuple[str, str]) -> Host | None:
    """Its distribution and domain, on record; None where it is claimed otherwise by now."""
    change = "SET #distribution = :it, #domain = :domain"
    values = {"it": made[0], "domain": made[1]}
    if not host.environment:
        return _change(
            aws, names, host, change, when=f"attribute_exists(#pk) AND {_FREE}", **values
        )
    return _change(aws, names, host, change, when=_MINE, mine=host.environment, **values)


def give_back(aws: Aws, names: Names, *, lease: Lease | None, host: str = "") -> bool:
    """Whether the preview had a host, which rests from now on; with `host` that one alone.

    Under the preview's `lease`: who reopens it finds the host with it, or free.
    """
    every = (each for each in hosts(aws, names) if each.environment == names.environment)
    mine = [each for each in every if host in ("", each.domain)]
    change, values = "SET #free = :now REMOVE #leased", {"mine": names.environment}
    for each in mine:
        put = _call(names, each, change, when=_MINE, now=int(aws.clock()), **values)
        fenced.write(aws, [{"Update": put}], lease=lease)
    return bool(mine)


def retire(aws: Aws, names: Names, host: Host) -> bool:
    """Whether nobody has it: from here on nobody gets it."""
    change, now = "SET #retired = :now", int(aws.clock())
    return _change(aws, names, host, change, when=_FREE, now=now) is not None


def lose(aws: Aws, names: Names, host: Host, why: str) -> None:
    """No preview gets this host: one whose distribution is gone frees its number as well.

    The first's is what previews share, which a deploy makes again.
    """
    if why == "deleted" and host.member:
        forget(aws, names, host)
        return
    change, it = "SET #lost = :why REMOVE #leased", host.distribution
    _change(aws, names, host, change, when=_SAME, why=why, it=it)


def find_again(aws: Aws, names: Names, host: Host) -> None:
    """Its distribution serves again."""
    _change(aws, names, host, "REMOVE #lost", when=_SAME, it=host.distribution)


def forget(aws: Aws, names: Names, host: Host) -> None:
    """Its number is free again; nothing where it means another distribution by now."""
    values: Any = {":it": {"S": host.distribution}} if host.distribution else None
    with tolerating(_REFUSED):
        aws.records.delete_item(
            TableName=names.records,
            Key=_key(host.member),
            ConditionExpression=_SAME if values else "attribute_not_exists(#distribution)",
            ExpressionAttributeNames={"#distribution": "distribution"},
            **({"ExpressionAttributeValues": values} if values else {}),
        )


def host_of(item: Mapping[str, Any]) -> Host:
    """A member as DynamoDB has it."""
    texts: Any = {key: item.get(key, {}).get("S", "") for key in ("distribution", "domain", "lost")}
    moments: Any = {key: int(item.get(key, {}).get("N", "0")) for key in ("lease", "free")}
    known = Host(
        member=int(item["sk"]["S"]),
        environment=item.get("leased", {}).get("S", ""),
        retired=int(item.get("retired", {}).get("N", "0")),
    )
    return replace(known, **texts, **moments)


def _change(
    aws: Aws, names: Names, host: Host, change: str, *, when: str, **values: str | int
) -> Host | None:
    """The member as it is after it; None where the condition `when` does not hold."""
    call = _call(names, host, change, when=when, **values)
    with tolerating(_REFUSED):
        answer = aws.records.update_item(**call, ReturnValues="ALL_NEW")
        return host_of(answer["Attributes"])
    return None


def _call(names: Names, host: Host, change: str, *, when: str, **values: str | int) -> Any:
    given = {f":{name}": _typed(value) for name, value in values.items()}
    return {
        "TableName": names.records,
        "Key": _key(host.member),
        "UpdateExpression": change,
        "ConditionExpression": when,
        "ExpressionAttributeNames": {
            f"#{name}": name for name in re.findall(r"#(\w+)", f"{change} {when}")
        },
        **({"ExpressionAttributeValues": given} if given else {}),
    }


def _typed(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _key(member: int) -> Any:
    return {"pk": {"S": _POOL}, "sk": {"S": f"{member:02d}"}}
