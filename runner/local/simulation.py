"""IAM's simulation of policies: a role's are evaluated, everybody else may do what was not taken
away on purpose (`POST /_jam/deny`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.local.compute.roles import Roles
from runner.local.policy import Context
from runner.local.wire import AwsError, Call, Operation, Parameters, Result, Rule

Denied = Callable[[str, str], bool]
"""Whether an action is denied to the principal with this ARN."""


class Simulation:
    """The service object for `iam:SimulatePrincipalPolicy`."""

    name = "iam"

    def __init__(self, denied: Denied, roles: Roles) -> None:
        self._denied = denied
        self._roles = roles

    def operations(self) -> Mapping[str, Operation]:
        return {"SimulatePrincipalPolicy": self._simulate}

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        """It keeps nothing."""

    def _simulate(self, parameters: Parameters, _call: Call) -> Result:
        source = parameters["PolicySourceArn"]
        if source.endswith(":root") or ":assumed-role/" in source:
            raise AwsError("InvalidInput", "Invalid Entity Arn: only users, groups and roles")
        context = {
            each["ContextKeyName"]: each["ContextKeyValues"]
            for each in parameters.get("ContextEntries") or ()
        }
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": self._decided(source, action, resource, context),
                "MissingContextValues": [],
                "MatchedStatements": [],
            }
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns") or ["*"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}

    def _decided(self, source: str, action: str, resource: str, context: Context) -> str:
        if self._denied(action, source):
            return "explicitDeny"
        is_role = self._roles.named(source.rpartition("/")[2]) is not None and ":role/" in source
        allowed = not is_role or self._roles.allows(source, action, resource, context)
        return "allowed" if allowed else "implicitDeny"


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="SimulatePrincipalPolicy takes users, groups and roles, neither the "
         "root user nor a session; it evaluates a role's policies and boundary, and tells what "
         "`POST /_jam/deny` took away",
         page="IAM API reference, SimulatePrincipalPolicy"),
)  # fmt: skip
