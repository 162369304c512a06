"""CloudFront: who may read the origins, the policies, the programs at the edge.

None of these is waited for longer than the next step needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from runner.aws import delivery, ownership
from runner.aws.overlay import overlay
from runner.aws.refusals import code_of, tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.names import Names
from runner.plan.foundation import Access, Edge, Policy

T = TypeVar("T")
RUNTIME = "cloudfront-js-2.0"  # the only one with key value stores
TRIES = 3  # against somebody who changes the same thing at the same time
_STALE = frozenset({"PreconditionFailed", "InvalidIfMatchVersion"})


def find_access(aws: Aws, names: Names, *, access: Access) -> str | None:
    """The id of an origin access control, by its name, which is unique in the account."""
    listed = items_of(aws.edge.list_origin_access_controls, "OriginAccessControlList")
    name = _access_name(names, access)
    return next((each["Id"] for each in listed if each["Name"] == name), None)


def make_access(aws: Aws, names: Names, *, access: Access) -> str:
    """Returns its id."""
    kind = "s3" if access is Access.FILES else "lambda"
    config: Any = delivery.access(_access_name(names, access), kind)
    found = find_access(aws, names, access=access)
    if found is None:
        with tolerating("OriginAccessControlAlreadyExists"):
            return aws.edge.create_origin_access_control(OriginAccessControlConfig=config)[
                "OriginAccessControl"
            ]["Id"]
        found = _found(find_access(aws, names, access=access), config["Name"])
    again(lambda: _correct_access(aws, found, wanted=config), config["Name"])
    return found


def _correct_access(aws: Aws, access: str, *, wanted: Any) -> None:
    now = aws.edge.get_origin_access_control(Id=access)
    actual: Any = now["OriginAccessControl"]["OriginAccessControlConfig"]
    merged = overlay(actual, wanted)
    if merged != actual:
        aws.edge.update_origin_access_control(
            Id=access, IfMatch=now["ETag"], OriginAccessControlConfig=merged
        )


def find_policy(aws: Aws, *, policy: Policy) -> str | None:
    """The id of a policy of all sites, by its name, which is unique in the account."""
    list_, key, item = {
        Policy.CACHE: (aws.edge.list_cache_policies, "CachePolicyList", "CachePolicy"),
        Policy.FORWARD: (
            aws.edge.list_origin_request_policies,
            "OriginRequestPolicyList",
            "OriginRequestPolicy",
        ),
    }[policy]
    name = _policy_config(policy)["Name"]
    for each in items_of(list_, key, Type="custom"):
        if each[item][f"{item}Config"]["Name"] == name:
            return str(each[item]["Id"])
    return None


def make_policy(aws: Aws, *, policy: Policy) -> str:
    """Returns its id. Another site may have made it, or make it at this moment."""
    config = _policy_config(policy)
    found = find_policy(aws, policy=policy)
    if found is None:
        with tolerating("CachePolicyAlreadyExists", "OriginRequestPolicyAlreadyExists"):
            return _create_policy(aws, policy, config=config)
        found = _found(find_policy(aws, policy=policy), config["Name"])
    correct = _correct_cache if policy is Policy.CACHE else _correct_forward
    again(lambda: correct(aws, found, wanted=config), config["Name"])
    return found


def find_edge(aws: Aws, names: Names, *, edge: Edge) -> str | None:
    """The ARN of a published CloudFront Function."""
    try:
        found = aws.edge.describe_function(Name=_edge_name(names, edge), Stage="LIVE")
    except aws.edge.exceptions.NoSuchFunctionExists:
        return None
    return found["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def drop_edge(aws: Aws, names: Names, *, edge: Edge) -> None:
    """Gone, unless something is still bound to it."""
    name = _edge_name(names, edge)
    with tolerating("NoSuchFunctionExists", "FunctionInUse"):
        etag = aws.edge.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"]
        aws.edge.delete_function(Name=name, IfMatch=etag)


def make_edge(aws: Aws, names: Names, *, edge: Edge, code: str, store_arn: str) -> str:
    """The program, bound to the store and published; returns its ARN."""
    name = _edge_name(names, edge)
    what: Any = {
        "FunctionConfig": {
            "Comment": name,
            "Runtime": RUNTIME,
            "KeyValueStoreAssociations": {
                "Quantity": 1,
                "Items": [{"KeyValueStoreARN": store_arn}],
            },
        },
        "FunctionCode": code.encode(),
    }
    found = _draft(aws, name)
    if found is None:
        with tolerating("FunctionAlreadyExists"):  # our own first attempt
            aws.edge.create_function(Name=name, **what, Tags={"Items": ownership.tag_list(names)})
    else:
        arn = found["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        check_tags(aws, names, arn=arn, what=f"The CloudFront function {name}")
    return again(lambda: _publish(aws, name, what=what), name)


def _draft(aws: Aws, name: str) -> Any:
    with tolerating("NoSuchFunctionExists"):
        return aws.edge.describe_function(Name=name, Stage="DEVELOPMENT")
    return None


def check_tags(aws: Aws, names: Names, *, arn: str, what: str) -> None:
    """Raises JamError `JAM-NOT-OURS` unless it bears this site's tags."""
    tags = aws.edge.list_tags_for_resource(Resource=arn)["Tags"].get("Items", [])
    ownership.check(ownership.mapped(tags), names, what=what)


def again(change: Callable[[], T], what: str) -> T:
    """`change` reads, compares and writes; again where somebody else wrote in between."""
    for _ in range(TRIES):
        try:
            return change()
        except ClientError as error:
            if code_of(error) not in _STALE:
                raise
    raise contested(what)


def contested(what: str) -> JamError:
    return busy_error(
        "JAM-CF-CHANGED",
        f"Somebody else kept changing {what} in CloudFront.",
        hint="Run again when they are done.",
    )


def items_of(list_: Callable[..., Any], key: str, **parameters: Any) -> Iterator[Any]:
    """All pages of one of CloudFront's lists."""
    marker: dict[str, str] = {}
    while True:
        page = list_(**parameters, **marker).get(key, {})
        yield from page.get("Items", [])
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def _access_name(names: Names, access: Access) -> str:
    return names.files_access if access is Access.FILES else names.entry_access


def _edge_name(names: Names, edge: Edge) -> str:
    named = {Edge.ROUTER: names.router, Edge.RESPONSE: names.response, Edge.STREAM: names.stream}
    return named[edge]


def _policy_config(policy: Policy) -> Any:
    return delivery.cache_policy() if policy is Policy.CACHE else delivery.forward_policy()


def _create_policy(aws: Aws, policy: Policy, *, config: Any) -> str:
    if policy is Policy.CACHE:
        return aws.edge.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"]
    made = aws.edge.create_origin_request_policy(OriginRequestPolicyConfig=config)
    return made["OriginRequestPolicy"]["Id"]


def _correct_cache(aws: Aws, policy: str, *, wanted: Any) -> None:
    now = aws.edge.get_cache_policy(Id=policy)
    actual: Any = now["CachePolicy"]["CachePolicyConfig"]
    merged = overlay(actual, wanted)
    if merged != actual:
        aws.edge.update_cache_policy(Id=policy, IfMatch=now["ETag"], CachePolicyConfig=merged)


def _correct_forward(aws: Aws, policy: str, *, wanted: Any) -> None:
    now = aws.edge.get_origin_request_policy(Id=policy)
    actual: Any = now["OriginRequestPolicy"]["OriginRequestPolicyConfig"]
    merged = overlay(actual, wanted)
    if merged != actual:
        aws.edge.update_origin_request_policy(
            Id=policy, IfMatch=now["ETag"], OriginRequestPolicyConfig=merged
        )


def _publish(aws: Aws, name: str, *, what: Any) -> str:
    """Makes DEVELOPMENT what is wanted and LIVE what DEVELOPMENT is; ETags tell them apart.

    Source: CloudFront developer guide, "Update functions" and "Publish functions".
    """
    draft = aws.edge.describe_function(Name=name, Stage="DEVELOPMENT")
    etag = draft["ETag"]
    if not _is_wanted(aws, name, stage="DEVELOPMENT", what=what):
        etag = aws.edge.update_function(Name=name, IfMatch=etag, **what)["ETag"]
    if not _is_wanted(aws, name, stage="LIVE", what=what):
        aws.edge.publish_function(Name=name, IfMatch=etag)
    return draft["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def _is_wanted(aws: Aws, name: str, *, stage: Any, what: Any) -> bool:
    try:
        code = aws.edge.get_function(Name=name, Stage=stage)["FunctionCode"].read()
        summary = aws.edge.describe_function(Name=name, Stage=stage)["FunctionSummary"]
    except aws.edge.exceptions.NoSuchFunctionExists:
        return False
    config = summary["FunctionConfig"]
    is_bound = overlay(config, what["FunctionConfig"]) == config
    return is_bound and bool(code == what["FunctionCode"])


def _found(found: str | None, name: str) -> str:
    if found is None:
        raise contested(name)
    return found
