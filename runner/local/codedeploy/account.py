"""Everything that CodeDeploy keeps for one account, by region, and how it is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from runner.local.clock import Clock
from runner.local.codedeploy.routing import predefined
from runner.local.codedeploy.values import Application, Config, Deployment, Group, Revision
from runner.local.ids import Ids
from runner.local.wire import AwsError, Parameters

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")
_DEPLOYMENT = re.compile(r"d-[A-Z0-9]{9}")
_PAGE = 100
_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(kw_only=True)
class Registered:
    """A revision of an application, with when and by which groups it was used."""

    revision: Revision
    registered: float
    description: str = ""
    first_used: float | None = None
    last_used: float | None = None
    groups: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Region:
    """`groups` by application and name; `good` is the revision that a group last deployed well."""

    applications: dict[str, Application] = field(default_factory=dict)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    configs: dict[str, Config] = field(default_factory=predefined)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    revisions: dict[tuple[str, str], Registered] = field(default_factory=dict)
    good: dict[str, Revision] = field(default_factory=dict)

    def of(self, group: Group) -> list[Deployment]:
        """The group's deployments, the newest first."""
        found = [d for d in self.deployments.values() if d.group.identity == group.identity]
        return sorted(found, key=lambda each: each.created, reverse=True)


class Account:
    """Regions, tags by ARN, and the finding of things in AWS's own errors."""

    def __init__(self, *, number: str, clock: Clock, ids: Ids) -> None:
        self.number = number
        self.clock = clock
        self.ids = ids
        self.reset()

    def reset(self) -> None:
        self._regions: dict[str, Region] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def region(self, name: str) -> Region:
        return self._regions.setdefault(name, Region())

    def arn(self, region: str, resource: str) -> str:
        return f"arn:aws:codedeploy:{region}:{self.number}:{resource}"

    def group_arn(self, region: str, group: Group) -> str:
        return self.arn(region, f"deploymentgroup:{group.application}/{group.name}")

    def new_deployment_id(self) -> str:
        return "d-" + self.ids.of(_IDS, 9)

    def application(self, region: str, parameters: Parameters) -> Application:
        name = named(parameters.get("applicationName"), "Application")
        found = self.region(region).applications.get(name)
        if found is None:
            raise AwsError(
                "ApplicationDoesNotExistException", f"No application found for name: {name}"
            )
        return found

    def group(self, region: str, parameters: Parameters, key: str = "deploymentGroupName") -> Group:
        application = self.application(region, parameters)
        name = named(parameters.get(key), "DeploymentGroup")
        found = self.region(region).groups.get((application.name, name))
        if found is None:
            raise AwsError(
                "DeploymentGroupDoesNotExistException",
                f"No Deployment Group found for name: {name}",
            )
        return found

    def config(self, region: str, given: str | None) -> Config:
        name = named(given, "DeploymentConfig")
        found = self.region(region).configs.get(name)
        if found is None:
            raise AwsError(
                "DeploymentConfigDoesNotExistException",
                f"No Deployment Configuration found for name: {name}",
            )
        return found

    def deployment(self, region: str, given: str | None) -> Deployment:
        if not given:
            raise AwsError("DeploymentIdRequiredException", "The deployment ID is required.")
        if not _DEPLOYMENT.fullmatch(given):
            raise AwsError(
                "InvalidDeploymentIdException", f"The deployment ID {given} is not valid."
            )
        found = self.region(region).deployments.get(given)
        if found is None:
            raise AwsError(
                "DeploymentDoesNotExistException", f"The deployment {given} could not be found"
            )
        return found

    def forget(self, region: str, groups: Iterable[Group]) -> None:
        """Groups with all that belongs to them, deployments included.

        Source: CodeDeploy user guide, "Delete an application", "Delete a deployment group".
        """
        kept = self.region(region)
        for group in list(groups):
            for each in kept.of(group):
                del kept.deployments[each.identity]
            kept.good.pop(group.identity, None)
            del kept.groups[group.application, group.name]
            self.tags.pop(self.group_arn(region, group), None)


def named(given: str | None, what: str) -> str:
    """The name of an Application, a DeploymentGroup or a DeploymentConfig, if it is one."""
    if not given:
        raise AwsError(f"{what}NameRequiredException", f"The {what} name is required.")
    if not _NAME.fullmatch(given):
        raise AwsError(f"Invalid{what}NameException", f"The {what} name {given} is not valid.")
    return given


def page(things: Sequence[T], token: str | None) -> tuple[list[T], dict[str, str]]:
    """One page, and the `nextToken` that leads to the next."""
    begin = 0
    if token:
        if not token.isdigit() or not 0 < int(token) < len(things):
            raise AwsError("InvalidNextTokenException", "The next token is not valid.")
        begin = int(token)
    more = begin + _PAGE < len(things)
    return list(things[begin : begin + _PAGE]), {"nextToken": str(begin + _PAGE)} if more else {}


def batch(names: Sequence[str], most: int) -> Sequence[str]:
    if len(names) > most:
        raise AwsError(
            "BatchLimitExceededException",
            f"The maximum number of names or IDs allowed for this request ({most}) was exceeded.",
        )
    return names
