"""How a release reaches production's visitors step by step: the strategy, and its steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

from runner.guard.rollout import Policy
from runner.model import Routing
from runner.plan.foundation import Role
from runner.plan.refs import Made, Ref, Refs
from runner.plan.releasing import RecordLive

Kind = Literal["canary", "linear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """`percent` of new visitors first; all (canary) or as many more (linear) each `interval`.

    `interval` is in minutes. Source: CodeDeploy API reference, TimeBasedCanary, TimeBasedLinear.
    """

    kind: Kind = "canary"
    percent: int = 10
    interval: int = 15

    @property
    def name(self) -> str:
        """The deployment configuration's name: by content, for it can never be changed."""
        return f"jam-{self.kind}-{self.percent}pct-{self.interval}m"

    @property
    def steps(self) -> int:
        """How often visitors are moved after the first step."""
        return 1 if self.kind == "canary" else -(-100 // self.percent) - 1

    @property
    def minutes(self) -> int:
        """From the first step to the last."""
        return self.steps * self.interval

    def __str__(self) -> str:
        if self.kind == "canary":
            return f"{self.percent} % of new visitors for {self.interval} minutes, then all"
        return f"{self.percent} % more of new visitors every {self.interval} minutes"


class OnOpen(StrEnum):
    """What a deploy does where another shift of visitors is under way."""

    SUPERSEDE = "supersede"  # the older candidate is taken back
    WAIT = "wait"  # it is followed to its end first
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What the settings say of rollouts. `alarms` are the user's own, by name; `notify` addresses.

    `protected`: without working alarms nothing is begun.
    """

    strategy: Strategy = Strategy()
    policy: Policy = Policy.PROMOTE
    on_open: OnOpen = OnOpen.SUPERSEDE
    alarms: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    beacon: bool = False
    protected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeDeployments:
    """CodeDeploy's application and deployment group of the site."""

    exists: bool = False
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.DEPLOYMENTS),)

    def __str__(self) -> str:
        return f"{'check' if self.exists else 'create'} CodeDeploy's deployment group"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeGuard:
    """The function that judges rollouts, and the two rules that wake it."""

    exists: bool = False
    digest: str = field(default="", repr=False)
    needs: ClassVar[Refs] = (
        Ref(Made.RECORDS),
        Ref(Made.STORE),
        Ref(Made.API),
        Ref(Made.ROLE, Role.GUARD),
    )
    makes: ClassVar[Refs] = (Ref(Made.GUARD),)

    def __str__(self) -> str:
        return f"{'check' if self.exists else 'create'} the guard of rollouts"


PromotionFoundation = MakeDeployments | MakeGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRollout:
    """From here on new visitors are drawn between the live release and the candidate.

    `recording` is what is recorded once the candidate is live: by whoever settles the rollout.
    `entry` is the version that serves the live release. `streams` are functions whose aliases the
    guard moves as well; `left` is what it has no right to, in words: a run or `settle` does it.
    """

    release: str
    routing: Routing
    replaces: str
    entry: str = ""
    promotion: Promotion
    recording: RecordLive = field(repr=False)
    streams: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{self.promotion.strategy}"
        bare = "" if self.promotion.protected else ", unprotected"
        return f"open a rollout of {self.release[:8]} (was {self.replaces[:8]}): {told}{bare}"
