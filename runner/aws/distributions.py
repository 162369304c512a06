"""The site's distribution: found, made, changed where it differs, and seen to be everywhere.

A changed distribution takes minutes to reach every point of presence; a deploy waits for that only
before it takes away what an edge may still ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.apply import Known
from runner.aws import delivery, keeper, ownership
from runner.aws.edge import again, items_of
from runner.aws.overlay import overlay
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.foundation import Access, Edge, Policy
from runner.plan.refs import Made, Ref
from runner.plan.streams import Stream

LOOK_EVERY = 2.0  # seconds


def find(aws: Aws, names: Names, *, member: int = 0) -> tuple[str, str] | None:
    """The site's distribution as (id, domain), by its comment and its tags."""
    for each in items_of(aws.edge.list_distributions, "DistributionList"):
        if each["Comment"] != delivery.comment(names, member):
            continue
        with tolerating("NoSuchResource"):  # deleted since it was listed
            tags = aws.edge.list_tags_for_resource(Resource=each["ARN"])["Tags"].get("Items", [])
            if ownership.is_ours(ownership.mapped(tags), names):
                return str(each["Id"]), str(each["DomainName"])
    return None


def make(
    aws: Aws, names: Names, *, known: Known, streams: tuple[Stream, ...] = (), member: int = 0
) -> tuple[str, str]:
    """The distribution as (id, domain); changed only where it differs from what is wanted.

    `member` is its number in the pool of previews.
    """
    key = keeper.key(aws, known[Ref(Made.STORE)])
    parts = parts_of(names, known, key=key, streams=streams)
    wanted = delivery.distribution(names, parts, member=member)
    found = find(aws, names, member=member)
    if found is None:
        return _create_distribution(aws, names, wanted=wanted, member=member)
    again(
        lambda: _correct_distribution(aws, found[0], wanted=wanted), f"the distribution {found[0]}"
    )
    return found


def parts_of(
    names: Names, known: Known, *, key: str, streams: tuple[Stream, ...] = ()
) -> delivery.Parts:
    """What earlier steps made, as the distribution needs it."""
    return delivery.Parts(
        entry_domain=known[Ref(Made.ENTRY_URL)],
        api_id=known[Ref(Made.API)],
        files_access=known[Ref(Made.ACCESS, Access.FILES)],
        entry_access=known[Ref(Made.ACCESS, Access.ENTRY)],
        cache_policy=known[Ref(Made.POLICY, Policy.CACHE)],
        forward_policy=known[Ref(Made.POLICY, Policy.FORWARD)],
        router_arn=known[Ref(Made.EDGE, Edge.ROUTER)],
        response_arn=known[Ref(Made.EDGE, Edge.RESPONSE)],
        key=key,
        stream_arn=known.get(Ref(Made.EDGE, Edge.STREAM), ""),
        streams=tuple(
            delivery.Path(
                route=each.route,
                origin=names.function(each.name),
                domain=known[Ref(Made.STREAM_URL, each.name)],
            )
            for each in streams
        ),
    )


def is_deployed(aws: Aws, distribution: str) -> bool:
    """Whether the newest configuration has reached every point of presence."""
    return aws.edge.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed"


def wait_deployed(aws: Aws, distribution: str, *, budget: float) -> bool:
    """Whether that is so within `budget` seconds."""
    deadline = aws.clock() + budget
    while not is_deployed(aws, distribution):
        if aws.clock() > deadline:
            return False
        aws.sleep(LOOK_EVERY)
    return True


def leave_out(aws: Aws, distribution: str, *, origins: Sequence[str]) -> None:
    """Takes origins out of the distribution, and the paths that lead to them."""

    def change() -> None:
        now = aws.edge.get_distribution_config(Id=distribution)
        actual: Any = now["DistributionConfig"]
        wanted: Any = delivery.without(actual, origins)
        if wanted != actual:
            aws.edge.update_distribution(
                Id=distribution, IfMatch=now["ETag"], DistributionConfig=wanted
            )

    again(change, f"the distribution {distribution}")


def arn_of(names: Names, distribution: str) -> str:
    return f"arn:{names.partition}:cloudfront::{names.account}:distribution/{distribution}"


def _create_distribution(aws: Aws, names: Names, *, wanted: Any, member: int) -> tuple[str, str]:
    """The caller's reference is the site's: a second creation is refused, and ours is found.

    Where nothing is found, the reference was used by a distribution that is gone.
    Source: CloudFront API reference, CreateDistributionWithTags, DistributionAlreadyExists.
    """
    tagged = {"Tags": {"Items": ownership.tag_list(names)}}
    with tolerating("DistributionAlreadyExists"):
        return _created(aws, {"DistributionConfig": wanted, **tagged})
    found = find(aws, names, member=member)
    if found:
        return found
    fresh = {**wanted, "CallerReference": f"{wanted['CallerReference']}-{int(aws.clock())}"}
    return _created(aws, {"DistributionConfig": fresh, **tagged})


def _created(aws: Aws, config: Any) -> tuple[str, str]:
    made = aws.edge.create_distribution_with_tags(DistributionConfigWithTags=config)
    return made["Distribution"]["Id"], made["Distribution"]["DomainName"]


def _correct_distribution(aws: Aws, distribution: str, *, wanted: Any) -> None:
    now = aws.edge.get_distribution_config(Id=distribution)
    actual: Any = now["DistributionConfig"]
    # The reference of an existing distribution cannot be changed. Source: UpdateDistribution.
    fixed = {**wanted, "CallerReference": actual["CallerReference"]}
    merged = overlay(actual, fixed)
    if merged != actual:
        aws.edge.update_distribution(
            Id=distribution, IfMatch=now["ETag"], DistributionConfig=merged
        )
