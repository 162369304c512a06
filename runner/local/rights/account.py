"""What calls of IAM, S3, CloudFront and API Gateway ask for. Pure but for IAM's roles.

Source: Service Authorization Reference, "Actions, resources, and condition keys", a page a service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, unquote_plus

from runner.local.protocol import ACCOUNT, Incoming
from runner.local.rights.ask import Ask, Asks, passing, tags_in
from runner.local.s3.layer import action_of as s3_action

_PASSING = re.compile(r"(Create|Update)Integration|(Create|Update)Authorizer")
_KINDS = {  # of CloudFront's resources, by the operation's name; functions and stores have names
    "Distribution": "distribution", "CachePolicy": "cache-policy",
    "OriginRequestPolicy": "origin-request-policy", "KeyValueStore": "key-value-store",
    "OriginAccessControl": "origin-access-control", "Function": "function",
}  # fmt: skip
# Roles that an OpenAPI definition hands to API Gateway. Sources: API Gateway developer guide,
# "x-amazon-apigateway-integration object" and "x-amazon-apigateway-authorizer object"; IAM user
# guide, "Grant a user permissions to pass a role to an AWS service".
_CREDENTIALS = re.compile(r'"(?:authorizerC|c)redentials"\s*:\s*"(arn:[^"]+)"')
# What turns a stage's access log on.
# Source: API Gateway developer guide, "Configure logging for HTTP APIs in API Gateway".
_DELIVERY = (
    "CreateLogDelivery", "CreateLogGroup", "DeleteLogDelivery", "DescribeLogGroups",
    "DescribeResourcePolicies", "GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy",
    "UpdateLogDelivery",
)  # fmt: skip
# Creations of a kind that has its ARN before it is there.
_BORN = frozenset({"CreateFunction", "CreateKeyValueStore"})


def iam(role: Callable[[str], Any]) -> Asks:
    """`role` finds moto's role by its name, or None."""

    def asks(incoming: Incoming, _here: str) -> Iterator[Ask]:
        asked, operation = incoming.parameters, incoming.operation
        name, arn = asked.get("RoleName"), asked.get("PolicyArn") or asked.get("PolicySourceArn")
        if not name:
            yield Ask(f"iam:{operation}", arn or "*")
            return
        found = role(name)
        # Of a role that is not there IAM knows no path: AWS names it "role NAME" in its refusal.
        path = found.path if found else asked.get("Path", "/")
        boundary = asked.get("PermissionsBoundary") or (
            getattr(found, "permissions_boundary_arn", None) if found else None
        )
        context = {"iam:PermissionsBoundary": boundary} if boundary else {}
        tags = tags_in(asked)
        resource = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
        yield Ask(f"iam:{operation}", resource, context).given(tags)
        if operation == "CreateRole" and tags:
            yield Ask("iam:TagRole", resource).given(tags)

    return asks


def s3(incoming: Incoming, _here: str) -> Iterator[Ask]:
    """Bodies are files and stay unread, but the list of what goes."""
    labels = dict(incoming.matched[1]) if incoming.matched else {}
    bucket, operation = labels.get("Bucket"), incoming.operation
    if not bucket:
        yield Ask(s3_action(operation))
        return
    arn = f"arn:aws:s3:::{unquote(bucket)}"
    if operation == "DeleteObjects":
        for each in incoming.parameters["Delete"]["Objects"]:
            # The first always, the second of versions. Source: S3 API reference, DeleteObjects.
            yield Ask("s3:DeleteObject", f"{arn}/{each['Key']}")
            if each.get("VersionId"):
                yield Ask("s3:DeleteObjectVersion", f"{arn}/{each['Key']}")
        return
    key = labels.get("Key")
    resource = f"{arn}/{unquote(key)}" if key else arn
    yield Ask(_versioned(s3_action(operation), incoming), resource)
    copied = incoming.request.header("x-amz-copy-source")
    if copied:
        source = unquote_plus(copied.partition("?")[0].removeprefix("/"))
        yield Ask("s3:GetObject", f"arn:aws:s3:::{source}")
    if operation == "CreateBucket" and b"<Tag>" in incoming.request.body:
        yield Ask("s3:TagResource", arn)


_MULTIPART = {"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "UploadPartCopy"}


def _versioned(action: str, incoming: Incoming) -> str:
    if incoming.operation in _MULTIPART:
        return "s3:PutObject"
    is_version = "versionId=" in incoming.request.query
    return f"{action}Version" if is_version and action.endswith("Object") else action


def cloudfront(incoming: Incoming, _here: str) -> Iterator[Ask]:
    asked, operation = incoming.parameters, incoming.operation.removesuffix("WithTags")
    config = asked.get("DistributionConfigWithTags") or asked
    tags, action = tags_in(config), f"cloudfront:{operation}"
    if operation == "CreateDistribution":
        yield Ask(action).given(tags)
    else:
        resource = asked.get("Resource") or _of_kind(operation, asked)
        yield Ask(action, resource).given(tags)
    if operation.startswith("Create") and tags:
        kind = next((value for name, value in _KINDS.items() if name in operation), "distribution")
        yield Ask("cloudfront:TagResource", f"arn:aws:cloudfront::{ACCOUNT}:{kind}/*").given(tags)


def _of_kind(operation: str, asked: Any) -> str:
    name = asked.get("Id") or asked.get("DistributionId") or asked.get("Name")
    kind = next((value for each, value in _KINDS.items() if each in operation), "distribution")
    is_new = operation.startswith("Create") and operation not in _BORN
    whole = not name or is_new or (operation.startswith("List") and not asked.get("DistributionId"))
    return "*" if whole else f"arn:aws:cloudfront::{ACCOUNT}:{kind}/{name}"


def api(incoming: Incoming, here: str) -> Iterator[Ask]:
    """Its actions are HTTP's methods, its resources their paths.

    Source: API Gateway developer guide, "How API Gateway works with IAM".
    """
    asked, region = incoming.parameters, here.partition(":")[0]
    path = unquote(incoming.request.path).removeprefix("/v2")
    found = re.search(r"/apis/([^/]+)", path)
    start = f"arn:aws:apigateway:{region}::"
    whole = f"{start}/apis/{found[1]}" if found else ""
    ask = Ask(f"apigateway:{incoming.request.method}", f"{start}{path}", whole=whole)
    yield ask.given(tags_in(asked))
    if _PASSING.fullmatch(incoming.operation):
        yield from passing(asked.get("CredentialsArn"), "apigateway")
    for role in sorted(set(_CREDENTIALS.findall(str(asked.get("Body") or "")))):
        yield from passing(role, "apigateway")
    if (asked.get("AccessLogSettings") or {}).get("DestinationArn"):
        yield from (Ask(f"logs:{each}") for each in _DELIVERY)
