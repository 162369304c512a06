"""CloudFront's part of the inventory. Reads only.

Access controls and policies bear no tags: those that are named exactly as this site's are its. All
sites of the account have the same policies today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.aws import keyvalues, ownership
from runner.aws.edge import items_of
from runner.aws.inventory.found import OURS, each_of, part, thing
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.inventory import Thing, What
from runner.plan.ledger import fixed

NONE: Mapping[str, str] = {}


def distributions(aws: Aws, _: Names) -> Iterator[Thing]:
    """All are asked for their tags: none has a name."""

    def look(found: Any) -> Thing | None:
        tagged = _tags(aws, found["ARN"])
        is_ours = "jam:site" in tagged or found["Comment"].startswith(OURS)
        return thing(What.DISTRIBUTION, found["Id"], tags=tagged) if is_ours else None

    return each_of(items_of(aws.edge.list_distributions, "DistributionList"), look)


def programs(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(found: Any) -> Thing | None:
        tagged = _tags(aws, found["FunctionMetadata"]["FunctionARN"])
        return thing(What.EDGE, found["Name"], tags=tagged)

    listed = items_of(aws.edge.list_functions, "FunctionList", Stage="DEVELOPMENT")
    return each_of((each for each in listed if each["Name"].startswith(OURS)), look)


def stores(aws: Aws, names: Names) -> Iterator[Thing]:
    """The stores, and what this site's says of releases."""
    for each in items_of(aws.edge.list_key_value_stores, "KeyValueStoreList"):
        if not each["Name"].startswith(OURS):
            continue
        found = thing(What.STORE, each["Name"], tags=_tags(aws, each["ARN"]), key=each["ARN"])
        yield found
        if each["Name"] in (names.store, names.previews.store) and found.site == names.site:
            for key in keyvalues.contents(aws, each["ARN"]):
                yield part(What.KEY, key, whole=found)


def accesses(aws: Aws, names: Names) -> Iterator[Thing]:
    mine = {
        access: each
        for each in (names, names.previews)
        for access in (each.files_access, each.entry_access)
    }
    for each in items_of(aws.edge.list_origin_access_controls, "OriginAccessControlList"):
        if each["Name"].startswith(OURS):
            yield _named(What.ACCESS, each["Name"], key=each["Id"], mine=mine)


def policies(aws: Aws, names: Names) -> Iterator[Thing]:
    both = (names, names.previews)
    cache, forward = (
        {name: each for each in both for name in fixed(each)[kind]}
        for kind in (What.CACHE_POLICY, What.FORWARD_POLICY)
    )
    for each in items_of(aws.edge.list_cache_policies, "CachePolicyList", Type="custom"):
        found = each["CachePolicy"]
        name = found["CachePolicyConfig"]["Name"]
        if name.startswith(OURS):
            yield _named(What.CACHE_POLICY, name, key=found["Id"], mine=cache)
    listed = items_of(
        aws.edge.list_origin_request_policies, "OriginRequestPolicyList", Type="custom"
    )
    for each in listed:
        found = each["OriginRequestPolicy"]
        name = found["OriginRequestPolicyConfig"]["Name"]
        if name.startswith(OURS):
            yield _named(What.FORWARD_POLICY, name, key=found["Id"], mine=forward)


def _named(kind: What, name: str, *, key: str, mine: Mapping[str, Names]) -> Thing:
    whose = ownership.tags_of(mine[name]) if name in mine else NONE
    return thing(kind, name, tags=whose, key=key)


def _tags(aws: Aws, arn: str) -> Mapping[str, str]:
    """None where it went while we looked."""
    with tolerating("NoSuchResource"):
        found = aws.edge.list_tags_for_resource(Resource=arn)["Tags"].get("Items", [])
        return ownership.mapped(found)
    return NONE
