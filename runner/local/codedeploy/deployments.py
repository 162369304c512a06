"""Operations on deployments: create, look, list, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.local.codedeploy import protection, views
from runner.local.codedeploy.account import Account, Region, Registered, batch, named, page
from runner.local.codedeploy.appspec import located, revision
from runner.local.codedeploy.engine import Engine
from runner.local.codedeploy.protection import Existing
from runner.local.codedeploy.values import (
    ACTIVE,
    STATUSES,
    Alarms,
    Config,
    Deployment,
    Group,
    Revision,
)
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

MOST_ACTIVE = 1000  # of an account
_LONGEST_DESCRIPTION = 256
_LARGEST_BATCH = 25
# What other platforms have, with the error that names it. Source: API reference, CreateDeployment.
_FOREIGN = {
    "updateOutdatedInstancesOnly": "InvalidUpdateOutdatedInstancesOnlyValueException",
    "ignoreApplicationStopFailures": "InvalidIgnoreApplicationStopFailuresValueException",
    "targetInstances": "InvalidTargetInstancesException",
    "fileExistsBehavior": "InvalidFileExistsBehaviorException",
    "ec2DeploymentOptions": "InvalidInputException",
}
ALARMS_HEADER = "x-jam-alarms"

Permitted = Callable[[Call, str], None]
"""Refuses a caller who may not do an action."""


class Deployments:
    """`engine_key` is the access key with which the engine itself calls."""

    def __init__(
        self,
        account: Account,
        engine: Engine,
        *,
        existing: Callable[[str], Existing],
        permitted: Permitted,
        engine_key: str,
    ) -> None:
        self._account = account
        self._engine = engine
        self._existing = existing
        self._permitted = permitted
        self._engine_key = engine_key

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateDeployment": self.create,
            "GetDeployment": self.get,
            "BatchGetDeployments": self.batch,
            "ListDeployments": self.list,
            "StopDeployment": self.stop,
            "ContinueDeployment": self.go_on,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        self._check_rights(parameters, call)
        group = self._account.group(call.region, parameters)
        kept = self._account.region(call.region)
        wanted = self._revision(kept, group, parameters)
        config = self._config(parameters.get("deploymentConfigName") or group.config, call)
        _check(parameters)
        override = self._override(parameters, call)
        own = parameters.get("autoRollbackConfiguration")
        rollback = group.rollback if own is None else protection.rollback(own)
        _check_free(kept, group)
        made = Deployment(
            identity=self._account.new_deployment_id(),
            region=call.region,
            group=group,
            config=config,
            revision=wanted,
            created=self._account.clock.now(),
            description=parameters.get("description") or "",
            alarms=group.alarms if override is None else override,
            override=override,
            rollback=rollback,
            previous=kept.good.get(group.identity),
        )
        self._register(kept, made)
        self._engine.begin(made)
        return {"deploymentId": made.identity}

    def get(self, parameters: Parameters, call: Call) -> Result:
        found = self._account.deployment(call.region, parameters.get("deploymentId"))
        return {"deploymentInfo": views.deployment(found)}

    def batch(self, parameters: Parameters, call: Call) -> Result:
        """Unknown ids are left out: the API has no error for them here."""
        wanted = parameters.get("deploymentIds")
        if not wanted:
            raise AwsError("DeploymentIdRequiredException", "The deployment ID is required.")
        kept = self._account.region(call.region).deployments
        found = [kept[each] for each in batch(wanted, _LARGEST_BATCH) if each in kept]
        return {"deploymentsInfo": [views.deployment(each) for each in found]}

    def list(self, parameters: Parameters, call: Call) -> Result:
        """The newest first."""
        statuses = parameters.get("includeOnlyStatuses") or STATUSES
        if any(each not in STATUSES for each in statuses):
            raise AwsError("InvalidDeploymentStatusException", "The deployment status is unknown.")
        begin, end = _range(parameters.get("createTimeRange") or {})
        found = [
            each.identity
            for each in self._of(parameters, call)
            if each.status in statuses and begin <= each.created <= end
        ]
        shown, more = page(found, parameters.get("nextToken"))
        return {"deployments": shown, **more}

    def stop(self, parameters: Parameters, call: Call) -> Result:
        """Source: CodeDeploy user guide, "Stopped and failed deployments" of Lambda."""
        found = self._account.deployment(call.region, parameters.get("deploymentId"))
        if found.status == "Stopped":
            return {"status": "Succeeded", "statusMessage": "The deployment is stopped."}
        if not found.active:
            raise AwsError(
                "DeploymentAlreadyCompletedException",
                f"The deployment {found.identity} is already complete.",
            )
        alarms = call.headers.get(ALARMS_HEADER)
        if alarms and call.access_key == self._engine_key:
            self._engine.stop_by_alarm(found, alarms)
        else:
            self._engine.stop(found, parameters.get("autoRollbackEnabled"))
        return {"status": "Pending", "statusMessage": "The deployment is being stopped."}

    def go_on(self, parameters: Parameters, call: Call) -> Result:
        """Source: API reference, ContinueDeployment: for blue/green deployments to instances."""
        found = self._account.deployment(call.region, parameters.get("deploymentId"))
        raise AwsError(
            "UnsupportedActionForDeploymentTypeException",
            f"The deployment {found.identity} is not one to instances.",
        )

    def _check_rights(self, parameters: Parameters, call: Call) -> None:
        """Source: CodeDeploy user guide, "CodeDeploy permissions reference", footnote 1."""
        self._permitted(call, "codedeploy:GetDeploymentConfig")
        self._permitted(call, "codedeploy:RegisterApplicationRevision")
        if parameters.get("overrideAlarmConfiguration") is not None:
            self._permitted(call, "codedeploy:UpdateDeploymentGroup")

    def _revision(self, kept: Region, group: Group, parameters: Parameters) -> Revision:
        """The one that the request carries, or a registered one that it names by its digest."""
        _, content, digest = located(parameters.get("revision"))
        if content:
            return revision(parameters["revision"])
        found = kept.revisions.get((group.application, digest))
        if found is None:
            raise AwsError("RevisionDoesNotExistException", "The revision does not exist.")
        return found.revision

    def _config(self, name: str, call: Call) -> Config:
        found = self._account.config(call.region, name)
        if found.platform != "Lambda":
            raise AwsError(
                "InvalidComputePlatformException",
                f"The deployment configuration {name} is not for the Lambda compute platform",
            )
        return found

    def _override(self, parameters: Parameters, call: Call) -> Alarms | None:
        given = parameters.get("overrideAlarmConfiguration")
        return None if given is None else protection.alarms(given, self._existing(call.region))

    def _register(self, kept: Region, made: Deployment) -> None:
        key = made.group.application, made.revision.sha256
        now = made.created
        entry = kept.revisions.setdefault(
            key, Registered(revision=made.revision, registered=now, first_used=now)
        )
        entry.first_used, entry.last_used = entry.first_used or now, now
        entry.groups.add(made.group.name)

    def _of(self, parameters: Parameters, call: Call) -> Sequence[Deployment]:
        application = parameters.get("applicationName")
        group = parameters.get("deploymentGroupName")
        if bool(application) != bool(group):
            named(application, "Application")
            named(group, "DeploymentGroup")
        kept = self._account.region(call.region)
        if group:
            return kept.of(self._account.group(call.region, parameters))
        return sorted(kept.deployments.values(), key=lambda each: each.created, reverse=True)


def _check(parameters: Parameters) -> None:
    for member, code in _FOREIGN.items():
        if parameters.get(member):
            raise AwsError(code, f"{member} cannot be specified for Lambda deployments")
    if parameters.get("deploymentMode", "STANDARD") != "STANDARD":
        raise AwsError("InvalidInputException", "Lambda deployments have the mode STANDARD only")
    if len(parameters.get("description") or "") > _LONGEST_DESCRIPTION:
        raise AwsError("DescriptionTooLongException", "The description is too long.")


def _check_free(kept: Region, group: Group) -> None:
    """Worded as seen in CircleCI-Public/aws-ecs-orb#181: the id is told in the message alone."""
    active = [each for each in kept.deployments.values() if each.status in ACTIVE]
    same = [each for each in active if each.group.identity == group.identity]
    if same:
        raise AwsError(
            "DeploymentLimitExceededException",
            f"The Deployment Group '{group.name}' already has an active Deployment "
            f"'{same[0].identity}'",
        )
    if len(active) >= MOST_ACTIVE:
        raise AwsError(
            "DeploymentLimitExceededException", "The number of allowed deployments was exceeded."
        )


def _range(given: Parameters) -> tuple[float, float]:
    begin, end = _seconds(given.get("start"), 0), _seconds(given.get("end"), float("inf"))
    if begin > end:
        raise AwsError("InvalidTimeRangeException", "The time range is not valid.")
    return begin, end


def _seconds(given: Any, default: float) -> float:
    if given is None:
        return default
    return given.timestamp() if isinstance(given, datetime) else float(given)
