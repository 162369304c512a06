"""What IAM refuses and moto would take: malformed documents, boundaries that do not exist."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from runner.local.overlay import Forward
from runner.local.policy_syntax import Kind, problem
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.wire import AwsError, Parameters, Response, Rule

_DOCUMENTS: dict[str, tuple[str, Kind]] = {
    "CreateRole": ("AssumeRolePolicyDocument", Kind.TRUST),
    "UpdateAssumeRolePolicy": ("PolicyDocument", Kind.TRUST),
    "CreatePolicy": ("PolicyDocument", Kind.IDENTITY),
    "CreatePolicyVersion": ("PolicyDocument", Kind.IDENTITY),
    "PutRolePolicy": ("PolicyDocument", Kind.IDENTITY),
    "PutUserPolicy": ("PolicyDocument", Kind.IDENTITY),
    "PutGroupPolicy": ("PolicyDocument", Kind.IDENTITY),
}
# Characters without white space. Source: IAM user guide, "IAM and AWS STS quotas".
_LONGEST = {
    "CreateRole": 2048,
    "UpdateAssumeRolePolicy": 2048,
    "CreatePolicy": 6144,
    "CreatePolicyVersion": 6144,
    "PutRolePolicy": 10240,
    "PutUserPolicy": 2048,
    "PutGroupPolicy": 5120,
}
_MANAGED = "arn:aws:iam::aws:policy/"


class IamLayer:
    """IAM's rules in front of moto's store. `backend` is moto's."""

    name = "iam"

    def __init__(self, backend: Callable[[], Any]) -> None:
        self._backend = backend

    def reset(self) -> None:
        """It keeps nothing."""

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        parameters = incoming.parameters
        _check_document(incoming.operation, parameters)
        load_managed(self._backend(), parameters.get("PolicyArn", ""))
        boundary = parameters.get("PermissionsBoundary", "")
        load_managed(self._backend(), boundary)
        if boundary and boundary not in self._backend().managed_policies:
            raise AwsError(
                "NoSuchEntity",
                f"Scope ARN: {boundary} does not exist or is not attachable.",
                status=404,
            )
        return forward(incoming)


def load_managed(backend: Any, arn: str) -> None:
    """moto holds AWS's own policies only when told to load all thousand of them at once."""
    if not arn.startswith(_MANAGED) or arn in backend.managed_policies:
        return
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    name = arn.rpartition("/")[2]
    data = _named(name, aws_managed_policies_data)
    if data:
        made = AWSManagedPolicy.from_data(name, ACCOUNT, "us-east-1", data)
        backend.managed_policies[made.arn] = made


def _named(name: str, policies: str) -> dict[str, Any] | None:
    """One of moto's text of them all: to parse the whole takes longer than a deploy's requests."""
    before = f"\n {json.dumps(name)}:"  # no text within JSON has an end of a line
    at = policies.find(before)
    if at < 0:
        return None
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(policies, at + len(before))
    return found


def _check_document(operation: str, parameters: Parameters) -> None:
    if operation not in _DOCUMENTS:
        return
    parameter, kind = _DOCUMENTS[operation]
    text = parameters.get(parameter, "")
    wrong = problem(text, kind)
    if wrong:
        raise AwsError("MalformedPolicyDocument", wrong)
    if len("".join(text.split())) > _LONGEST[operation]:
        raise AwsError(
            "LimitExceeded",
            f"Cannot exceed quota for PolicySize: {_LONGEST[operation]}",
            status=409,
        )


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="a malformed policy or trust document is refused, and one above its "
         "size quota", page='IAM user guide, "Grammar of the IAM JSON policy language"'),
    Rule(service="iam", rule="a permissions boundary must exist", page="IAM API, CreateRole"),
    Rule(service="iam", rule="AWS's own policies can be attached",
         page="AWS managed policy reference guide"),
)  # fmt: skip
