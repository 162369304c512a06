"""Whether these credentials may make a site: asked of IAM before the first write.

Asks only. The right to ask is itself a right; without it the first refused write has to tell.
"""

from __future__ import annotations

from typing import Any

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, aws_error
from runner.names import Names

_ALLOWED = "allowed"
# May not ask; cannot be asked here; the caller is no role or user that could be asked about.
_UNANSWERED = ("AccessDenied", "NotImplemented", "NoSuchEntity", "InvalidInput")


def needed(names: Names) -> tuple[tuple[str, str], ...]:
    """The creates of a first deploy, one a service, as (action, resource)."""
    here = f"{names.region}:{names.account}"
    arn = f"arn:{names.partition}"
    return (
        ("iam:CreateRole", names.role_arn(names.functions_role)),
        ("iam:PassRole", names.role_arn(names.functions_role)),
        ("dynamodb:CreateTable", f"{arn}:dynamodb:{here}:table/{names.records}"),
        ("s3:CreateBucket", f"{arn}:s3:::{names.bucket}"),
        ("lambda:CreateFunction", names.function_arn(names.entry)),
        ("cloudfront:CreateDistribution", f"{arn}:cloudfront::{names.account}:distribution/*"),
        ("apigateway:POST", f"{arn}:apigateway:{names.region}::/apis"),
    )


def check(aws: Aws, names: Names) -> None:
    """Raises JamError `JAM-DENIED` for the first create that IAM says it would refuse.

    Source: IAM API reference, SimulatePrincipalPolicy.
    """
    for refused in denied(aws, names) or ():
        raise refused


def denied(aws: Aws, names: Names) -> tuple[JamError, ...] | None:
    """The creates that IAM says it would refuse; None where it cannot be asked."""
    with tolerating(*_UNANSWERED):
        who = _principal(aws)
        return tuple(
            _denied(who, action, resource)
            for action, resource in needed(names)
            if not _may(aws, names, who=who, action=action, resource=resource)
        )
    return None


def _denied(who: str, action: str, resource: str) -> JamError:
    return aws_error(
        "JAM-DENIED",
        f"AWS would not let {who} do {action} on {resource}; nothing was changed.",
        hint=f"Add {action} on {resource} to its policy; docs/permissions.md lists "
        "everything that a deploy needs.",
    )


def _principal(aws: Aws) -> str:
    """The user or role behind the credentials: a session's ARN lacks its role's path."""
    arn = aws.caller["Arn"]
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return arn
    return aws.roles.get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"]


def _may(aws: Aws, names: Names, *, who: str, action: str, resource: str) -> bool:
    context: Any = [
        _context("iam:PermissionsBoundary", names.boundary_arn),
        _context("iam:PassedToService", "lambda.amazonaws.com"),
        _context("aws:RequestTag/jam:site", names.site),
        _context("aws:RequestedRegion", names.region),
    ]
    answer = aws.roles.simulate_principal_policy(
        PolicySourceArn=who,
        ActionNames=[action],
        ResourceArns=[resource],
        ContextEntries=context,
    )
    # A refusal that hangs on a value that only the real call has is no refusal yet.
    return all(
        each["EvalDecision"] == _ALLOWED or each.get("MissingContextValues")
        for each in answer["EvaluationResults"]
    )


def _context(key: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
