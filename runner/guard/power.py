"""What a rollout can find out, said before it begins. Pure; standard library only."""

from __future__ import annotations

import math
from typing import NamedTuple

from runner.guard.verdict import Minute, fail_at, total

_HEALTHY = 0.005  # share of failing sessions that is taken for granted in both releases
_STEPS = tuple(share / 200 for share in range(1, 201))


class Power(NamedTuple):
    """`sessions` will be given the candidate before the last step.

    `detects` is the least share of failing sessions that is found in four rollouts of five, or None
    where even a candidate that always fails may go unseen. `minutes` is how long one that always
    fails takes to be found, if it is.
    """

    sessions: float
    detects: float | None
    minutes: int | None


def power(
    *,
    sessions_a_minute: float,
    percent: float,
    minutes: int,
    signals: int,
    healthy: float = _HEALTHY,
) -> Power:
    """The power of a rollout that gives `percent` of new sessions the candidate for `minutes`."""
    a_minute = sessions_a_minute * percent / 100
    others = sessions_a_minute - a_minute
    enough = fail_at(signals)

    def found(share: float, after: int) -> bool:
        failed = _unlucky(a_minute * after * share)
        counted = Minute(
            candidate=round(a_minute * after),
            candidate_failed=int(failed),
            baseline=round(others * after),
            baseline_failed=math.ceil(others * after * healthy),
        )
        return total([counted]).log_e >= enough

    return Power(
        sessions=a_minute * minutes,
        detects=next((share for share in _STEPS if found(share, minutes)), None),
        minutes=next((after for after in range(1, minutes + 1) if found(1.0, after)), None),
    )


def _unlucky(expected: float) -> float:
    """What at least that many come to in four cases of five: one deviation below a Poisson mean."""
    return max(0.0, expected - 0.84 * math.sqrt(expected))
