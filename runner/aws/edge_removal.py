"""Removes what a site has at CloudFront. What is gone already is fine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from runner.aws import distributions
from runner.aws.edge import again, items_of
from runner.aws.refusals import code_of, explain, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist
from runner.errors import JamError, busy_error
from runner.names import Names
from runner.plan.inventory import Thing, What

# Minutes are usual. Source: CloudFront developer guide, "Delete a distribution".
EDGES_BUDGET = 1800.0  # seconds
IN_USE_BUDGET = 120.0  # seconds until CloudFront forgets that a deleted thing used another


def distribution(aws: Aws, _: Names, thing: Thing) -> None:
    """Disabled, known everywhere, deleted. Source: CloudFront developer guide, "Delete a
    distribution"."""
    with tolerating("NoSuchDistribution"):
        disable(aws, thing.key)
        if not distributions.wait_deployed(aws, thing.key, budget=EDGES_BUDGET):
            raise _slow(thing)

        def delete() -> None:
            etag = aws.edge.get_distribution_config(Id=thing.key)["ETag"]
            aws.edge.delete_distribution(Id=thing.key, IfMatch=etag)

        again(delete, f"the distribution {thing.key}")


def disable(aws: Aws, distribution: str) -> None:
    """It answers nobody any more, once every edge knows."""

    def change() -> None:
        now = aws.edge.get_distribution_config(Id=distribution)
        config: Any = now["DistributionConfig"]
        if config["Enabled"]:
            off: Any = {**config, "Enabled": False}
            aws.edge.update_distribution(
                Id=distribution, IfMatch=now["ETag"], DistributionConfig=off
            )

    again(change, f"the distribution {distribution}")


def program(aws: Aws, _: Names, thing: Thing) -> None:
    _released(
        aws,
        ("NoSuchFunctionExists", "FunctionInUse"),
        lambda: aws.edge.delete_function(
            Name=thing.key,
            IfMatch=aws.edge.describe_function(Name=thing.key, Stage="DEVELOPMENT")["ETag"],
        ),
    )


def store(aws: Aws, _: Names, thing: Thing) -> None:
    _released(
        aws,
        ("EntityNotFound", "CannotDeleteEntityWhileInUse"),
        lambda: aws.edge.delete_key_value_store(
            Name=thing.name,
            IfMatch=aws.edge.describe_key_value_store(Name=thing.name)["ETag"],
        ),
    )


def access(aws: Aws, _: Names, thing: Thing) -> None:
    _released(
        aws,
        ("NoSuchOriginAccessControl", "OriginAccessControlInUse"),
        lambda: aws.edge.delete_origin_access_control(
            Id=thing.key, IfMatch=aws.edge.get_origin_access_control(Id=thing.key)["ETag"]
        ),
    )


def cache_policy(aws: Aws, _: Names, thing: Thing) -> None:
    _released(
        aws,
        ("NoSuchCachePolicy", "CachePolicyInUse"),
        lambda: aws.edge.delete_cache_policy(
            Id=thing.key, IfMatch=aws.edge.get_cache_policy(Id=thing.key)["ETag"]
        ),
    )


def forward_policy(aws: Aws, _: Names, thing: Thing) -> None:
    _released(
        aws,
        ("NoSuchOriginRequestPolicy", "OriginRequestPolicyInUse"),
        lambda: aws.edge.delete_origin_request_policy(
            Id=thing.key, IfMatch=aws.edge.get_origin_request_policy(Id=thing.key)["ETag"]
        ),
    )


def unused_policies(aws: Aws, names: Names, policies: Collection[Thing]) -> Iterator[str]:
    """These go, unless a distribution uses them, of whatever site; says which went.

    A first deploy may lose those of all sites in the moment before it makes its distribution: it
    ends with CloudFront's refusal, and the next makes them.
    """
    removers = {What.CACHE_POLICY: cache_policy, What.FORWARD_POLICY: forward_policy}
    there = list(items_of(aws.edge.list_distributions, "DistributionList")) if policies else []
    used = {each for config in there for each in _used(config)}
    # One that is not known everywhere may have another policy at some edges.
    is_settled = all(each["Status"] == "Deployed" for each in there)
    for thing in policies:
        if is_settled and thing.key not in used:
            removers[thing.kind](aws, names, thing)
            yield f"{thing.kind} {thing.name}"


def _used(config: Mapping[str, Any]) -> Iterator[str]:
    """The ids of all policies that a distribution's behaviours have."""
    for each in (config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", ())):
        yield from (each[key] for key in ("CachePolicyId", "OriginRequestPolicyId") if key in each)


def _released(aws: Aws, codes: tuple[str, str], delete: Callable[[], object]) -> None:
    """What used it is gone; CloudFront may take a moment to know that everywhere.

    `codes` are those of what does not exist, which is fine, and of what is in use.
    """
    missing, in_use = codes
    with tolerating(missing):
        insist(
            aws,
            delete,
            passes=lambda error: code_of(error) == in_use,
            late=explain,
            budget=IN_USE_BUDGET,
        )


def _slow(thing: Thing) -> JamError:
    return busy_error(
        "JAM-CF-PROPAGATING",
        f"The distribution {thing.name} is switched off, but not everywhere after "
        f"{EDGES_BUDGET:.0f} s.",
        hint="Run again later: it goes on from here.",
    )
