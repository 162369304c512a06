"""What CodeDeploy tells of a deployment: an event for EventBridge, a message for triggers. Pure.

Source: EventBridge reference, "AWS CodeDeploy events"; CodeDeploy user guide, "Monitoring
deployments with Amazon CloudWatch Events", "JSON data formats for CodeDeploy triggers".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from runner.local.codedeploy.account import Account
from runner.local.codedeploy.values import Deployment, Trigger
from runner.local.codedeploy.views import overview

State = Literal["START", "SUCCESS", "FAILURE", "STOP"]
SOURCE = "aws.codedeploy"
DETAIL_TYPE = "CodeDeploy Deployment State-change Notification"

_TRIGGERS: dict[State, str] = {
    "START": "DeploymentStart",
    "SUCCESS": "DeploymentSuccess",
    "FAILURE": "DeploymentFailure",
    "STOP": "DeploymentStop",
}
ROLLBACK = "DeploymentRollback"

Emit = Callable[..., None]
"""`emit(source=, detail_type=, detail=, region=, resources=)`: how events reach the bus."""
Publish = Callable[[Deployment, Trigger, str], None]
"""Sends a message to a trigger's topic, as the deployment's service role."""


def event(account: Account, deployment: Deployment, state: State) -> dict[str, Any]:
    """The arguments of Emit."""
    group = deployment.group
    return {
        "source": SOURCE,
        "detail_type": DETAIL_TYPE,
        "region": deployment.region,
        "resources": [
            account.arn(deployment.region, f"application:{group.application}"),
            account.group_arn(deployment.region, group),
        ],
        "detail": {
            "region": deployment.region,
            "application": group.application,
            "deploymentId": deployment.identity,
            "instanceGroupId": group.identity,
            "deploymentGroup": group.name,
            "state": state,
        },
    }


def told(deployment: Deployment, state: State) -> list[Trigger]:
    """The triggers that want to know."""
    names = {_TRIGGERS[state]}
    if deployment.takes_back and state == "START":
        names.add(ROLLBACK)
    return [each for each in deployment.group.triggers if names & set(each.events)]


def message(account: Account, deployment: Deployment, trigger: Trigger) -> str:
    group = deployment.group
    made: dict[str, Any] = {
        "region": deployment.region,
        "accountId": account.number,
        "eventTriggerName": trigger.name,
        "applicationName": group.application,
        "deploymentId": deployment.identity,
        "deploymentGroupName": group.name,
        "createTime": f"{deployment.created:.3f}",
        "completeTime": deployment.completed and f"{deployment.completed:.3f}",
        "deploymentOverview": {
            name: str(count) for name, count in overview(deployment).items() if name != "Ready"
        },
        "status": deployment.status,
    }
    if deployment.problem:
        made["errorInformation"] = {
            "ErrorCode": deployment.problem.code,
            "ErrorMessage": deployment.problem.message,
        }
    return json.dumps(made)
