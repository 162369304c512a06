"""Operations on a deployment's target, the one function, and the answers of its hooks."""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.codedeploy import views
from runner.local.codedeploy.account import Account
from runner.local.codedeploy.engine import Engine
from runner.local.codedeploy.values import Deployment
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_LARGEST_BATCH = 25
_STATUSES = ("Failed", "InProgress", "Pending", "Ready", "Skipped", "Succeeded", "Unknown")


class Targets:
    """Look at targets; take what a hook's function tells."""

    def __init__(self, account: Account, engine: Engine) -> None:
        self._account = account
        self._engine = engine

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetDeploymentTarget": self.get,
            "ListDeploymentTargets": self.list,
            "BatchGetDeploymentTargets": self.batch,
            "PutLifecycleEventHookExecutionStatus": self.put_status,
        }

    def get(self, parameters: Parameters, call: Call) -> Result:
        found = self._started(parameters, call)
        _check_id(found, parameters.get("targetId") or "")
        return {"deploymentTarget": self._shown(found)}

    def list(self, parameters: Parameters, call: Call) -> Result:
        found = self._started(parameters, call)
        filters = parameters.get("targetFilters") or {}
        if set(filters) - {"TargetStatus"}:
            raise AwsError("InvalidTargetFilterNameException", "The target filter is unknown.")
        wanted = filters.get("TargetStatus") or _STATUSES
        if any(each not in _STATUSES for each in wanted):
            raise AwsError("InvalidInstanceStatusException", "The target status is unknown.")
        if parameters.get("nextToken"):
            raise AwsError("InvalidNextTokenException", "The next token is not valid.")
        shown = views.target_status(found) in wanted
        return {"targetIds": [found.revision.spec.function] if shown else []}

    def batch(self, parameters: Parameters, call: Call) -> Result:
        found = self._started(parameters, call)
        wanted = parameters.get("targetIds") or []
        if not wanted:
            raise AwsError("DeploymentTargetIdRequiredException", "A target ID is required.")
        if len(wanted) > min(_LARGEST_BATCH, 1):
            raise AwsError(
                "DeploymentTargetListSizeExceededException",
                "A Lambda deployment has exactly one target.",
            )
        _check_id(found, wanted[0])
        return {"deploymentTargets": [self._shown(found)]}

    def put_status(self, parameters: Parameters, call: Call) -> Result:
        """Source: API reference, PutLifecycleEventHookExecutionStatus."""
        found = self._account.deployment(call.region, parameters.get("deploymentId"))
        status = parameters.get("status")
        if status not in ("Succeeded", "Failed"):
            raise AwsError(
                "InvalidLifecycleEventHookExecutionStatusException",
                "The status must be Succeeded or Failed.",
            )
        identity = parameters.get("lifecycleEventHookExecutionId") or ""
        event = next((e for e in found.events if identity and e.execution == identity), None)
        if event is None:
            raise AwsError(
                "InvalidLifecycleEventHookExecutionIdException",
                "The lifecycle event hook execution ID is not valid.",
            )
        if event.status != "InProgress":
            raise AwsError(
                "LifecycleEventAlreadyCompletedException",
                f"The lifecycle event {event.name} is already complete.",
            )
        self._engine.answered(found, event, well=status == "Succeeded")
        return {"lifecycleEventHookExecutionId": identity}

    def _started(self, parameters: Parameters, call: Call) -> Deployment:
        found = self._account.deployment(call.region, parameters.get("deploymentId"))
        if found.status in ("Created", "Queued"):
            raise AwsError(
                "DeploymentNotStartedException",
                f"The deployment {found.identity} has not started.",
            )
        return found

    def _shown(self, found: Deployment) -> Result:
        here = f"{found.region}:{self._account.number}"
        arn = f"arn:aws:lambda:{here}:function:{found.revision.spec.function}"
        return views.target(found, arn)


def _check_id(found: Deployment, given: str) -> None:
    if not given:
        raise AwsError("DeploymentTargetIdRequiredException", "A target ID is required.")
    if given != found.revision.spec.function:
        raise AwsError(
            "DeploymentTargetDoesNotExistException",
            f"The target {given} does not belong to the deployment {found.identity}.",
        )
