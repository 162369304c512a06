"""Kills a run at any of its calls to AWS, before or after the effect; the dead stay dead.

A point is the k-th call that a run sends, whoever of its threads sends it, or better the k-th of an
operation: that does not depend on threads. Nothing of ours is patched: the run gets an account
object that counts, as any caller may pass one. `tests/labs/points.py` says which points there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.aws.session import Aws
from runner.local.cloud import Cloud
from runner.local.journal import writes
from tests.labs import direct

UPLOAD = "upload"  # by the CRT, which tells nobody here when it has heard
WRITE = "write"  # as a point's operation: any that changes something
SOON = 1.0  # seconds of ours by which a call that is under way beside another has ended
CALL_TAKES = 0.1  # seconds; in no time at all a run would ask more than AWS's rates allow


class Crash(BaseException):
    """Not even cleaning up reaches AWS any more."""


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after the effect of the `call`-th call, from 1; with `operation` of those calls.

    `overtaken`: the call never reaches AWS, while one does that was sent after it. A run without a
    point goes through.
    """

    call: int
    after: bool = False
    operation: str = ""
    overtaken: bool = False

    def __str__(self) -> str:
        when = "overtaken at" if self.overtaken else "after" if self.after else "before"
        return f"{when} {self.operation or 'call'} {self.call}"


@dataclass(slots=True, eq=False)
class Sent:
    """One call of a run, the `number`-th of all and the `same`-th of its operation, from 1.

    `beside`: it changes something, and so did another that was under way at the same time.
    """

    operation: str
    number: int
    same: int
    written: int  # calls that change something so far, this one included
    writes: bool
    beside: bool = False


class Wire:
    """What a run sends. At its point it dies; `meanwhile` happens there instead, if given."""

    def __init__(
        self, point: Point | None = None, *, meanwhile: Callable[[], object] | None = None
    ) -> None:
        self.log: list[Sent] = []
        self.dead = False
        self.struck = False  # it came by its point
        self._point = point
        self._meanwhile = meanwhile
        self._moved = threading.Condition()
        self._under_way: list[Sent] = []  # of those that change something
        self._held = 0  # the number of the call that is to be overtaken, once it is there
        self._overtaken = False
        self._mine = threading.local()

    @property
    def calls(self) -> list[str]:
        """By operation, in the order of sending."""
        return [each.operation for each in self.log]

    @property
    def died_at(self) -> str:
        return self.log[-1].operation if self.dead and self.log else ""

    def sends(self, operation: str) -> None:
        with self._moved:
            if self.dead:
                raise Crash
            self._leave()
            self._mine.sent = sent = self._next(operation)
            self._mine.open = {**getattr(self._mine, "open", {}), operation: sent}
            if sent.writes:
                self._mark(sent)
        self._pass(after=False)

    def heard(self, operation: str) -> None:
        """A fence that looks is asked within the call that it is for, which is answered later."""
        with self._moved:
            self._leave()
            self._mine.sent = getattr(self._mine, "open", {}).pop(operation, None)
            self._leave()
        self._pass(after=True)
        if self.dead:
            raise Crash

    def _leave(self) -> None:
        """This thread's call is over; one that it sends again is, too."""
        sent: Sent | None = getattr(self._mine, "sent", None)
        if sent and sent in self._under_way:
            self._under_way.remove(sent)
            self._overtaken = self._overtaken or 0 < self._held < sent.number
            self._moved.notify_all()

    def _next(self, operation: str) -> Sent:
        before = self.log[-1].written if self.log else 0
        changes = operation == UPLOAD or writes(operation)
        same = 1 + sum(each.operation == operation for each in self.log)
        self.log.append(Sent(operation, len(self.log) + 1, same, before + changes, changes))
        return self.log[-1]

    def _mark(self, sent: Sent) -> None:
        for each in self._under_way:
            each.beside = sent.beside = True
        if sent.operation != UPLOAD:
            self._under_way.append(sent)

    def _pass(self, *, after: bool) -> None:
        with self._moved:
            if self.struck or not self._is_there(after=after):
                return
            self.struck = True
        if self._meanwhile:
            self._meanwhile()
            return
        with self._moved:
            if self._point and self._point.overtaken:
                self._held = self._mine.sent.number
                self._moved.wait_for(lambda: self._overtaken, SOON)
            self.dead = True
        raise Crash

    def _is_there(self, *, after: bool) -> bool:
        point: Point | None = self._point
        sent: Sent | None = getattr(self._mine, "sent", None)
        if point is None or sent is None or point.after != after:
            return False
        if point.operation == WRITE:
            return sent.writes and point.call == sent.written
        if point.operation:
            return (sent.operation, sent.same) == (point.operation, point.call)
        if after:  # nobody hears the answer to an upload: the next one that is heard will do
            return point.call <= sent.number
        return point.call == sent.number


class Account(Aws):
    """The account as a run sees it that may die: every way out, boto3's and the CRT's, counts."""

    def __init__(
        self,
        wire: Wire,
        cloud: Cloud,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        credentials: tuple[str, str, str | None] = direct.TEST,
    ) -> None:
        session = direct.session(cloud, credentials)
        super().__init__(session, cloud.endpoint, clock=clock, sleep=sleep, chance=lambda: 0.5)
        self.wire = wire
        self.hooks = session.events
        self._asked = threading.local()
        session.events.register_first("before-call", self._ask)
        session.events.register_last("after-call", self._hear)

    def counted(self) -> None:
        super().counted()
        self.sleep(CALL_TAKES)
        asked, self._asked.operation = getattr(self._asked, "operation", ""), ""
        self.wire.sends(asked or UPLOAD)

    def _ask(self, model: Any, **_: object) -> None:
        self._asked.operation = model.name

    def _hear(self, model: Any, **_: object) -> None:
        self.wire.heard(model.name)
