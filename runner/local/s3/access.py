"""Who may do what with a bucket: its policy, its public access block, its owner, its name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runner.local import policy, policy_syntax
from runner.local.policy import ANONYMOUS, Decision
from runner.local.wire import AwsError, Rule

_BLOCKED = "The bucket policy is public and BlockPublicPolicy refuses it."
# Conditions that tie a public principal to someone in particular.
# Source: S3 user guide, "Blocking public access": the meaning of "public".
_NARROWING = frozenset({
    "aws:sourceaccount", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner",
    "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:sourceip",
    "aws:userid", "aws:sourceorgid", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
})  # fmt: skip


def denied(action: str = "", resource: str = "") -> AwsError:
    what = f" {action} on {resource}" if action else ""
    return AwsError("AccessDenied", f"Access Denied{what}", status=403)


def decide(
    document: str | bytes | None,
    *,
    principal: str,
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
) -> Decision:
    """What the bucket's policy says; the loopback interface counts as secure transport."""
    if not document:
        return Decision.NEITHER
    return policy.decide(
        document,
        principal=principal,
        action=action,
        resource=resource,
        context={"aws:SecureTransport": "true"} | dict(context or {}),
    )


def check_policy(text: str, *, bucket: str, blocked: bool) -> None:
    """Refuses a malformed policy, one about another bucket, and a public one where blocked."""
    wrong = policy_syntax.problem(text, policy_syntax.Kind.RESOURCE)
    if wrong:
        raise AwsError("MalformedPolicy", wrong)
    document = json.loads(text)
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        resources = statement.get("Resource", statement.get("NotResource"))
        for resource in resources if isinstance(resources, list) else [resources]:
            if not re.match(rf"arn:[^:]+:s3:::{re.escape(bucket)}(/|$)", resource):
                raise AwsError("MalformedPolicy", "Policy has invalid resource")
    if blocked and any(map(_public, listed)):
        raise AwsError("AccessDenied", _BLOCKED, status=403)


def _public(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = list(principal.values()) if isinstance(principal, dict) else [principal]
    everyone = any(value == "*" or (isinstance(value, list) and "*" in value) for value in named)
    keys = {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}
    return statement.get("Effect") == "Allow" and everyone and not keys & _NARROWING


def check_name(bucket: str, *, namespace: str, account: str, region: str) -> None:
    """A name ending in `-an` belongs to an account and a region, and must say so."""
    suffix = f"-{account}-{region}-an"
    if namespace == "account-regional":
        if not bucket.endswith(suffix) or bucket == suffix:
            raise AwsError(
                "InvalidBucketName",
                f"A bucket in the account regional namespace must end with {suffix}.",
            )
    elif bucket.endswith("-an"):
        raise AwsError("InvalidBucketName", "The suffix -an is reserved for account regional names")


_NAMES = 'S3 user guide, "General purpose bucket naming rules"'
RULES: tuple[Rule, ...] = (
    Rule(service="s3", rule="a malformed bucket policy, or one about another bucket, is refused",
         page="S3 API, PutBucketPolicy"),
    Rule(service="s3", rule="a public bucket policy is refused under BlockPublicPolicy",
         page='S3 user guide, "Blocking public access to your Amazon S3 storage"'),
    Rule(service="s3", rule="a name in the account regional namespace ends in "
         "-<account>-<region>-an; no other name may end in -an", page=_NAMES),
    Rule(service="s3", rule="an unsigned request needs a bucket policy that allows it; a Deny of "
         "the bucket policy binds everyone",
         page='S3 user guide, "How Amazon S3 authorizes a request"'),
    Rule(service="s3", rule="without s3:ListBucket an absent key answers 403, with it 404",
         page="S3 API, GetObject, Permissions"),
)  # fmt: skip

__all__ = ["ANONYMOUS", "RULES", "Decision", "check_name", "check_policy", "decide", "denied"]
