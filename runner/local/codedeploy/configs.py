"""Operations on deployment configurations: never changed once made, not deleted while in use."""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.codedeploy import routing
from runner.local.codedeploy.account import Account, Region, named, page
from runner.local.codedeploy.values import Config
from runner.local.codedeploy.views import moment
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

MOST = 200


class Configs:
    """Create, get, list, delete."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateDeploymentConfig": self.create,
            "GetDeploymentConfig": self.get,
            "ListDeploymentConfigs": self.list,
            "DeleteDeploymentConfig": self.delete,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        name = named(parameters.get("deploymentConfigName"), "DeploymentConfig")
        if name.startswith(routing.PREDEFINED_PREFIX):
            raise AwsError(
                "InvalidDeploymentConfigNameException",
                f"A configuration's name must not begin with {routing.PREDEFINED_PREFIX}",
            )
        _check_platform(parameters)
        wanted = routing.checked(parameters.get("trafficRoutingConfig"))
        kept = self._account.region(call.region).configs
        if name in kept:
            raise AwsError(
                "DeploymentConfigAlreadyExistsException",
                f"Deployment Configuration already exists: {name}",
            )
        if len(kept) - len(routing.predefined()) >= MOST:
            raise AwsError(
                "DeploymentConfigLimitExceededException",
                "The deployment configurations limit was exceeded.",
            )
        made = Config(
            name=name,
            identity=self._account.ids.uuid(),
            created=self._account.clock.now(),
            routing=wanted,
        )
        kept[name] = made
        return {"deploymentConfigId": made.identity}

    def get(self, parameters: Parameters, call: Call) -> Result:
        found = self._account.config(call.region, parameters.get("deploymentConfigName"))
        shown: Result = {
            "deploymentConfigId": found.identity,
            "deploymentConfigName": found.name,
            "createTime": moment(found.created),
            "computePlatform": found.platform,
        }
        if found.routing:
            shown["trafficRoutingConfig"] = routing.shown(found.routing)
        return {"deploymentConfigInfo": shown}

    def list(self, parameters: Parameters, call: Call) -> Result:
        names = list(self._account.region(call.region).configs)
        shown, more = page(names, parameters.get("nextToken"))
        return {"deploymentConfigsList": shown, **more}

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """One that is not there is no error: the API names none."""
        name = named(parameters.get("deploymentConfigName"), "DeploymentConfig")
        if name.startswith(routing.PREDEFINED_PREFIX):
            raise AwsError(
                "InvalidOperationException", "Predefined configurations cannot be deleted."
            )
        kept = self._account.region(call.region)
        if _in_use(kept, name):
            raise AwsError(
                "DeploymentConfigInUseException", f"The deployment configuration {name} is in use."
            )
        kept.configs.pop(name, None)
        return {}


def _check_platform(parameters: Parameters) -> None:
    platform = parameters.get("computePlatform") or "Server"
    if platform not in ("Lambda", "Server", "ECS"):
        raise AwsError(
            "InvalidComputePlatformException",
            "The computePlatform is invalid. The computePlatform should be Lambda, Server, or ECS.",
        )
    if platform != "Lambda":
        raise AwsError(
            "NotImplemented", f"The embedded CodeDeploy does not deploy to {platform}.", status=501
        )
    if parameters.get("minimumHealthyHosts"):
        raise AwsError(
            "InvalidMinimumHealthyHostValueException",
            "minimumHealthyHosts cannot be specified for the Lambda compute platform",
        )
    if parameters.get("zonalConfig"):
        raise AwsError(
            "InvalidZonalDeploymentConfigurationException",
            "zonalConfig cannot be specified for the Lambda compute platform",
        )


def _in_use(kept: Region, name: str) -> bool:
    groups = any(each.config == name for each in kept.groups.values())
    return groups or any(d.config.name == name and d.active for d in kept.deployments.values())
