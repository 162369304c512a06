"""Operations on deployments and stages.

Source: API Gateway developer guide, "Stages for HTTP APIs in API Gateway".
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping

from runner.local.compute.http_api.access_log import check_access_log
from runner.local.compute.http_api.refusals import ApiDesk, absent, bad, conflict, moment, page
from runner.local.compute.http_api.store import DEFAULT_STAGE, Api, Deployment, Settings, Stage
from runner.local.compute.http_api.throttling import check_route_settings
from runner.local.quotas import API_STAGES
from runner.local.wire import Call, Operation, Parameters, Result

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VARIABLE = re.compile(r"[A-Za-z0-9_]{1,64}")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9-._~:/?#&=,]{0,512}")
_KEPT = ("Description", "StageVariables", "AutoDeploy", "AccessLogSettings",
         "DefaultRouteSettings", "RouteSettings", "ClientCertificateId")  # fmt: skip


class StageOperations:
    """Operations by name."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateDeployment": self.create_deployment,
            "GetDeployment": self.get_deployment,
            "GetDeployments": self.list_deployments,
            "UpdateDeployment": self.update_deployment,
            "DeleteDeployment": self.delete_deployment,
            "CreateStage": self.create,
            "GetStage": self.get,
            "GetStages": self.list,
            "UpdateStage": self.update,
            "DeleteStage": self.delete,
            "ResetAuthorizersCache": self.forget,
        }

    def create_deployment(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        name = parameters.get("StageName")
        stage = self._stage(api, name) if name else None
        if stage and stage.automatic:
            raise bad("Deployment cannot be created for a stage with autoDeploy enabled.")
        made = deploy(self._desk, api, description=parameters.get("Description") or "")
        if stage:
            stage.deployment = made.identity
            stage.updated = self._desk.clock.now()
        return _deployment(made)

    def get_deployment(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return _deployment(_existing(api, parameters["DeploymentId"]))

    def list_deployments(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        newest = sorted(api.deployments.values(), key=lambda each: -each.created)
        return page([_deployment(each) for each in newest], parameters)

    def update_deployment(self, parameters: Parameters, call: Call) -> Result:
        import dataclasses

        api = self._desk.find(parameters, call.region)
        before = _existing(api, parameters["DeploymentId"])
        described = parameters.get("Description", before.description)
        after = dataclasses.replace(before, description=described)
        api.deployments[after.identity] = after
        return _deployment(after)

    def delete_deployment(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        identity = _existing(api, parameters["DeploymentId"]).identity
        if any(stage.deployment == identity for stage in api.stages.values()):
            raise bad("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[identity]
        return {}

    def create(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        self._check(api, parameters, call)
        stage = new_stage(self._desk, api, parameters)
        if stage.automatic and api.snapshot():
            stage.deployment = deploy(self._desk, api, automatic=True).identity
        return _view(stage)

    def get(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return _view(self._stage(api, parameters["StageName"]))

    def list(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        return page([_view(each) for each in api.stages.values()], parameters)

    def update(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        stage = self._stage(api, parameters["StageName"])
        self._check(api, parameters, call)
        given = _given(parameters)
        wanted = parameters.get("DeploymentId")
        if wanted:
            if given.get("AutoDeploy", stage.automatic):
                raise bad("Deployment ID cannot be updated when autoDeploy is enabled.")
            stage.deployment = _existing(api, wanted).identity
        stage.settings |= given
        stage.updated = self._desk.clock.now()
        return _view(stage)

    def delete(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        del api.stages[self._stage(api, parameters["StageName"]).name]
        return {}

    def forget(self, parameters: Parameters, call: Call) -> Result:
        api = self._desk.find(parameters, call.region)
        self._stage(api, parameters["StageName"]).decisions.clear()
        return {}

    def _check(self, api: Api, parameters: Parameters, call: Call) -> None:
        """Which routes a stage's settings may name AWS does not say: those of both, then."""
        keys = frozenset(route["RouteKey"] for route in api.routes.values())
        if parameters.get("DeploymentId") in api.deployments:
            deployed = api.deployments[parameters["DeploymentId"]]
            keys &= {route["RouteKey"] for route, _ in deployed.routes}
        check_route_settings(parameters, keys)
        check_access_log(parameters.get("AccessLogSettings"), self._desk.groups, call)

    def _stage(self, api: Api, name: str) -> Stage:
        if name not in api.stages:
            raise absent("Invalid stage identifier specified")
        return api.stages[name]


def deploy(
    desk: ApiDesk, api: Api, *, description: str = "", automatic: bool = False
) -> Deployment:
    """A snapshot of the API as it is now."""
    if not api.routes:
        raise bad("At least one route is required before deploying the Api.")
    made = Deployment(
        identity=desk.ids.lower(6),
        description=description,
        created=desk.clock.now(),
        automatic=automatic,
        routes=api.snapshot(),
        authorizers=copy.deepcopy(api.authorizers),
    )
    api.deployments[made.identity] = made
    return made


def redeploy(desk: ApiDesk, api: Api) -> None:
    """Stages with automatic deployment follow every change."""
    following = [stage for stage in api.stages.values() if stage.automatic]
    if following and api.routes:
        made = deploy(desk, api, automatic=True)
        for stage in following:
            stage.deployment = made.identity


def new_stage(desk: ApiDesk, api: Api, parameters: Parameters) -> Stage:
    """Adds a stage, or raises what API Gateway would."""
    name = parameters["StageName"]
    if name != DEFAULT_STAGE and not _NAME.fullmatch(name):
        raise bad("Stage name only allows a-zA-Z0-9_-")
    if name in api.stages:
        raise conflict("Stage already exists")
    if len(api.stages) >= API_STAGES.limit:
        raise bad(f"Maximum number of stages for this API has been reached: {API_STAGES.limit}")
    deployment = parameters.get("DeploymentId") or ""
    if deployment and parameters.get("AutoDeploy"):
        raise bad("Deployment ID cannot be specified when autoDeploy is enabled.")
    now = desk.clock.now()
    stage = Stage(
        name=name,
        deployment=_existing(api, deployment).identity if deployment else "",
        settings=_given(parameters),
        tags=dict(parameters.get("Tags") or {}),
        created=now,
        updated=now,
    )
    api.stages[name] = stage
    return stage


def _given(parameters: Parameters) -> Settings:
    given = {key: parameters[key] for key in _KEPT if parameters.get(key) is not None}
    for name, value in (given.get("StageVariables") or {}).items():
        if not _VARIABLE.fullmatch(name) or not _VARIABLE_VALUE.fullmatch(value):
            raise bad(f"Invalid stage variable {name}")
    return given


def _existing(api: Api, identity: str) -> Deployment:
    if identity not in api.deployments:
        raise absent(f"Invalid Deployment identifier specified {identity}")
    return api.deployments[identity]


def _deployment(each: Deployment) -> Result:
    return {
        "DeploymentId": each.identity,
        "DeploymentStatus": "DEPLOYED",
        "CreatedDate": moment(each.created),
        "AutoDeployed": each.automatic,
        **({"Description": each.description} if each.description else {}),
    }


def _view(stage: Stage) -> Result:
    defaults = {
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "AutoDeploy": False,
    }
    return {
        **defaults,
        **copy.deepcopy(stage.settings),
        "StageName": stage.name,
        "CreatedDate": moment(stage.created),
        "LastUpdatedDate": moment(stage.updated),
        "Tags": dict(stage.tags),
        **({"DeploymentId": stage.deployment} if stage.deployment else {}),
    }
