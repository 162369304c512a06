"""IAM's simulation of policies, as far as the embedded cloud has rights: what is denied is denied.

Everybody may do what was not taken away on purpose (`POST /_jam/deny`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.local.wire import AwsError, Call, Operation, Parameters, Result, Rule

Denied = Callable[[str, str], bool]
"""Whether an action is denied to the principal with this ARN."""


class Simulation:
    """The service object for `iam:SimulatePrincipalPolicy`."""

    name = "iam"

    def __init__(self, denied: Denied) -> None:
        self._denied = denied

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
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": "explicitDeny" if self._denied(action, source) else "allowed",
                "MissingContextValues": [],
                "MatchedStatements": [],
            }
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns") or ["*"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="SimulatePrincipalPolicy takes users, groups and roles, neither the "
         "root user nor a session, and tells what `POST /_jam/deny` took away",
         page="IAM API reference, SimulatePrincipalPolicy"),
)  # fmt: skip
