"""Waiting for AWS has a deadline, and a few looks before it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runner.aws.waiting import until
from runner.errors import JamError, busy_error


class Machine:
    """Its clock goes on by `pace` seconds for each that somebody slept: it may stand still."""

    def __init__(self, pace: float) -> None:
        self.now, self.pace, self.looks = 0.0, pace, 0
        self.aws: Any = SimpleNamespace(
            clock=lambda: self.now, sleep=self.sleep, chance=lambda: 0.5
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds * self.pace

    def look(self, found_at: int) -> bool | None:
        self.looks += 1
        return True if self.looks == found_at else None

    def wait(self, found_at: int) -> bool:
        def late() -> JamError:
            return busy_error("JAM-LATE", "late", hint="Run again.")

        return until(self.aws, lambda: self.look(found_at), budget=60, late=late)


def test_a_machine_that_stood_still_for_an_hour_looks_again_before_it_gives_up() -> None:
    slept = Machine(pace=3_600)
    assert slept.wait(found_at=5)


def test_what_never_comes_is_given_up_after_its_budget() -> None:
    machine = Machine(pace=1)
    with pytest.raises(JamError):
        machine.wait(found_at=10_000)
    assert 55 < machine.now <= 60
    slept = Machine(pace=3_600)
    with pytest.raises(JamError):
        slept.wait(found_at=10_000)
    assert slept.looks == 8
