"""Which actions on which resources a call of CodeDeploy's needs.

Source: Service authorization reference, "Actions, resources, and condition keys for AWS
CodeDeploy"; CodeDeploy user guide, "CodeDeploy permissions reference".
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.local.codedeploy.account import Account
from runner.local.protocol import Incoming
from runner.local.wire import Parameters

# Of no resource, whatever they name. Source: the first page above.
_WHOLE = frozenset(
    {"BatchGetDeploymentTargets", "GetDeploymentTarget", "ListDeploymentTargets", "StopDeployment"}
)


class Rights:
    """For the gate that holds functions' calls against their roles."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def asked(self, incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
        """(action, resource) of the call; `here` is region and account."""
        region, operation = here.partition(":")[0], incoming.operation
        wanted = incoming.parameters
        resource = "*" if operation in _WHOLE else self._resource(region, wanted)
        yield f"codedeploy:{operation}", resource
        if operation == "CreateDeployment":
            yield from self._beside(region, wanted)

    def _beside(self, region: str, wanted: Parameters) -> Iterator[tuple[str, str]]:
        """Footnote 1 of the second page above."""
        name = wanted.get("deploymentConfigName") or "*"
        application = wanted.get("applicationName") or "*"
        arn = self._account.arn
        yield "codedeploy:GetDeploymentConfig", arn(region, f"deploymentconfig:{name}")
        yield "codedeploy:RegisterApplicationRevision", arn(region, f"application:{application}")
        if wanted.get("overrideAlarmConfiguration") is not None:
            yield "codedeploy:UpdateDeploymentGroup", self._resource(region, wanted)

    def _resource(self, region: str, wanted: Parameters) -> str:
        arn, application = self._account.arn, wanted.get("applicationName")
        group = wanted.get("deploymentGroupName") or wanted.get("currentDeploymentGroupName")
        identity = wanted.get("deploymentId") or next(iter(wanted.get("deploymentIds") or ()), "")
        found = self._account.region(region).deployments.get(identity)
        if found:
            return self._account.group_arn(region, found.group)
        if application:
            return arn(
                region, f"deploymentgroup:{application}/{group}" if group else
                f"application:{application}"
            )  # fmt: skip
        config = wanted.get("deploymentConfigName")
        return arn(region, f"deploymentconfig:{config}") if config else "*"
