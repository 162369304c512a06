"""The KeyValueStore that the router reads: one value says what is live."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from runner.apply import Fence, unfenced
from runner.aws import edge, ownership
from runner.aws.optimism import upon
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import JamError, busy_error
from runner.model import HeaderSet, Routing
from runner.names import Names
from runner.package.manifest import compact, routing_form, routing_text

LIVE = "live"
TOKEN = "token"  # noqa: S105  # a key's name
CHUNK = 50  # keys of one UpdateKeys. Source: CloudFront developer guide, "Quotas", key value stores
BUDGET = 120  # seconds: others write too, and the ETag is the whole store's
READY_BUDGET = 120  # seconds
TURNS = 2  # of a write that names a missing key, before its refusal is for something else


def live_value(release: str, routing: Routing) -> str:
    """The value of `live`: it repeats the release's routing, so that one read is enough."""
    return compact({"v": 1, "live": release, "r": routing_form(routing)})


def routing_keys(
    release: str, routing: Routing, *, header_sets: Iterable[HeaderSet], within: str = ""
) -> dict[str, str]:
    """What a release puts into the store before it can be activated; a preview's `within` it."""
    parts = {
        f"h/{each.ref.partition('.')[0]}.{number}": part
        for each in header_sets
        for number, part in enumerate(each.parts)
    }
    return {**parts, f"r/{within}{release}": routing_text(routing)}


def find(aws: Aws, names: Names) -> str | None:
    """The store's ARN."""
    try:
        return aws.edge.describe_key_value_store(Name=names.store)["KeyValueStore"]["ARN"]
    except aws.edge.exceptions.EntityNotFound:
        return None


def make(aws: Aws, names: Names) -> str:
    """The store, ready to be bound to functions; returns its ARN."""
    if find(aws, names) is None:
        with tolerating("EntityAlreadyExists"):
            aws.edge.create_key_value_store(
                Name=names.store,
                Comment=names.prefix,
                Tags={"Items": ownership.tag_list(names)},
            )

    def probe() -> str | None:
        found = aws.edge.describe_key_value_store(Name=names.store)["KeyValueStore"]
        return found["ARN"] if found["Status"] == "READY" else None

    made = until(
        aws,
        probe,
        budget=READY_BUDGET,
        late=lambda: busy_error(
            "JAM-STORE-BUSY",
            f"The key value store {names.store} was not ready after {READY_BUDGET} s.",
            hint="Run again: it goes on from here.",
        ),
    )
    edge.check_tags(aws, names, arn=made, what=f"The key value store {names.store}")
    return made


def live_release(aws: Aws, store_arn: str) -> str | None:
    """The release that the store names as live."""
    found = get(aws, store_arn, key=LIVE)
    try:
        told = json.loads(found or "{}")
    except ValueError:  # somebody wrote over it
        return None
    return told.get("live") if isinstance(told, dict) else None


def get(aws: Aws, store_arn: str, *, key: str) -> str | None:
    try:
        return aws.values.get_key(KvsARN=store_arn, Key=key)["Value"]
    except aws.values.exceptions.ResourceNotFoundException:
        return None


def revision(aws: Aws, store_arn: str) -> str:
    """The ETag of the whole store: another after each write of any key."""
    return aws.values.describe_key_value_store(KvsARN=store_arn)["ETag"]


def write(
    aws: Aws,
    store_arn: str,
    *,
    puts: Mapping[str, str],
    drops: Iterable[str] = (),
    fence: Fence = unfenced,
    seen: str = "",
) -> str:
    """Sets the keys of `puts`, the last of them with or after all others, and removes those of
    `drops` that there are; the store's ETag afterwards, empty where there was nothing to write.

    The `fence` is asked after the ETag was read: what a newer run writes later makes it stale.
    `seen` is the ETag that somebody read before; where it is stale it is read again.
    """
    wanted = goes = tuple(drops)
    for _ in range(TURNS if wanted else 0):
        try:
            return _change(aws, store_arn, puts=puts, drops=goes, fence=fence, seen=seen)
        except (
            aws.values.exceptions.ResourceNotFoundException,
            aws.values.exceptions.ValidationException,
        ):
            # Which of the two a missing key is refused with no page of AWS's says; others may have
            # brought it back by the time the store is listed.
            there = contents(aws, store_arn)
            goes, seen = tuple(key for key in wanted if key in there), ""
    return _change(aws, store_arn, puts=puts, drops=goes, fence=fence, seen=seen)


def token(aws: Aws, store_arn: str) -> str:
    """The secret by which the router shows a release that nobody is shown; made where missing."""
    return secret(aws, store_arn, key=TOKEN)


def secret(aws: Aws, store_arn: str, *, key: str) -> str:
    """A secret that the store keeps; made where missing.

    Of two runs that make one the second finds the first's: both write upon what they read.
    """
    made = secrets.token_urlsafe(32)

    def probe() -> str | None:
        etag = revision(aws, store_arn)
        if known := _secret(aws, store_arn, key):
            return known
        put: Any = {"Key": key, "Value": compact({"t": made})}
        with tolerating("ConflictException"):  # read back: it may have been somebody's secret
            aws.values.update_keys(KvsARN=store_arn, IfMatch=etag, Puts=[put])
        return None

    known = _secret(aws, store_arn, key)
    return known or until(aws, probe, budget=BUDGET, late=_changing)


def renew_token(aws: Aws, store_arn: str) -> None:
    """Another token: nothing that the former one opened, or signed, is valid any more."""
    write(aws, store_arn, puts={TOKEN: compact({"t": secrets.token_urlsafe(32)})})


def _secret(aws: Aws, store_arn: str, key: str) -> str:
    found = get(aws, store_arn, key=key)
    return str(json.loads(found)["t"]) if found else ""


def drop(aws: Aws, store_arn: str, *, keys: Iterable[str], fence: Fence = unfenced) -> None:
    """Removes those of `keys` that exist; the `fence` as in `write`."""
    write(aws, store_arn, puts={}, drops=keys, fence=fence)


def drop_routing(aws: Aws, store_arn: str, *, api_stage: str) -> None:
    """Removes the routing of every release that names `api_stage`: its functions follow live."""
    found = contents(aws, store_arn)
    routing = {key: json.loads(value) for key, value in found.items() if key.startswith("r/")}
    drop(aws, store_arn, keys=[key for key, each in routing.items() if each.get("s") == api_stage])


def contents(aws: Aws, store_arn: str) -> dict[str, str]:
    """Everything: releases that only changed files share an api_stage, so many keys go at once."""
    pages = aws.values.get_paginator("list_keys").paginate(
        KvsARN=store_arn, PaginationConfig={"PageSize": CHUNK}
    )
    return {each["Key"]: each["Value"] for page in pages for each in page.get("Items", [])}


def _change(
    aws: Aws,
    store_arn: str,
    *,
    puts: Mapping[str, str],
    drops: Iterable[str],
    fence: Fence,
    seen: str = "",
) -> str:
    goes: list[tuple[str, Any]] = [("Deletes", {"Key": key}) for key in drops]
    comes = [("Puts", {"Key": key, "Value": value}) for key, value in puts.items()]
    etag = seen
    for start in range(0, len(goes) + len(comes), CHUNK):
        changes: dict[str, list[Any]] = {}
        for kind, item in (*goes, *comes)[start : start + CHUNK]:
            changes.setdefault(kind, []).append(item)
        etag = _update(aws, store_arn, changes=changes, fence=fence, seen=etag)
    return etag if goes or comes else ""


def _update(
    aws: Aws, store_arn: str, *, changes: Any, fence: Fence = unfenced, seen: str = ""
) -> str:
    """One UpdateKeys: all or nothing, and only upon the store as it was just read; its ETag now.

    Source: CloudFront developer guide, "Work with key value data", UpdateKeys and IfMatch;
    CloudFront KeyValueStore API reference, UpdateKeys, ETag.
    """
    told: list[str] = []

    def attempt(etag: str) -> bool:
        try:
            told.append(aws.values.update_keys(KvsARN=store_arn, IfMatch=etag, **changes)["ETag"])
        except aws.values.exceptions.ConflictException:
            return False  # somebody wrote another key meanwhile
        return True

    def late() -> JamError:
        fence(looks=True)  # a run that slept has lost its turn rather than its patience
        return _changing()

    find = partial(revision, aws, store_arn)
    upon(aws, attempt, find=find, seen=seen, fence=fence, budget=BUDGET, late=late)
    return told[-1]


def _changing() -> JamError:
    return busy_error(
        "JAM-STORE-BUSY",
        f"Others kept changing the key value store for {BUDGET} s.",
        hint="Run again when the other runs are done.",
    )
