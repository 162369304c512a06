"""From a step to the calls that make it true: one line a step, and no decision.

Everything is harmless to repeat, and goes on where a killed run stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from runner.apply import Known, Moved, Perform
from runner.aws import (
    api,
    background,
    domains,
    foundation_steps,
    preview_steps,
    promotion,
    release_steps,
    streaming,
    switch_steps,
)
from runner.aws.beforehand import Beforehand
from runner.aws.leases import Lease
from runner.aws.means import Content, Means
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.model import Release
from runner.names import Names
from runner.plan.background import BackgroundStep
from runner.plan.domains import DomainStep
from runner.plan.foundation import FoundationStep
from runner.plan.groundwork import Foundation
from runner.plan.origins import AllowOrigins
from runner.plan.previewing import HideReleases, LetGo, PreviewStage, Show
from runner.plan.promotion import PromotionFoundation
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    DropApiStage,
    MoveAlias,
    RecordLive,
    RecordStaged,
    ReleaseStep,
)
from runner.plan.steps import Step, TidyingStep, VisibleStep
from runner.plan.streaming import MoveStream, StreamStep
from runner.together import Later, directly


def performer(
    aws: Aws,
    names: Names,
    *,
    release: Release,
    foundation: Foundation,
    content: Content,
    lease: Lease | None = None,
    beforehand: Beforehand | None = None,
    ends: bool = False,
    later: Later = directly,
) -> Perform:
    """Performs the steps of a plan for `release` upon `foundation`.

    What visitors can see is done under the `lease` alone; without one, nobody else may be at it.
    `ends`: nothing is done under it after the record of what is live, which frees it as well.
    `later` does what no step waits for.
    """
    means = Means(
        release=release,
        content=content,
        lease=lease,
        beforehand=beforehand or Beforehand(),
        ends=ends,
        later=later,
    )
    return _Performer(aws, names, foundation=foundation, means=means)


FoundationPart = BackgroundStep | DomainStep | AllowOrigins | PromotionFoundation | FoundationStep
# These ask the fence between what they read and the write that it guards.
_FENCED_INSIDE = (MoveAlias, MoveStream, Activate, Show, RecordLive)


class _Performer:
    def __init__(self, aws: Aws, names: Names, *, foundation: Foundation, means: Means) -> None:
        self._aws = aws
        self._names = names
        self._unattended = foundation.unattended
        self._means = means

    def __call__(self, step: Step, known: Known, moved: Moved) -> Known:
        aws, names, means = self._aws, self._names, self._means
        with explained(), self._entered(step):
            if isinstance(step, ReleaseStep):
                return release_steps.performed(
                    aws, names, step=step, known=known, means=means, moved=moved
                )
            if isinstance(step, PreviewStage):
                return preview_steps.performed(
                    aws, names, step=step, known=known, means=means, moved=moved
                )
            if isinstance(step, StreamStep):
                return streaming.performed(aws, names, step=step, known=known, fence=means.fence)
            if isinstance(step, FoundationPart):
                return self._found(step, known)
            switch_steps.perform(aws, names, step=step, known=known, means=means)
            return {}

    def _found(self, step: FoundationPart, known: Known) -> Known:
        aws, names = self._aws, self._names
        if isinstance(step, BackgroundStep):
            # The acceptor is all previews'.
            shared = names if names.is_shared else names.previews
            return background.performed(aws, shared, step=step, known=known)
        if isinstance(step, DomainStep):
            return domains.performed(aws, names, step=step, known=known)
        if isinstance(step, AllowOrigins):
            api.allow_origins(aws, known[Ref(Made.API)], wanted=step)
            return {}
        if isinstance(step, PromotionFoundation):
            archive = self._means.content.guard_archive
            return promotion.made(aws, names, step=step, known=known, guard_archive=archive)
        return foundation_steps.performed(
            aws, names, step=step, known=known, unattended=self._unattended
        )

    @contextmanager
    def _entered(self, step: Step) -> Iterator[None]:
        """From the first visible step on a run that dies leaves something to mend; one that sleeps
        finds out when it wakes, whatever it was about to send. So it does where it lets go of what
        is old, of which the records still tell whoever comes after one that died.

        What is live is recorded under a condition, and whoever sends that again may have freed the
        lease by it.
        """
        lets_go = isinstance(step, DropApiStage | HideReleases | LetGo)
        is_seen = isinstance(step, VisibleStep | TidyingStep) and not isinstance(
            step, RecordStaged | LetGo
        )
        if not is_seen and not lets_go:
            yield
            return
        if is_seen and self._means.lease:
            self._means.lease.begin()
        if not isinstance(step, _FENCED_INSIDE):
            self._means.fence()
        under = (
            nullcontext() if isinstance(step, RecordLive) else self._aws.fenced(self._means.fence)
        )
        with under:
            yield
