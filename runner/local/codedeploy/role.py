"""What CodeDeploy does in the account: with the service role of the group, whose policies decide.

Source: CodeDeploy user guide, "Create a service role for CodeDeploy"; IAM's managed policies
AWSCodeDeployRoleForLambda and AWSCodeDeployRoleForLambdaLimited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runner.local.codedeploy.values import AppSpec, Busy, Trouble
from runner.local.inside import Inside
from runner.local.wire import AwsError, Parameters, Result

PRINCIPAL = "codedeploy.amazonaws.com"
# Source: CodeDeploy user guide, "CodeDeploy limits", hours that a Lambda deployment can run.
_LONGEST = 50 * 3600.0
_THROTTLES = ("TooManyRequestsException", "ThrottlingException", "Throttling")
_CONFIGURATION = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment "
    "configuration is missing or has an invalid configuration."
)


class Policies(Protocol):
    """What a role's policies say."""

    def allows(self, arn: str, action: str, resource: str) -> bool: ...


class Sessions(Protocol):
    """Roles and their credentials."""

    def role(self, arn: str) -> Any: ...
    def ready(self, arn: str, service: str = "") -> bool: ...
    def session(self, role_arn: str, name: str, *, seconds: float) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """Where an alias points: its version, and the weight of another one."""

    version: str
    weights: tuple[tuple[str, float], ...] = ()


@dataclass(kw_only=True)
class ServiceRole:
    """One role at work for one deployment. Raises Trouble for what fails the deployment and Busy
    for what is worth another try."""

    arn: str
    group: str
    deployment: str
    region: str
    account: str
    inside: Inside
    policies: Policies
    sessions: Sessions
    _key: str = ""

    def check(self) -> None:
        """Source: CodeDeploy user guide, "Error codes for AWS CodeDeploy"."""
        if self.sessions.role(self.arn) is None:
            raise Trouble(
                "IAM_ROLE_MISSING", f"IAM Role is missing for deployment group: {self.group}"
            )
        if not self.sessions.ready(self.arn, PRINCIPAL):
            raise _forbidden(f"CodeDeploy cannot assume the role {self.arn}.")

    def pointing(self, spec: AppSpec) -> Pointing:
        found = self._lambda("GetAlias", spec, {})
        routing = found.get("RoutingConfig") or {}
        weights = routing.get("AdditionalVersionWeights") or {}
        return Pointing(version=found["FunctionVersion"], weights=tuple(sorted(weights.items())))

    def point(self, spec: AppSpec, to: Pointing) -> None:
        routing = {"AdditionalVersionWeights": dict(to.weights)}
        wanted = {"FunctionVersion": to.version, "RoutingConfig": routing}
        self._lambda("UpdateAlias", spec, wanted)

    def ringing(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the alarms that are in ALARM. Raises Busy if one cannot be asked for its state.

        Source: CodeDeploy user guide, "Grant CloudWatch permissions to a CodeDeploy service role".
        """
        everything = f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:*"
        try:
            self._allowed("cloudwatch:DescribeAlarms", everything)
            found = self._call("cloudwatch", "DescribeAlarms", {"AlarmNames": list(names)})
        except (AwsError, Trouble) as error:
            raise Busy("ALARM_ACTIVE", f"CloudWatch could not be asked: {error}") from None
        states = {each["AlarmName"]: each["StateValue"] for each in found.get("MetricAlarms", [])}
        gone = sorted(set(names) - set(states))
        if gone:
            raise Busy("ALARM_ACTIVE", f"These alarms do not exist: {', '.join(gone)}")
        return tuple(name for name in names if states[name] == "ALARM")

    def ask(self, hook: str, event: Parameters, *, live: bool) -> None:
        """Invokes a hook's function; with `live` false only tries whether it could be."""
        name = hook if hook.startswith("arn:") else f"function:{hook}"
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{self._here}:{name}"
        self._allowed("lambda:InvokeFunction", arn)
        wanted = {
            "FunctionName": hook,
            "InvocationType": "Event" if live else "DryRun",
            "Payload": json.dumps(event).encode(),
        }
        try:
            self._call("lambda", "Invoke", wanted)
        except AwsError as error:
            raise Trouble("HOOK_EXECUTION_FAILURE", error.message) from None

    def publish(self, topic: str, message: str) -> None:
        """Raises Trouble or AwsError."""
        self._allowed("sns:Publish", topic)
        subject = f"Deployment {self.deployment}"
        self._call("sns", "Publish", {"TopicArn": topic, "Subject": subject, "Message": message})

    @property
    def _here(self) -> str:
        return f"{self.region}:{self.account}"

    def _lambda(self, operation: str, spec: AppSpec, wanted: Parameters) -> Result:
        function = spec.function.rpartition(":function:")[2]
        # Aliases are a function's own: the resource is the function. Source: Service
        # authorization reference, "Actions, resources, and condition keys for AWS Lambda".
        arn = f"arn:aws:lambda:{self._here}:function:{function}"
        self._allowed(f"lambda:{operation}", arn)
        try:
            return self._call(
                "lambda",
                operation,
                {"FunctionName": spec.function, "Name": spec.alias, **wanted},
            )
        except AwsError as error:
            raise _judged(error) from None

    def _allowed(self, action: str, resource: str) -> None:
        if not self.policies.allows(self.arn, action, resource):
            raise _forbidden(f"The role {self.arn} may not {action} on {resource}.")

    def _call(self, service: str, operation: str, parameters: Parameters) -> Result:
        if not self._key:
            session = self.sessions.session(self.arn, self.deployment, seconds=_LONGEST)
            self._key = session.access_key
        return self.inside.call(
            service, operation, parameters=parameters, region=self.region, key=self._key
        )


def _judged(error: AwsError) -> Exception:
    """What an error of Lambda's means for the deployment."""
    if error.code in _THROTTLES:
        return Busy("THROTTLED", "Lambda throttled the service role's requests.")
    if error.status >= 500:
        return Busy("INTERNAL_ERROR", f"There was an internal error: {error.message}")
    if error.code.startswith("AccessDenied"):
        return _forbidden(error.message)
    if error.code == "ResourceNotFoundException":
        return Trouble("INVALID_LAMBDA_FUNCTION", error.message)
    return misconfigured(error.message)


def _forbidden(message: str) -> Trouble:
    return Trouble(
        "IAM_ROLE_PERMISSIONS",
        "CodeDeploy does not have the permissions required to assume a role, or the IAM role "
        f"does not give permission to perform operations in an AWS service. {message}",
    )


def misconfigured(detail: str = "") -> Trouble:
    """Worded as seen in aws/serverless-application-model#291."""
    return Trouble("INVALID_LAMBDA_CONFIGURATION", f"{_CONFIGURATION} {detail}".strip())
