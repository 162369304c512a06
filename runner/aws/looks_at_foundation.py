"""Looks at what releases stand on: each step of the foundation is performed, and writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from runner.apply import Known, Perform
from runner.aws import functions, guard, lost_tables, promotion
from runner.aws.live import found_ids, recorded_ids
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.withheld import Reader
from runner.aws.written import Recorded
from runner.errors import JamError
from runner.names import Names
from runner.plan.drift import Finding, State, finding, pending, refused
from runner.plan.foundation import ENTRY, MakeTable
from runner.plan.groundwork import Foundation, foundation_steps
from runner.plan.inventory import What
from runner.plan.live import Live
from runner.plan.promotion import MakeGuard
from runner.plan.refs import Made, Ref
from runner.plan.resources import named
from runner.plan.steps import StageStep, Step
from runner.plan.streaming import RecordStreams


class FoundationLook:
    """What stands is known to the steps after it; what is missing ends their turn."""

    def __init__(
        self,
        aws: Aws,
        names: Names,
        *,
        foundation: Foundation,
        recorded: Recorded,
        reader: Reader,
        perform: Perform,
    ) -> None:
        self._aws = aws
        self._names = names
        self._foundation = foundation
        self._there, self._staged = recorded.there, recorded.staged
        self._reader = reader
        self._perform = perform

    def all(self, pool: ThreadPoolExecutor) -> tuple[list[Finding], Known]:
        """What its steps find, each once what it needs was found; and what is known then."""
        waiting: list[StageStep] = list(foundation_steps(self._foundation, self._live))
        known: Known = {
            Ref(Made.RECORD): "",
            Ref(Made.VERSION, ENTRY): self._staged.entry,
            **{Ref(Made.VERSION, name): each.version
               for name, each in self._staged.functions.items()},
        }  # fmt: skip
        found: list[Finding] = []
        known = self._waves(pool, waiting, found, known)
        if waiting:  # for a thing that is gone: by the recorded thing's id
            ids = recorded_ids(self._names, self._there, foundation=self._foundation)
            stand = found_ids(self._aws, self._names, foundation=self._foundation)
            told: list[Finding] = []
            self._waves(pool, waiting, told, {**ids, **stand, **known})
            found += [each for each in told if not each.is_unseen]
        return found, known

    def _waves(
        self,
        pool: ThreadPoolExecutor,
        waiting: list[StageStep],
        found: list[Finding],
        known: Known,
    ) -> Known:
        """Steps of `waiting` whose needs are known, until there is none; what is known then."""
        while ready := [each for each in waiting if all(ref in known for ref in each.needs)]:
            waiting[:] = [each for each in waiting if each not in ready]
            for made, told in pool.map(partial(self._step, known=known), ready):
                known = {**known, **made}
                found += told
        return known

    @property
    def _live(self) -> Live:
        return Live(streams=self._there.streams, functions=self._there.functions)

    def _step(self, step: Step, *, known: Known) -> tuple[Known, list[Finding]]:
        """What the step finds or would make; without what it would have made."""
        if isinstance(step, RecordStreams):
            return {Ref(Made.STREAMS): ""}, []
        kind, name = named(step, self._names)
        made: Known = {}
        told: list[Finding] = []
        with self._reader.hearing() as writes:
            try:
                made = self._performed(step, known, writes)
            except JamError as error:
                told.append(refused(kind, name, error))
        if writes:
            told.append(self._found(step, kind, name, writes=writes))
        return made, told

    def _performed(self, step: Step, known: Known, writes: list[str]) -> Known:
        if not isinstance(step, MakeGuard):
            return self._perform(step, known, lambda *_: None)
        with explained():  # without its program, which only a deploy has
            is_published = functions.as_published(self._aws, self._names, name=self._names.guard)
            if not is_published:
                writes.append("CreateFunction" if is_published is None else "UpdateFunctionCode")
                return {}
            promotion.allow_store(self._reader.aws, self._names, known=known)
            guard.around(self._reader.aws, self._names)
        return dict.fromkeys(step.makes, self._names.guard)

    def _found(self, step: Step, kind: What, name: str, *, writes: list[str]) -> Finding:
        found = finding(kind, name, writes)
        if isinstance(step, MakeTable) and found.state is State.MISSING and self._had(step):
            return lost_tables.finding(self._aws, name)
        is_deployed = self._there.foundation in ("", self._foundation.digest)
        return found if is_deployed else pending(found)

    def _had(self, step: MakeTable) -> bool:
        """Whether it is recorded; on an older record all that the foundation covers were."""
        if self._there.tables is not None:
            return step.table.name in self._there.tables
        return self._there.foundation == self._foundation.digest
