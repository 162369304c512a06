"""Reads all records of a site's previews, and the manifests of their releases. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.aws import ledger, tables, written
from runner.aws.holders import holder_of
from runner.aws.pool_records import host_of
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.names import PREVIEW, PREVIEWS, Names
from runner.plan.previewed import Previewed, Tenant
from runner.together import at_once

LOOKS = 16  # at once
Item = Mapping[str, Any]


def exists(aws: Aws, names: Names) -> bool:
    """Whether anything was ever recorded of the site's previews."""
    with explained():
        return tables.find(aws, names.previews.records) is not None


def read(aws: Aws, names: Names) -> Previewed:
    """Everything on record; empty where there is none."""
    shared = names.previews
    pages = aws.records.get_paginator("scan").paginate(
        TableName=shared.records, ConsistentRead=True
    )
    with explained(), tolerating("ResourceNotFoundException"):
        items = [item for page in pages for item in page["Items"]]
        return _previewed(aws, names, items)
    return Previewed()


def _previewed(aws: Aws, names: Names, items: list[Any]) -> Previewed:
    of: dict[str, list[Item]] = {}
    for item in items:
        of.setdefault(item["pk"]["S"].removeprefix("environment#"), []).append(item)
    shared = {each["sk"]["S"]: written.plain(each) for each in of.get(PREVIEWS, ())}
    record = shared.get("environment", {})
    releases = [written.plain(each) for each in items if each["sk"]["S"] == "release"]
    with at_once(LOOKS) as workers:
        known = [(each, of[each]) for each in of if PREVIEW.fullmatch(each)]
        tenants = workers.map(lambda it: _tenant(aws, names, it[0], it[1]), known)
        found = {each.environment: each for each in tenants}
    return Previewed(
        exists=True,
        destroying="destroy" in shared and not record,
        ids=frozenset(record[key] for key in ("distribution", "api") if key in record),
        domains=frozenset(record.get("domains", ())),
        releases=frozenset(each["pk"].partition("#")[2] for each in releases),
        entries=frozenset(each["entry"] for each in (*releases, record) if "entry" in each),
        tenants=found,
        hosts=tuple(host_of(each) for each in of.get("pool", ())),
    )


def _tenant(aws: Aws, names: Names, environment: str, items: Iterable[Item]) -> Tenant:
    there = {each["sk"]["S"]: each for each in items}
    record = written.plain(dict(there.get("environment", {})))
    holder = holder_of(there.get("lease", {}))
    of_it = [written.plain(dict(it)) for sk, it in there.items() if sk.startswith("release#")]
    mine = names.preview(int(environment.removeprefix("pr-")))
    manifests = [ledger.manifest(aws, mine, each["sk"].partition("#")[2]) for each in of_it]
    owns = (name.partition(" ") for each in of_it for name in each.get("makes", ()))
    return Tenant(
        environment=environment,
        host=record.get("domain", ""),
        closed=0 if record.get("release") else int(record.get("closed", 0)),
        releases=frozenset(each["sk"].partition("#")[2] for each in of_it),
        owns=frozenset(name for kind, _, name in owns if kind in ("function", "table")),
        versions=frozenset(
            (mine.function(name), it["version"])
            for each in of_it
            for name, it in each.get("functions", {}).items()
        ),
        header_sets=frozenset(it for each in manifests if each for it in ledger.digests(each)),
        is_whole=all(each.get("state") == written.READY for each in of_it)
        and None not in manifests,
        at_it=bool(holder and holder.expires > aws.clock()),
    )
