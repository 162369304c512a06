"""A request that found its stage, and what becomes known of it on the way to its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.execution.matching import Match
from runner.execution.payload import message
from runner.local.compute.http_api.store import Api, Settings, Stage
from runner.local.wire import Request, Response

NOT_FOUND = message(404, "Not Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`path` is raw and without the stage; `told` are variables of the access log so far."""

    api: Api
    stage: Stage
    routes: tuple[tuple[Settings, Settings], ...]
    authorizers: Mapping[str, Settings]
    path: str
    request: Request
    request_id: str
    chosen: Match | None
    told: dict[str, str] = field(default_factory=dict)

    @property
    def route(self) -> Settings:
        """The settings of the route that was chosen."""
        assert self.chosen
        return self.routes[self.chosen.index][0]

    @property
    def integration(self) -> Settings:
        assert self.chosen
        return self.routes[self.chosen.index][1]

    @property
    def variables(self) -> dict[str, str]:
        found: dict[str, str] = self.stage.settings.get("StageVariables") or {}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What the function is told of who calls; None for everybody."""

    authorizer: dict[str, Any] | None = None


Judged = Passed | Response
