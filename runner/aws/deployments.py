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
from runner.aws.refusals import code_of, explain, is_fault_of_aws, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist, until
from runner.errors import JamError, aws_error, busy_error
from runner.guard.look import ACTIVE
from runner.names import ALIAS, CODE_DEPLOY_ROLE, PRODUCTION, Names
from runner.plan.promotion import Strategy

AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
ROLE_BUDGET = 60  # seconds until CodeDeploy may assume a new role
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
    told: str
    alarms: tuple[str, ...] = ()
    back: bool = True  # by CodeDeploy itself, when it fails or an alarm rings


def find(aws: Aws, names: Names) -> str | None:
    """The group's name, where it stands."""
    found = _group(aws, names)
    return str(found["deploymentGroupName"]) if found else None


_MISSING = frozenset({"ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException"})


def make(aws: Aws, names: Names) -> str:
    """The application and the group; returns the group's name."""
    tags = ownership.tag_list(names)
    if _has_application(aws, names):
        _check_tags(aws, names)
    else:
        with tolerating("ApplicationAlreadyExistsException"):  # our own first attempt
            aws.deployments.create_application(
                applicationName=names.application, computePlatform="Lambda", tags=tags
            )
    group: dict[str, Any] = {
        "applicationName": names.application,
        "serviceRoleArn": names.role_arn(CODE_DEPLOY_ROLE),
        "deploymentConfigName": AT_ONCE,
        "deploymentStyle": {
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        "autoRollbackConfiguration": {"enabled": True, "events": ROLLBACK_ON},
    }

    def create() -> str:
        found = _group(aws, names)
        if found is None:
            with tolerating("DeploymentGroupAlreadyExistsException"):
                aws.deployments.create_deployment_group(
                    deploymentGroupName=PRODUCTION, tags=tags, **group
                )
        elif any(found.get(key) != value for key, value in _comparable(group).items()):
            changed = {key: value for key, value in group.items() if key != "applicationName"}
            aws.deployments.update_deployment_group(
                applicationName=names.application,
                currentDeploymentGroupName=PRODUCTION,
                **changed,
            )
        return PRODUCTION

    # A role that was just made is refused for some seconds: seen as aws/aws-sdk-ruby#772.
    return insist(
        aws,
        create,
        passes=lambda error: code_of(error) == "InvalidRoleException",
        late=explain,
        budget=ROLE_BUDGET,
    )


def _has_application(aws: Aws, names: Names) -> bool:
    with tolerating("ApplicationDoesNotExistException"):
        aws.deployments.get_application(applicationName=names.application)
        return True
    return False


def _check_tags(aws: Aws, names: Names) -> None:
    here = f"{names.region}:{names.account}"
    arn = f"arn:{names.partition}:codedeploy:{here}:application:{names.application}"
    tags = aws.deployments.list_tags_for_resource(ResourceArn=arn).get("Tags", [])
    what = f"The CodeDeploy application {names.application}"
    ownership.check(ownership.mapped(tags), names, what=what)


def _group(aws: Aws, names: Names) -> dict[str, Any] | None:
    try:
        found = aws.deployments.get_deployment_group(
            applicationName=names.application, deploymentGroupName=PRODUCTION
        )
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return dict(found["deploymentGroupInfo"])


def _comparable(group: dict[str, Any]) -> dict[str, Any]:
    """What a person can change and a rollout does not say anew."""
    return {key: group[key] for key in ("serviceRoleArn", "deploymentStyle")}


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
        includeOnlyStatuses=sorted(ACTIVE),
    )
    return [str(each) for each in found["deployments"]]


def last_good(aws: Aws, names: Names) -> str:
    """The deployment whose revision CodeDeploy goes back to; empty if the group has none.

    Source: CodeDeploy user guide, "Redeploy and roll back a deployment with CodeDeploy", Automatic
    rollbacks: the last known good version is deployed again.
    """
    found = aws.deployments.get_deployment_group(
        applicationName=names.application, deploymentGroupName=PRODUCTION
    )
    last = found["deploymentGroupInfo"].get("lastSuccessfulDeployment", {})
    return str(last.get("deploymentId", ""))


def target_of(aws: Aws, deployment: str) -> str:
    """The version to which a deployment moved the alias.

    GetDeployment keeps an AppSpec's content to itself. Source: CodeDeploy API reference,
    LambdaFunctionInfo.
    """
    ids = aws.deployments.list_deployment_targets(deploymentId=deployment)["targetIds"]
    if not ids:
        return ""
    found = aws.deployments.batch_get_deployment_targets(deploymentId=deployment, targetIds=ids)
    target = found["deploymentTargets"][0].get("lambdaTarget", {})
    return str(target.get("lambdaFunctionInfo", {}).get("targetVersion", ""))


def info_of(aws: Aws, deployment: str) -> dict[str, Any]:
    """What GetDeployment tells."""
    found: dict[str, Any] = aws.deployments.get_deployment(deploymentId=deployment)
    return dict(found["deploymentInfo"])


def ended(aws: Aws, deployment: str, *, budget: float) -> dict[str, Any]:
    """The deployment once it is no longer under way. Raises JamError `JAM-ROLLOUT-BUSY`."""

    def probe() -> dict[str, Any] | None:
        found = info_of(aws, deployment)
        return None if found["status"] in ACTIVE else found

    return until(aws, probe, budget=budget, late=lambda: _still(deployment))


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
        "autoRollbackConfiguration": {
            "enabled": shift.back,
            "events": ROLLBACK_ON if shift.back else [],
        },
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
                unsure = _taken(error)  # by ourselves, if an earlier run ended just there
            elif is_fault_of_aws(error):
                unsure = error
            else:
                raise
        aws.sleep(LOOK_AFTER * (1 + aws.chance()))
        for found in active(aws, names):
            if _sha_of(aws, found) == sha256:
                return found
        if isinstance(unsure, JamError):
            break
    raise unsure


def _sha_of(aws: Aws, deployment: str) -> str:
    revision = info_of(aws, deployment).get("revision", {})
    return str(revision.get("appSpecContent", {}).get("sha256", ""))


def _still(deployment: str) -> JamError:
    return busy_error(
        "JAM-ROLLOUT-BUSY",
        f"CodeDeploy's deployment {deployment} of this site does not end.",
        hint="Run again later, or stop it in CodeDeploy.",
    )


def _taken(error: ClientError) -> JamError:
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
