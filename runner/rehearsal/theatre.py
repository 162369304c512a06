"""Where rollouts are played and what each part of the play is; waits, in seconds of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from runner.rehearsal.candidates import Candidate
from runner.rehearsal.line import Line
from runner.rehearsal.sources import Sources
from runner.rehearsal.stage import Stage, failed

Runner = Literal["alive", "killed", "none"]  # none: `--no-wait`, the guard alone
RUNNERS: tuple[Runner, ...] = ("alive", "killed")
SESSIONS = 500  # at least, of each rollout
PERCENT, MINUTES = 10, 5
AGREE = 30.0  # seconds of the cloud's until every edge has a value of the store
# Until then an edge that is asked has the value, an old one or none.
UNTRUE = {"propagation": {"seconds": AGREE, "missing": 0.2, "old": 0.3}}
WITHIN = 300.0  # seconds of ours: build and stage on a busy machine
_LOOK_EVERY = 0.2  # seconds of ours
_CARD = "/.jam/version.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rollout of a play: what is tried, whether its runner lives, its build's name.

    Visitors go on coming after its end until there were `sessions`.
    """

    candidate: Candidate
    runner: Runner
    build: str
    sessions: int = SESSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Theatre:
    """A stage with a live site on it: `host` is where its visitors go, `name` the site's."""

    stage: Stage
    sources: Sources
    host: str
    name: str

    def line(self) -> Line:
        """A line to the site for each thread that asks on it."""
        return Line(self.stage.endpoint, self.host)

    def agree(self) -> None:
        """Lets every edge hear of what is live: nothing is being rolled out then."""
        self.stage.cloud("clock", {"advance": AGREE + 1})

    def card(self) -> dict[str, Any]:
        """What the site says is live, and what is tried; nothing where nobody answers."""
        try:
            told: dict[str, Any] = json.loads(self.line()(_CARD, {}).body)
        except (OSError, ValueError):
            return {"release": None, "candidate": None, "rollout": None}
        return told


def until(stage: Stage, done: Callable[[], bool], *, within: float, what: str) -> None:
    """Looks until it is done. Raises JamError after `within` seconds of ours."""
    latest = stage.clock() + within
    while not done():
        if stage.clock() > latest:
            raise failed(f"the rehearsal waited in vain for {what}")
        stage.sleep(_LOOK_EVERY)
