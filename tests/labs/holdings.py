"""What an account holds of the site, and what of it nothing explains. Reads only.

Foundations are told by their number: a second one of a kind is an orphan, whoever made it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.aws import kept, keyvalues, records, written
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.refs import Made

_KINDS = ("releases", "assets", "~newest.json")  # of objects; the last is one for all releases
NEWEST = 3  # releases that are looked at part by part


@dataclass(frozen=True, slots=True)
class Known:
    """What the records say that there is: of releases that lie ready, and of those begun."""

    ready: dict[str, written.Staged]
    begun: frozenset[str]
    there: written.Environment

    @property
    def releases(self) -> frozenset[str]:
        return frozenset(self.ready) | self.begun


def known(aws: Aws, names: Names, *, remembered: dict[str, written.Staged]) -> Known:
    """As the table has it. What a ready release consists of never changes: it is read once."""
    found = kept.releases(aws, names)
    there = records.read(aws, names, release="")
    ready: dict[str, written.Staged] = {}
    for each in found:
        staged = remembered.get(each.release) or _staged(aws, names, each)
        if staged:
            remembered[each.release] = ready[each.release] = staged
    return Known(
        ready=ready,
        begun=frozenset(each.release for each in found) - frozenset(ready),
        there=there[0] if there else written.Environment(),
    )


def _staged(aws: Aws, names: Names, each: kept.Kept) -> written.Staged | None:
    both = records.read(aws, names, release=each.release) if each.is_ready else None
    return both[1] if both else None


def foundation(aws: Aws) -> Counter[str]:
    """Every resource that a release does not bring, by kind."""
    edge = aws.edge
    listed: dict[str, list[Any]] = {
        "distribution": edge.list_distributions()["DistributionList"].get("Items", []),
        "access": edge.list_origin_access_controls()["OriginAccessControlList"].get("Items", []),
        "cache policy": edge.list_cache_policies(Type="custom")["CachePolicyList"].get("Items", []),
        "request policy": edge.list_origin_request_policies(Type="custom")[
            "OriginRequestPolicyList"
        ].get("Items", []),
        "edge function": edge.list_functions()["FunctionList"].get("Items", []),
        "store": edge.list_key_value_stores()["KeyValueStoreList"].get("Items", []),
        "api": aws.api.get_apis()["Items"],
        "role": aws.roles.list_roles(PathPrefix="/jam/")["Roles"],
        "table": aws.records.list_tables()["TableNames"],
        "function": aws.functions.list_functions()["Functions"],
        "bucket": aws.s3.list_buckets()["Buckets"],
        "alarm": aws.metrics.describe_alarms()["MetricAlarms"],
        "rule": aws.rules.list_rules()["Rules"],
        "application": aws.deployments.list_applications()["applications"],
    }
    return Counter({kind: len(items) for kind, items in listed.items()})


def orphans(aws: Aws, names: Names, told: Known) -> Iterator[str]:
    """What of releases no record explains. What a release begun may have made is explained."""
    yield from _objects(aws, names, told)
    yield from _versions(aws, names, told)
    yield from _stages(aws, told)
    yield from _keys(aws, told)


def losses(aws: Aws, names: Names, told: Known, *, pause: Callable[[], None]) -> Iterator[str]:
    """What is gone of the newest ready releases; a `pause` before each, for AWS's rates."""
    for release, staged in list(told.ready.items())[:NEWEST]:
        pause()
        state = kept.condition(aws, names, release=release, staged=staged, there=told.there)
        yield from (f"{release[:8]}: {each}" for each in state.lost)


def _objects(aws: Aws, names: Names, told: Known) -> Iterator[str]:
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=names.bucket)
    for page in pages:
        for each in page.get("Contents", []):
            _, kind, *rest = each["Key"].split("/")
            if (kind == "releases" and rest[0] not in told.releases) or kind not in _KINDS:
                yield f"object {each['Key']}"


def _versions(aws: Aws, names: Names, told: Known) -> Iterator[str]:
    named = {(names.entry, each.entry) for each in told.ready.values()} | {
        (names.function(name), published.version)
        for each in told.ready.values()
        for name, published in each.functions.items()
    }
    for function in aws.functions.list_functions()["Functions"]:
        name = function["FunctionName"]
        if name in (names.guard, names.keeper, names.acceptor):  # no release brings these
            continue
        found = aws.functions.list_versions_by_function(FunctionName=name, MaxItems=50)
        versions = [each["Version"] for each in found["Versions"]]
        loose = [each for each in versions if each != "$LATEST" and (name, each) not in named]
        if len(loose) > len(told.begun):  # a release brings one version of a function
            yield f"versions {', '.join(loose)} of {name}, of {len(told.begun)} begun releases"


def _stages(aws: Aws, told: Known) -> Iterator[str]:
    named = {each.api_stage for each in told.ready.values()} | {
        stage for stage, _ in told.there.stages
    }
    for api in aws.api.get_apis()["Items"]:
        stages = {each["StageName"] for each in aws.api.get_stages(ApiId=api["ApiId"])["Items"]}
        loose = stages - named
        if len(loose) > len(told.begun):
            yield f"api_stages {', '.join(sorted(loose))}"


def _keys(aws: Aws, told: Known) -> Iterator[str]:
    store = told.there.ids.get(Made.STORE)
    if not store:
        return
    for each in aws.values.list_keys(KvsARN=store, MaxResults=50)["Items"]:
        head, _, release = each["Key"].partition("/")
        if head == "r" and release not in told.releases:
            yield f"key {each['Key']}"
    live = json.loads(keyvalues.get(aws, store, key=keyvalues.LIVE) or "{}")
    if live.get("live") != told.there.release:
        yield f"the store has {live.get('live')} live, the record {told.there.release}"
