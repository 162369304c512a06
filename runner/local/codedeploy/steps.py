"""Runs the steps of deployments when they are due, one at a time, and judges how each went."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from runner.local.codedeploy.account import Account
from runner.local.codedeploy.values import Busy, Deployment, Problem, Trouble

_AGAIN = 5.0  # cloud seconds until a step that AWS did not answer is tried again
_ATTEMPTS = 12

Step = Callable[[Deployment], None]


class Steps:
    """`fail` ends a deployment whose step is in Trouble, or Busy too often."""

    def __init__(
        self,
        account: Account,
        *,
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
        fail: Callable[[Deployment, Problem], None],
    ) -> None:
        self._account = account
        self._lock = lock
        self._fail = fail

    @property
    def now(self) -> float:
        return self._account.clock.now()

    @property
    def live(self) -> bool:
        """Not while recorded calls are replayed: nothing may be asked or sent then."""
        return self._account.clock.timers.live

    def at(
        self, deployment: Deployment, when: float, step: Step, *, even_stopping: bool = False
    ) -> None:
        """Takes the step at `when`, if the deployment is still there and goes on."""

        def run() -> None:
            with self._lock():
                kept = self._account.region(deployment.region).deployments
                here = kept.get(deployment.identity) is deployment and deployment.active
                if here and (even_stopping or not deployment.stopping):
                    self._run(deployment, step)

        self._account.clock.timers.at(when, run)

    def _run(self, deployment: Deployment, step: Step) -> None:
        try:
            step(deployment)
            deployment.attempts = 0
        except Trouble as trouble:
            self._fail(deployment, trouble.problem)
        except Busy as busy:
            deployment.attempts += 1
            if deployment.attempts >= _ATTEMPTS:
                self._fail(deployment, busy.problem)
                return
            self.at(deployment, self.now + _AGAIN, step)
