"""Kills a run at any of its calls to AWS, before or after the effect; the dead stay dead.

A point is the k-th call that a run sends, whoever of its threads sends it. Nothing of ours is
patched: the run gets an account object that counts, as any caller may pass one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from runner.aws.session import Aws

CALL_TAKES = 0.1  # seconds; in no time at all a run would ask more than AWS's rates allow


class Crash(BaseException):
    """Not even cleaning up reaches AWS any more."""


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after the effect of the `call`-th call, from 1. A run without one goes through."""

    call: int
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} call {self.call}"


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
        self._pass(after=False)

    def heard(self) -> None:
        self._pass(after=True)
        if self.dead:
            raise Crash

    def _pass(self, *, after: bool) -> None:
        number = getattr(self._mine, "number", 0)
        if self._point != Point(number, after):
            return
        if self._meanwhile:
            self._meanwhile()
            return
        self.dead = True
        raise Crash


class Account(Aws):
    """The account as a run sees it that may die: every way out, boto3's and the CRT's, counts."""

    def __init__(
        self,
        wire: Wire,
        endpoint: str,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        session = boto3.Session(
            region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        super().__init__(session, endpoint, clock=clock, sleep=sleep, chance=lambda: 0.5)
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
