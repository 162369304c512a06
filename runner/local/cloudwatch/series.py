"""What metric math computes with: numbers, time series, arrays of them. Pure.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics": in arithmetic and
comparisons a missing value counts as 0; a data point that would divide by zero is dropped.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runner.local.cloudwatch import refusals


@dataclass(frozen=True, slots=True)
class Series:
    """`points` by the begin of their period, in epoch seconds."""

    points: dict[int, float] = field(default_factory=dict)
    id: str = ""
    label: str = ""
    period: int = 0  # a metric's; of what was computed it is none

    def mapped(self, change: Callable[[float], float | None]) -> Series:
        changed = {at: change(value) for at, value in self.points.items()}
        return self.having({at: value for at, value in changed.items() if value is not None})

    def having(self, points: dict[int, float]) -> Series:
        return replace(self, points=points)


Value = float | Series | list[Series]


def each(value: Value, change: Callable[[Series], Series]) -> Series | list[Series]:
    """For functions that make of one series one, of several as many."""
    if isinstance(value, list):
        return [change(one) for one in value]
    return change(series(value))


def series(value: Value) -> Series:
    if not isinstance(value, Series):
        raise refusals.validation("Error in expression: a single time series is wanted here.")
    return value


def array(value: Value) -> list[Series]:
    if isinstance(value, float):
        raise refusals.validation("Error in expression: a time series is wanted, not a number.")
    return value if isinstance(value, list) else [value]


def scalar(value: Value) -> float:
    if not isinstance(value, float):
        raise refusals.validation("Error in expression: a number is wanted, not a time series.")
    return value


def combined(sign: str, left: Value, right: Value) -> Value:
    """A pair of numbers is a number; with a series a series, with an array an array."""
    if isinstance(left, list):
        others = right if isinstance(right, list) else [right] * len(left)
        if len(left) != len(others):
            raise refusals.validation("Error in expression: the arrays differ in length.")
        return [_pair(sign, one, other) for one, other in zip(left, others, strict=True)]
    if isinstance(right, list):
        return [_pair(sign, left, one) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        found = _computed(sign, left, right)
        return math.nan if found is None else found
    return _pair(sign, left, right)


def _pair(sign: str, left: float | Series, right: float | Series) -> Series:
    """Where neither side has a value there is none."""
    times = sorted({at for side in (left, right) if isinstance(side, Series) for at in side.points})
    found = {at: _computed(sign, _at(left, at), _at(right, at)) for at in times}
    label = next((side.label for side in (left, right) if isinstance(side, Series)), "")
    return Series({at: value for at, value in found.items() if value is not None}, label=label)


def _at(side: float | Series, moment: int) -> float:
    return side.points.get(moment, 0.0) if isinstance(side, Series) else side


def _computed(sign: str, left: float, right: float) -> float | None:
    try:
        found = float(_OPERATORS[sign](left, right))
    except (ZeroDivisionError, OverflowError, TypeError):  # a root of a negative is complex
        return None
    return found if math.isfinite(found) else None


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "AND": lambda left, right: bool(left) and bool(right),
    "OR": lambda left, right: bool(left) or bool(right),
}
