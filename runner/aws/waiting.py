"""Waiting for AWS: short steps first, a little chance in each, and always a deadline.

botocore's own waiters look every 1 to 60 s; most of what we wait for takes less than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import ClientError

from runner.aws.session import Aws
from runner.errors import JamError

T = TypeVar("T")
_FIRST, _LONGEST = 0.25, 2.0  # seconds
_LEAST = 8  # looks: a machine that stood still has not been patient


def until(
    aws: Aws, probe: Callable[[], T | None], *, budget: float, late: Callable[[], JamError]
) -> T:
    """What `probe` finds, asked again for `budget` seconds and a few times at least; else raises
    `late`."""
    deadline = aws.clock() + budget
    for looks, pause in enumerate(_pauses(), start=1):
        found = probe()
        if found is not None:
            return found
        spread = pause * (0.75 + aws.chance() / 2)
        if looks >= _LEAST and aws.clock() + spread > deadline:
            raise late()
        aws.sleep(spread)
    raise AssertionError("pauses never end")


def insist(
    aws: Aws,
    call: Callable[[], T],
    *,
    passes: Callable[[ClientError], bool],
    late: Callable[[ClientError], JamError],
    budget: float,
) -> T:
    """What `call` returns, repeated while its refusal is one that `passes`."""
    refused: list[ClientError] = []

    def probe() -> tuple[T] | None:
        try:
            return (call(),)
        except ClientError as error:
            if not passes(error):
                raise
            refused.append(error)
            return None

    (found,) = until(aws, probe, budget=budget, late=lambda: late(refused[-1]))
    return found


def _pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST)
