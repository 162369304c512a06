"""Operations on deployment groups: who may act, by which configuration, heeding which alarms."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from runner.local.codedeploy import protection, views
from runner.local.codedeploy.account import Account, batch, named, page
from runner.local.codedeploy.protection import Existing
from runner.local.codedeploy.role import PRINCIPAL
from runner.local.codedeploy.routing import DEFAULT
from runner.local.codedeploy.tags import checked
from runner.local.codedeploy.values import Group
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

MOST = 1000  # of an application
_LARGEST_BATCH = 100
# What other platforms have, with the error that names it.
# Source: API reference, CreateDeploymentGroup, "Errors".
_FOREIGN = {
    "ec2TagFilters": "InvalidEC2TagException",
    "onPremisesInstanceTagFilters": "InvalidTagException",
    "autoScalingGroups": "InvalidAutoScalingGroupException",
    "blueGreenDeploymentConfiguration": "InvalidBlueGreenDeploymentConfigurationException",
    "loadBalancerInfo": "InvalidLoadBalancerInfoException",
    "ec2TagSet": "InvalidEC2TagException",
    "ecsServices": "InvalidECSServiceException",
    "onPremisesTagSet": "InvalidTagException",
    "ec2DeploymentOptions": "InvalidInputException",
    "terminationHookEnabled": "InvalidInputException",
}

Ready = Callable[[str, str], bool]
"""Whether a service can assume a role by now."""


class Groups:
    """Create, get, update, list, delete. `existing` tells which alarms there are, by region;
    `permitted` refuses a caller who may not do an action.
    """

    def __init__(
        self,
        account: Account,
        *,
        ready: Ready,
        existing: Callable[[str], Existing],
        permitted: Callable[[Call, str], None],
    ) -> None:
        self._account = account
        self._permitted = permitted
        self._ready = ready
        self._existing = existing

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateDeploymentGroup": self.create,
            "GetDeploymentGroup": self.get,
            "BatchGetDeploymentGroups": self.batch,
            "UpdateDeploymentGroup": self.update,
            "ListDeploymentGroups": self.list,
            "DeleteDeploymentGroup": self.delete,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        application = self._account.application(call.region, parameters).name
        name = named(parameters.get("deploymentGroupName"), "DeploymentGroup")
        if not parameters.get("serviceRoleArn"):
            raise AwsError("RoleRequiredException", "The service role ARN is required.")
        _check_style(parameters.get("deploymentStyle") or {})
        settings = self._settings({"deploymentConfigName": DEFAULT, **parameters}, call)
        tags = checked(parameters.get("tags"))
        kept = self._account.region(call.region).groups
        self._check_free(call, application, name)
        if sum(each.application == application for each in kept.values()) >= MOST:
            raise AwsError("DeploymentGroupLimitExceededException", "Too many deployment groups.")
        made = Group(
            application=application, name=name, identity=self._account.ids.uuid(), **settings
        )
        kept[application, name] = made
        self._account.tags[self._account.group_arn(call.region, made)] = tags
        return {"deploymentGroupId": made.identity}

    def get(self, parameters: Parameters, call: Call) -> Result:
        found = self._account.group(call.region, parameters)
        return {"deploymentGroupInfo": self._shown(found, call)}

    def batch(self, parameters: Parameters, call: Call) -> Result:
        """Groups that are not there are told in words. Source: API reference."""
        application = self._account.application(call.region, parameters).name
        names = batch(parameters.get("deploymentGroupNames") or [], _LARGEST_BATCH)
        kept = self._account.region(call.region).groups
        found = [kept[application, name] for name in names if (application, name) in kept]
        missing = [name for name in names if (application, name) not in kept]
        answer: Result = {"deploymentGroupsInfo": [self._shown(each, call) for each in found]}
        if missing:
            answer["errorMessage"] = f"No Deployment Group found for name: {', '.join(missing)}"
        return answer

    def update(self, parameters: Parameters, call: Call) -> Result:
        found = self._account.group(call.region, parameters, "currentDeploymentGroupName")
        if parameters.get("deploymentStyle"):
            _check_style(parameters["deploymentStyle"])
        new = parameters.get("newDeploymentGroupName") or found.name
        if new != found.name:
            self._check_free(call, found.application, named(new, "DeploymentGroup"))
        made = dataclasses.replace(found, name=new, **self._settings(parameters, call))
        kept = self._account.region(call.region).groups
        tags = self._account.tags.pop(self._account.group_arn(call.region, found))
        del kept[found.application, found.name]
        kept[found.application, new] = made
        self._account.tags[self._account.group_arn(call.region, made)] = tags
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        application = self._account.application(call.region, parameters).name
        kept = self._account.region(call.region).groups
        names = sorted(name for owner, name in kept if owner == application)
        shown, more = page(names, parameters.get("nextToken"))
        return {"applicationName": application, "deploymentGroups": shown, **more}

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """One that is not there is no error: the API names none."""
        application = named(parameters.get("applicationName"), "Application")
        name = named(parameters.get("deploymentGroupName"), "DeploymentGroup")
        found = self._account.region(call.region).groups.get((application, name))
        self._account.forget(call.region, [found] if found else [])
        return {"hooksNotCleanedUp": []}

    def _settings(self, given: Parameters, call: Call) -> dict[str, Any]:
        """The fields of Group that the request names, checked."""
        for member, code in _FOREIGN.items():
            if given.get(member):
                raise AwsError(code, f"{member} cannot be specified for Lambda deployments")
        made: dict[str, Any] = {}
        if given.get("deploymentConfigName"):
            made["config"] = self._config(given["deploymentConfigName"], call)
        if given.get("serviceRoleArn"):
            # Source: IAM user guide, "Grant a user permissions to pass a role to an AWS service".
            self._permitted(call, "iam:PassRole")
            made["role"] = self._role(given["serviceRoleArn"])
        if given.get("alarmConfiguration") is not None:
            existing = self._existing(call.region)
            made["alarms"] = protection.alarms(given["alarmConfiguration"], existing)
        if given.get("autoRollbackConfiguration") is not None:
            made["rollback"] = protection.rollback(given["autoRollbackConfiguration"])
        if given.get("triggerConfigurations") is not None:
            made["triggers"] = protection.triggers(given["triggerConfigurations"])
        return made

    def _config(self, name: str, call: Call) -> str:
        found = self._account.config(call.region, name)
        if found.platform != "Lambda":
            raise AwsError(
                "InvalidInputException",
                f"The deployment configuration {name} is not for the Lambda compute platform",
            )
        return found.name

    def _role(self, arn: str) -> str:
        """A role that was just made is refused as well: seen as aws/aws-sdk-ruby#772."""
        if not self._ready(arn, PRINCIPAL):
            raise AwsError("InvalidRoleException", "Cannot assume role provided.")
        return arn

    def _check_free(self, call: Call, application: str, name: str) -> None:
        if (application, name) in self._account.region(call.region).groups:
            raise AwsError(
                "DeploymentGroupAlreadyExistsException",
                f"Deployment Group already exists: {name}",
            )

    def _shown(self, each: Group, call: Call) -> Result:
        return views.group(each, self._account.region(call.region).of(each))


def _check_style(style: Parameters) -> None:
    """Left out it is IN_PLACE, which Lambda has not.

    Source: API reference, DeploymentStyle; CodeDeploy user guide, "Deployment type".
    """
    wanted = ("BLUE_GREEN", "WITH_TRAFFIC_CONTROL")
    if (style.get("deploymentType"), style.get("deploymentOption")) != wanted:
        raise AwsError(
            "InvalidDeploymentStyleException",
            "Lambda deployments need the deployment type BLUE_GREEN and the deployment option "
            "WITH_TRAFFIC_CONTROL",
        )
