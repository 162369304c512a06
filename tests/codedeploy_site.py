"""What tests of CodeDeploy share: a function with two versions, an alias, leaps in time."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from runner.local.cloud import Cloud
from tests.compute_site import HELLO, OTHER
from tests.local_cloud import TRUST, client

CODEDEPLOY_TRUST = TRUST.replace("lambda.amazonaws.com", "codedeploy.amazonaws.com")
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
LINEAR = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
GROUP = {"applicationName": "notes", "deploymentGroupName": "entry"}
ALL_EVENTS = [
    "DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST",
]  # fmt: skip


def appspec(current: str = "1", target: str = "2", **more: Any) -> str:
    properties = {"Name": "entry", "Alias": "live", "CurrentVersion": current,
                  "TargetVersion": target}  # fmt: skip
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return json.dumps({"version": "0.0", "Resources": [{"entry": resource}], **more})


def revision(content: str) -> dict[str, Any]:
    digest = hashlib.sha256(content.encode()).hexdigest()
    body = {"content": content, "sha256": digest}
    return {"revisionType": "AppSpecContent", "appSpecContent": body}


class Site:
    """An account with the alias `live` of the function `entry` at version 1, 2 published."""

    def __init__(self, cloud: Cloud, policy: str = MANAGED) -> None:
        self.cloud = cloud
        self.iam = client(cloud, "iam")
        self.functions = client(cloud, "lambda")
        self.codedeploy = client(cloud, "codedeploy")
        self.cloudwatch = client(cloud, "cloudwatch")
        self.function_role = self._role("functions", TRUST)
        self.role = self._role("codedeploy", CODEDEPLOY_TRUST)
        if policy:
            self.iam.attach_role_policy(RoleName="codedeploy", PolicyArn=policy)
        self.leap(10)
        self.function("entry", HELLO)
        self.functions.update_function_code(FunctionName="entry", ZipFile=OTHER, Publish=True)
        self.leap(10)
        self.functions.create_alias(FunctionName="entry", Name="live", FunctionVersion="1")
        self.codedeploy.create_application(applicationName="notes", computePlatform="Lambda")

    def _role(self, name: str, trust: str) -> str:
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        return str(made["Role"]["Arn"])

    def leap(self, seconds: float) -> None:
        """What falls due meanwhile has been done when this returns."""
        self.cloud.clock.run(self.cloud.clock.now() + seconds)

    def function(self, name: str, code: bytes) -> None:
        self.functions.create_function(
            FunctionName=name, Role=self.function_role, Runtime="nodejs22.x",
            Handler="index.handler", Code={"ZipFile": code}, Publish=True, Timeout=20,
        )  # fmt: skip
        self.leap(10)

    def group(self, config: str = CANARY, **more: Any) -> None:
        self.codedeploy.create_deployment_group(
            **GROUP, serviceRoleArn=self.role, deploymentConfigName=config,
            deploymentStyle=STYLE, **more,
        )  # fmt: skip

    def deploy(self, current: str = "1", target: str = "2", **more: Any) -> str:
        content = more.pop("content", "") or appspec(current, target)
        made = self.codedeploy.create_deployment(**GROUP, revision=revision(content), **more)
        return str(made["deploymentId"])

    def have_good(self) -> None:
        """A deployment that succeeds, so that CodeDeploy has something to go back to."""
        self.deploy("1", "1", deploymentConfigName=AT_ONCE)
        self.leap(10)

    def look(self, deployment: str) -> dict[str, Any]:
        found = self.codedeploy.get_deployment(deploymentId=deployment)
        info: dict[str, Any] = found["deploymentInfo"]
        return info

    def ended(self, deployment: str) -> tuple[str, str]:
        """Status and error code."""
        found = self.look(deployment)
        return found["status"], found.get("errorInformation", {}).get("code", "")

    def alias(self) -> tuple[str, dict[str, float]]:
        found = self.functions.get_alias(FunctionName="entry", Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get(
            "AdditionalVersionWeights", {}
        )

    def alarm(self, name: str = "red", state: str = "OK") -> None:
        """One that keeps the state that it is given: its metric never comes."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="Jam", MetricName="nothing", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )  # fmt: skip
        self.set_alarm(state, name)

    def set_alarm(self, state: str, name: str = "red") -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")

    def version_served(self) -> str:
        answer = self.functions.invoke(FunctionName="entry", Qualifier="live")
        return str(answer["ExecutedVersion"])


def watched(*names: str, **more: Any) -> dict[str, Any]:
    return {"enabled": True, "alarms": [{"name": name} for name in names], **more}


def back_on(*events: str) -> dict[str, Any]:
    return {"enabled": True, "events": list(events)}
