"""What CodeDeploy answers with: its nouns in botocore's shapes. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from runner.local.codedeploy.protection import shown_alarms, shown_rollback, shown_trigger
from runner.local.codedeploy.values import Deployment, Event, Group, Revision
from runner.local.wire import Result

_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
# A deployment's status as its only target shows it.
_TARGET = {
    "Created": "Pending",
    "Queued": "Pending",
    "InProgress": "InProgress",
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "Stopped": "Failed",
}


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def revision(each: Revision, *, whole: bool = False) -> Result:
    """Only GetApplicationRevision tells the content. Source: API reference, GetDeployment."""
    member = "appSpecContent" if each.kind == "AppSpecContent" else "string"
    body = {"sha256": each.sha256} | ({"content": each.content} if whole else {})
    return {"revisionType": each.kind, member: body}


def group(each: Group, deployments: list[Deployment]) -> Result:
    """`deployments` are the group's, the newest first."""
    shown: Result = {
        "applicationName": each.application,
        "deploymentGroupId": each.identity,
        "deploymentGroupName": each.name,
        "deploymentConfigName": each.config,
        "serviceRoleArn": each.role,
        "triggerConfigurations": [shown_trigger(trigger) for trigger in each.triggers],
        "alarmConfiguration": shown_alarms(each.alarms),
        "autoRollbackConfiguration": shown_rollback(each.rollback),
        "deploymentStyle": _STYLE,
        "computePlatform": "Lambda",
    }
    if deployments:
        shown["lastAttemptedDeployment"] = _last(deployments[0])
    good = next((d for d in deployments if d.status == "Succeeded"), None)
    if good:
        shown["lastSuccessfulDeployment"] = _last(good)
        shown["targetRevision"] = revision(good.revision)
    return shown


def _last(each: Deployment) -> Result:
    shown = {
        "deploymentId": each.identity,
        "status": each.status,
        "createTime": moment(each.created),
    }
    return shown if each.completed is None else shown | {"endTime": moment(each.completed)}


def deployment(each: Deployment) -> Result:
    shown: Result = {
        "applicationName": each.group.application,
        "deploymentGroupName": each.group.name,
        "deploymentConfigName": each.config.name,
        "deploymentId": each.identity,
        "revision": revision(each.revision),
        "status": each.status,
        "createTime": moment(each.created),
        "deploymentOverview": overview(each),
        "creator": each.creator,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "autoRollbackConfiguration": shown_rollback(each.rollback),
        "rollbackInfo": _rollback_info(each),
        "deploymentStyle": _STYLE,
        "instanceTerminationWaitTimeStarted": False,
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "Lambda",
        "startTime": each.started and moment(each.started),
        "completeTime": each.completed and moment(each.completed),
        "description": each.description or None,
        "previousRevision": each.previous and revision(each.previous),
        "overrideAlarmConfiguration": each.override and shown_alarms(each.override),
        "errorInformation": each.problem
        and {"code": each.problem.code, "message": each.problem.message},
    }
    return {key: value for key, value in shown.items() if value is not None}


def overview(each: Deployment) -> dict[str, int]:
    counted = Counter([target_status(each)])
    return {name: counted[name] for name in _OVERVIEW}


def target_status(each: Deployment) -> str:
    return _TARGET[each.status]


def _rollback_info(each: Deployment) -> Result:
    told = {
        "rollbackDeploymentId": each.rolled_back_by,
        "rollbackTriggeringDeploymentId": each.triggering,
        "rollbackMessage": each.rollback_message,
    }
    return {key: value for key, value in told.items() if value}


def target(each: Deployment, arn: str) -> Result:
    """The one function of the deployment, as a DeploymentTarget."""
    spec = each.revision.spec
    return {
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": {
            "deploymentId": each.identity,
            "targetId": spec.function,
            "targetArn": arn,
            "status": target_status(each),
            "lastUpdatedAt": moment(each.updated or each.created),
            "lifecycleEvents": [_event(event) for event in each.events],
            "lambdaFunctionInfo": {
                "functionName": spec.function,
                "functionAlias": spec.alias,
                "currentVersion": spec.current,
                "targetVersion": spec.target,
                "targetVersionWeight": each.weight * 100,
            },
        },
    }


def _event(each: Event) -> Result:
    shown: Result = {"lifecycleEventName": each.name, "status": each.status}
    if each.started is not None:
        shown["startTime"] = moment(each.started)
    if each.ended is not None:
        shown["endTime"] = moment(each.ended)
    if each.message:
        shown["diagnostics"] = {"errorCode": "ScriptFailed", "message": each.message}
    return shown
