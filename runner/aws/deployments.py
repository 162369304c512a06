"""CodeDeploy of one site: its application and group, configurations by content, deployments.

The group belongs to the site; alarms and rollback are said anew with each deployment.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from runner.aws import ownership
from runner.aws.refusals import code_of, is_fault_of_aws, tolerating
from runner.aws.session import Aws
from runner.errors import aws_error, busy_error
from runner.names import ALIAS, CODE_DEPLOY_ROLE, PRODUCTION, Names
from runner.plan.promotion import Strategy

_ACTIVE = ["Created", "Queued", "InProgress", "Baking", "Ready"]
UNSURE_TRIES = 4
LOOK_AFTER = 1.0  # seconds
# Our stops say themselves whether to roll back: those for `extend` and `wait` must not.
# Source: CodeDeploy API reference, AutoRollbackConfiguration.
ROLLBACK_ON = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One deployment to be: entry's alias from one version to another."""

    before: str
    after: str
    config: str
    alarms: tuple[str, ...]
    told: str


def find(aws: Aws, names: Names) -> str | None:
    """The group's name, where it stands."""
    try:
        found = aws.deployments.get_deployment_group(
            applicationName=names.application, deploymentGroupName=PRODUCTION
        )
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return str(found["deploymentGroupInfo"]["deploymentGroupName"])


_MISSING = frozenset({"ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException"})


def make(aws: Aws, names: Names) -> str:
    """The application and the group; returns the group's name."""
    tags = ownership.tag_list(names)
    with tolerating("ApplicationAlreadyExistsException"):
        aws.deployments.create_application(
            applicationName=names.application, computePlatform="Lambda", tags=tags
        )
    group: dict[str, Any] = {
        "applicationName": names.application,
        "serviceRoleArn": names.role_arn(CODE_DEPLOY_ROLE),
        "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
        "deploymentStyle": {
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        "autoRollbackConfiguration": {"enabled": True, "events": ROLLBACK_ON},
    }
    with tolerating("DeploymentGroupAlreadyExistsException"):
        aws.deployments.create_deployment_group(deploymentGroupName=PRODUCTION, tags=tags, **group)
    return PRODUCTION


def make_config(aws: Aws, strategy: Strategy) -> str:
    """The deployment configuration of this strategy; returns its name.

    Source: CodeDeploy user guide, "Create a deployment configuration with CodeDeploy".
    """
    time_based = {f"{strategy.kind}Percentage": strategy.percent}
    time_based[f"{strategy.kind}Interval"] = strategy.interval
    kind = {"canary": "TimeBasedCanary", "linear": "TimeBasedLinear"}[strategy.kind]
    member = kind[0].lower() + kind[1:]
    with tolerating("DeploymentConfigAlreadyExistsException"):
        aws.deployments.create_deployment_config(
            deploymentConfigName=strategy.name,
            computePlatform="Lambda",
            trafficRoutingConfig={"type": kind, member: time_based},
        )
    return strategy.name


def app_spec(names: Names, shift: Shift) -> str:
    """Which alias goes from which version to which.

    Source: CodeDeploy user guide, "AppSpec 'resources' section for AWS Lambda deployments".
    """
    moved = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Name": names.entry,
            "Alias": ALIAS,
            "CurrentVersion": shift.before,
            "TargetVersion": shift.after,
        },
    }
    return json.dumps({"version": 0.0, "Resources": [{"entry": moved}]})


def active(aws: Aws, names: Names) -> list[str]:
    """The ids of the group's deployments that are under way: there can be one."""
    found = aws.deployments.list_deployments(
        applicationName=names.application,
        deploymentGroupName=PRODUCTION,
        includeOnlyStatuses=_ACTIVE,
    )
    return [str(each) for each in found["deployments"]]


def begin(aws: Aws, names: Names, *, shift: Shift) -> str:
    """Starts the deployment; returns its id. Sent once and looked up after: it has no token."""
    content = app_spec(names, shift)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    wanted: dict[str, Any] = {
        "applicationName": names.application,
        "deploymentGroupName": PRODUCTION,
        "deploymentConfigName": shift.config,
        "description": shift.told,
        "revision": {
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": content, "sha256": sha256},
        },
        "autoRollbackConfiguration": {"enabled": True, "events": ROLLBACK_ON},
        "overrideAlarmConfiguration": {
            "enabled": bool(shift.alarms),
            "ignorePollAlarmFailure": False,
            "alarms": [{"name": name} for name in shift.alarms],
        },
    }
    for _ in range(UNSURE_TRIES):
        try:
            return str(aws.deployments_once.create_deployment(**wanted)["deploymentId"])
        except HTTPClientError as error:
            unsure: Exception = error
        except ClientError as error:
            if code_of(error) == "DeploymentLimitExceededException":
                raise _taken(error) from error
            if not is_fault_of_aws(error):
                raise
            unsure = error
        aws.sleep(LOOK_AFTER * (1 + aws.chance()))
        for found in active(aws, names):
            if _sha_of(aws, found) == sha256:
                return found
    raise unsure


def _sha_of(aws: Aws, deployment: str) -> str:
    found = aws.deployments.get_deployment(deploymentId=deployment)["deploymentInfo"]
    return str(found.get("revision", {}).get("appSpecContent", {}).get("sha256", ""))


def _taken(error: ClientError) -> Exception:
    said = error.response["Error"].get("Message", "")
    return busy_error(
        "JAM-ROLLOUT-BUSY",
        f"CodeDeploy is shifting this site already: {said}",
        hint="Run `jam-deploy settle`, then this again.",
    )


def check_target(shift: Shift) -> None:
    """CodeDeploy refuses a deployment from a version to itself without saying why."""
    if shift.before == shift.after:
        raise aws_error(
            "JAM-ROLLOUT-SAME",
            f"The entry's alias points at the candidate's version {shift.after} already.",
            hint="Run `jam-deploy settle`, then this again.",
        )
