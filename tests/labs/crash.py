"""Kills a run at any of its calls to AWS, before or after the effect; the dead stay dead.

A point is the k-th call that a run sends, whoever of its threads sends it. Nothing of ours is
patched: the run gets an account object that counts, as any caller may pass one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.aws.session import Aws
from runner.local.cloud import Cloud
from tests.labs import direct

CALL_TAKES = 0.1  # seconds; in no time at all a run would ask more than AWS's rates allow


class Crash(BaseException):
    """Not even cleaning up reaches AWS any more."""


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after the effect of the `call`-th call, from 1; with `operation` of those calls.

    A run without one goes through.
    """

    call: int
    after: bool = False
    operation: str = ""

    def __str__(self) -> str:
        when = "after" if self.after else "before"
        return f"{when} {self.operation or 'call'} {self.call}"


class Wire:
    """What a run sends. At its point it dies; `meanwhile` happens there instead, if given."""

    def __init__(
        self, point: Point | None = None, *, meanwhile: Callable[[], object] | None = None
    ) -> None:
        self.calls: list[str] = []  # by operation, in the order of sending
        self.dead = False
        self._point = point
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._mine = threading.local()

    @property
    def died_at(self) -> str:
        return self.calls[-1] if self.dead and self.calls else ""

    def sends(self, operation: str) -> None:
        with self._lock:
            if self.dead:
                raise Crash
            self.calls.append(operation)
            self._mine.number = len(self.calls)
            self._mine.same = self.calls.count(operation)
            self._mine.operation = operation
        self._pass(after=False)

    def heard(self) -> None:
        self._pass(after=True)
        if self.dead:
            raise Crash

    def _pass(self, *, after: bool) -> None:
        if not self._is_there(after=after):
            return
        if self._meanwhile:
            self._meanwhile()
            return
        self.dead = True
        raise Crash

    def _is_there(self, *, after: bool) -> bool:
        mine, point = self._mine, self._point
        if point is None or point.after != after:
            return False
        if point.operation:
            same = (getattr(mine, "operation", ""), getattr(mine, "same", 0))
            return same == (point.operation, point.call)
        return bool(point.call == getattr(mine, "number", 0))


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
        self.wire.sends(asked or "upload")

    def _ask(self, model: Any, **_: object) -> None:
        self._asked.operation = model.name

    def _hear(self, **_: object) -> None:
        self.wire.heard()
