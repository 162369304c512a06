"""A plan: every kind of step there is, in three phases.

A step carries decisions only. Ids that AWS picks come by reference when the step is performed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.plan.background import BackgroundFoundation, MoveSchedule, PublishAcceptor
from runner.plan.domains import DomainStage, DropDomains
from runner.plan.foundation import FoundationStep
from runner.plan.origins import AllowOrigins
from runner.plan.previewing import LeadStage, LetGo, PreviewStage, Show
from runner.plan.promotion import OpenRollout, PromotionFoundation
from runner.plan.releasing import RecordStaged, ReleaseStep, SettleStep, SwitchStep
from runner.plan.streaming import DropStreams, MoveStream, StreamFoundation

StageStep = (
    FoundationStep
    | BackgroundFoundation
    | StreamFoundation
    | PromotionFoundation
    | DomainStage
    | ReleaseStep
    | PublishAcceptor
    | PreviewStage
)
VisibleStep = SwitchStep | MoveSchedule | MoveStream | AllowOrigins | OpenRollout | LeadStage | Show
TidyingStep = SettleStep | DropStreams | DropDomains | LetGo
Step = StageStep | VisibleStep | TidyingStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in three phases.

    stage   invisible, in parallel, in the order that references demand
    switch  visible, one at a time
    promoted  what follows the release once its rollout has ended well; empty without a rollout
    settle  tidying: a failure here harms no visitor
    """

    stage: tuple[StageStep, ...] = ()
    switch: tuple[VisibleStep, ...] = ()
    promoted: tuple[VisibleStep, ...] = ()
    settle: tuple[TidyingStep, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        yield from (*self.stage, *self.switch, *self.promoted, *self.settle)

    @property
    def is_empty(self) -> bool:
        return not any(True for _ in self)

    @property
    def staging(self) -> Plan:
        """The invisible part alone: after it, new functions can be tried at their api_stage."""
        return Plan(stage=self.stage)

    @property
    def readying(self) -> Plan:
        """What says that all is staged, and nothing more: while a hold lasts."""
        return Plan(switch=tuple(step for step in self.switch if isinstance(step, RecordStaged)))

    @property
    def switching(self) -> Plan:
        """What follows once everything is staged; up to the rollout, where one is opened."""
        if self.opens:
            return Plan(switch=self.switch)
        return Plan(switch=(*self.switch, *self.promoted), settle=self.settle)

    @property
    def opens(self) -> bool:
        """Whether it ends in a rollout that has to be followed."""
        return any(isinstance(step, OpenRollout) for step in self.switch)

    @property
    def following(self) -> Plan:
        """What is left once the rollout has ended well."""
        return Plan(switch=self.promoted, settle=self.settle)
