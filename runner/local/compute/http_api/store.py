"""HTTP APIs as API Gateway keeps them. State only, no rules. Settings are in botocore's shapes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = dict[str, Any]
DEFAULT_STAGE = "$default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A snapshot: (route, its integration) pairs and authorizers as they were."""

    identity: str
    description: str
    created: float
    automatic: bool
    routes: tuple[tuple[Settings, Settings], ...]
    authorizers: Mapping[str, Settings]


@dataclass(kw_only=True)
class Stage:
    """`deployment` is empty as long as the stage serves nothing."""

    name: str
    deployment: str
    settings: Settings
    tags: dict[str, str]
    created: float
    updated: float
    # Of authorizers: until when whose identity is let in, or refused.
    decisions: dict[tuple[str, ...], tuple[float, bool]] = field(default_factory=dict)

    @property
    def automatic(self) -> bool:
        return bool(self.settings.get("AutoDeploy"))


@dataclass(kw_only=True)
class Api:
    identity: str
    region: str
    settings: Settings
    tags: dict[str, str]
    created: float
    routes: dict[str, Settings] = field(default_factory=dict)
    integrations: dict[str, Settings] = field(default_factory=dict)
    authorizers: dict[str, Settings] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:apigateway:{self.region}::/apis/{self.identity}"

    @property
    def host(self) -> str:
        return f"{self.identity}.execute-api.{self.region}.amazonaws.com"

    def snapshot(self) -> tuple[tuple[Settings, Settings], ...]:
        """The routes that have an integration, with it, as they are now."""
        return tuple(
            (copy.deepcopy(route), copy.deepcopy(self.integrations[target]))
            for route in self.routes.values()
            if (target := target_of(route)) in self.integrations
        )


class Apis:
    """All HTTP APIs of the account, by their ids."""

    def __init__(self) -> None:
        self.apis: dict[str, Api] = {}

    def of(self, region: str) -> Iterator[Api]:
        return (each for each in self.apis.values() if each.region == region)


def target_of(route: Settings) -> str:
    """The id of the integration that a route's `Target` (`integrations/<id>`) names."""
    return str(route.get("Target") or "").removeprefix("integrations/")
