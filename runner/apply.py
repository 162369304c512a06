"""Carries out a plan, phase by phase; never decides, never reads AWS to choose.

Nothing is switched until everything is staged: a run that dies while staging leaves visitors
where they were.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from runner.errors import JamError, Turn
from runner.plan.background import MoveSchedule
from runner.plan.live import Live
from runner.plan.previewing import LeadStage
from runner.plan.refs import Made, Ref
from runner.plan.releasing import Activate, MoveAlias, RecordStaged
from runner.plan.steps import Plan, StageStep, Step
from runner.plan.streaming import MoveStream
from runner.together import at_once

WORKERS = 16  # steps wait for AWS, not for the processor

Known = Mapping[Ref, str]


class Progress(Protocol):
    """Hears what happens; called from several threads."""

    def started(self, step: Step) -> None: ...

    def moved(self, step: Step, *, files: int, size: int) -> None:
        """So many more files and bytes of an upload or a copy have arrived."""

    def finished(self, step: Step, *, seconds: float) -> None: ...

    def failed(self, step: Step) -> None: ...


class Fence(Protocol):
    """Asked right before a visible write; raises where another run has taken over.

    `looks`: this write was refused before, so what was trusted then is not any more.
    """

    def __call__(self, *, looks: bool = False) -> None: ...


def unfenced(*, looks: bool = False) -> None:
    """For whoever is alone for certain."""


Moved = Callable[[int, int], None]
"""Reports files and bytes that arrived since the last report."""


class Perform(Protocol):
    """Makes one step true in AWS; returns what it made. Harmless to repeat."""

    def __call__(self, step: Step, known: Known, moved: Moved) -> Known: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What stands after a plan was carried out: every id that AWS picked, and the time it took."""

    known: Known
    seconds: float


def apply(
    plan: Plan,
    perform: Perform,
    *,
    known: Known,
    progress: Progress,
    clock: Callable[[], float],
) -> Applied:
    """Performs `plan`; raises the first failure after the steps under way have ended.

    `clock` counts seconds; `known` holds the ids of what exists already.
    """
    start = clock()
    run = _Run(perform, progress, clock, dict(known))
    run.stage(plan.stage)
    for steps in _together((*plan.switch, *plan.settle)):
        run.all_of(steps)
    return Applied(known=run.known, seconds=clock() - start)


def known_of(live: Live, plan: Plan) -> Known:
    """The references that `plan` may use from the start: ids and versions of what stands."""
    made = {ref for step in plan.stage for ref in step.makes}
    versions = {Ref(Made.VERSION, name): each.version for name, each in live.functions.items()}
    stands = dict.fromkeys(live.existing, "")
    return {
        ref: value for ref, value in {**stands, **versions, **live.known}.items() if ref not in made
    }


def _together(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """In their order, those beside each other that may go at once."""
    is_new = any(isinstance(step, RecordStaged) for step in steps)
    for _, group in groupby(enumerate(steps), key=lambda it: _rank(*it, is_new=is_new)):
        yield tuple(step for _, step in group)


def _rank(number: int, step: Step, *, is_new: bool) -> str:
    """The same of steps between which no order is. Entry answers for the release that the router
    asks it for, whichever is its own, and functions of either release are called by pages of
    either while a switch lasts: nobody is served better by one pointer before the other.

    But what shows a release that `is_new` waits for the others: where one of them is refused the
    run fails, and no visitor has noticed it.
    """
    if isinstance(step, RecordStaged | LeadStage | MoveAlias | MoveStream):
        return "pointers"  # with the record that all is staged: what is live is recorded after both
    if isinstance(step, Activate):
        return "shown" if is_new else "pointers"
    return "schedules" if isinstance(step, MoveSchedule) else str(number)


class _Run:
    """One application of a plan: who is done, what was made."""

    def __init__(
        self,
        perform: Perform,
        progress: Progress,
        clock: Callable[[], float],
        known: dict[Ref, str],
    ) -> None:
        self._perform = perform
        self._progress = progress
        self._clock = clock
        self._lock = threading.Lock()
        self.known = known

    def stage(self, steps: Sequence[StageStep]) -> None:
        waiting = list(steps)
        running: dict[Future[None], StageStep] = {}
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="stage")
        patient = True
        try:
            while waiting or running:
                for step in self._ready(waiting):
                    waiting.remove(step)
                    running[pool.submit(self.one, step)] = step
                if not running:
                    raise _stuck(waiting, self.known)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    future.result()
        except KeyboardInterrupt:
            patient = False  # steps may hang in the network; repeating them is harmless
            raise
        finally:
            pool.shutdown(wait=patient, cancel_futures=True)

    def all_of(self, steps: Sequence[Step]) -> None:
        """At once; raises the first failure after all have ended."""
        if len(steps) == 1:
            return self.one(steps[0])
        with at_once(min(len(steps), WORKERS), name="switch") as pool:
            for under_way in [pool.submit(self.one, step) for step in steps]:
                under_way.result()
        return None

    def one(self, step: Step) -> None:
        self._progress.started(step)
        start = self._clock()

        def moved(files: int, size: int) -> None:
            self._progress.moved(step, files=files, size=size)

        try:
            made = self._perform(step, self.known, moved)
        except BaseException:
            self._progress.failed(step)
            raise
        with self._lock:
            self.known = {**self.known, **made}
        self._progress.finished(step, seconds=self._clock() - start)

    def _ready(self, waiting: Sequence[StageStep]) -> list[StageStep]:
        return [step for step in waiting if all(ref in self.known for ref in step.needs)]


def _stuck(waiting: Sequence[StageStep], known: Known) -> JamError:
    lacking = {str(ref) for step in waiting for ref in step.needs if ref not in known}
    return JamError(
        "JAM-PLAN",
        f"the plan waits for what nothing makes: {', '.join(sorted(lacking))}",
        hint="This is a defect of jam-deploy: please report it with the output of `plan`.",
        turn=Turn.US,
    )
