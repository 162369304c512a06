"""Waiting for AWS: short steps first, a little chance in each, and always a deadline.

botocore's own waiters look every 1 to 60 s; most of what we wait for takes less than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from runner.aws.session import Aws
from runner.errors import JamError

T = TypeVar("T")
_FIRST, _LONGEST = 0.25, 2.0  # seconds


def until(
    aws: Aws, probe: Callable[[], T | None], *, budget: float, late: Callable[[], JamError]
) -> T:
    """What `probe` finds, asked again for at most `budget` seconds; else raises `late`."""
    deadline = aws.clock() + budget
    for pause in _pauses():
        found = probe()
        if found is not None:
            return found
        spread = pause * (0.75 + aws.chance() / 2)
        if aws.clock() + spread > deadline:
            raise late()
        aws.sleep(spread)
    raise AssertionError("pauses never end")


def _pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST)
