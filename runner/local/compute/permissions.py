"""Resource policies of functions, one per qualifier: kept, told, and asked who may invoke.

Source: Lambda developer guide, "Viewing resource-based IAM policies in Lambda"; Lambda API,
AddPermission.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runner.local.compute.desk import Desk
from runner.local.compute.reference import absent, conflict, invalid, version_of
from runner.local.compute.store import Function, Policy
from runner.local.policy import allows
from runner.local.quotas import FUNCTION_POLICY
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_ACTION = re.compile(r"lambda:\*|lambda:[a-zA-Z]+|\*")
_ACCOUNT = re.compile(r"\d{12}")
_VERSION = "2012-10-17"


class Permissions:
    """Operations by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "AddPermission": self.add,
            "RemovePermission": self.remove,
            "GetPolicy": self.get,
        }

    def add(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        version_of(function, wanted.qualifier)
        policy = function.policies.get(wanted.qualifier) or Policy(revision="")
        self._desk.same_revision(parameters, policy.revision)
        sid = parameters["StatementId"]
        if any(each["Sid"] == sid for each in policy.statements):
            raise conflict(
                f"The statement id ({sid}) provided already exists. "
                "Please provide a new statement id, or remove the existing statement."
            )
        statement = _statement(function.qualified(wanted.qualifier), parameters)
        _check_length([*policy.statements, statement])
        policy.statements.append(statement)
        policy.revision = self._desk.ids.uuid()
        function.policies[wanted.qualifier] = policy
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def remove(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        policy = function.policies.get(wanted.qualifier)
        sid = parameters["StatementId"]
        if policy is None or all(each["Sid"] != sid for each in policy.statements):
            raise absent(f"Statement {sid} is not found in resource policy.")
        self._desk.same_revision(parameters, policy.revision)
        policy.statements = [each for each in policy.statements if each["Sid"] != sid]
        policy.revision = self._desk.ids.uuid()
        if not policy.statements:
            del function.policies[wanted.qualifier]
        return {}

    def get(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        policy = function.policies.get(wanted.qualifier)
        if policy is None:
            raise absent("The resource you requested does not exist.")
        return {"Policy": _document(policy.statements), "RevisionId": policy.revision}


def permits(
    function: Function,
    qualifier: str,
    *,
    principal: str,
    action: str,
    context: Mapping[str, str],
) -> bool:
    """Whether the policy of this qualifier, and no other, lets `principal` do `action`."""
    policy = function.policies.get(qualifier)
    if policy is None:
        return False
    document = {"Version": _VERSION, "Statement": policy.statements}
    resource = function.qualified(qualifier)
    return allows(document, principal=principal, action=action, resource=resource, context=context)


def _statement(resource: str, parameters: Parameters) -> dict[str, Any]:
    _check(parameters)
    statement: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(parameters["Principal"]),
        "Action": parameters["Action"],
        "Resource": resource,
    }
    conditions = _conditions(parameters)
    return {**statement, "Condition": conditions} if conditions else statement


def _check(parameters: Parameters) -> None:
    action = parameters["Action"]
    if not _ACTION.fullmatch(action):
        raise invalid(f"{action} is no action of Lambda.", code="ValidationException")
    if parameters.get("FunctionUrlAuthType") and action != "lambda:InvokeFunctionUrl":
        raise invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    if parameters.get("InvokedViaFunctionUrl") and action != "lambda:InvokeFunction":
        raise invalid("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action")


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    if given.endswith(".amazonaws.com"):
        return {"Service": given}
    return {"AWS": f"arn:aws:iam::{given}:root" if _ACCOUNT.fullmatch(given) else given}


def _conditions(parameters: Parameters) -> dict[str, dict[str, str]]:
    told = (
        ("StringEquals", "lambda:FunctionUrlAuthType", parameters.get("FunctionUrlAuthType")),
        ("StringEquals", "AWS:SourceAccount", parameters.get("SourceAccount")),
        ("StringEquals", "aws:PrincipalOrgID", parameters.get("PrincipalOrgID")),
        ("ArnLike", "AWS:SourceArn", parameters.get("SourceArn")),
        ("Bool", "lambda:InvokedViaFunctionUrl",
         "true" if parameters.get("InvokedViaFunctionUrl") else None),
    )  # fmt: skip
    conditions: dict[str, dict[str, str]] = {}
    for operator, key, value in told:
        if value:
            conditions.setdefault(operator, {})[key] = value
    return conditions


def _check_length(statements: list[dict[str, Any]]) -> None:
    length = len(_document(statements).encode())
    if length > FUNCTION_POLICY.limit:
        raise AwsError(
            "PolicyLengthExceededException",
            f"The final policy size ({length}) is bigger than the limit ({FUNCTION_POLICY.limit}).",
            Type="User",
        )


def _document(statements: list[dict[str, Any]]) -> str:
    document = {"Version": _VERSION, "Id": "default", "Statement": statements}
    return json.dumps(document, separators=(",", ":"))
