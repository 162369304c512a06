"""What CloudWatch keeps of a metric's values in a moment: aggregates, and the values themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Source: CloudWatch API reference, MetricAlarm, Statistic.
SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")

# Source: CloudWatch user guide, "CloudWatch statistics definitions": up to ten decimal places.
_PERCENTILE = re.compile(r"p(?P<rank>\d{1,2}(?:\.\d{1,10})?|100)")
_OTHER_EXTENDED = re.compile(
    r"(?:tm|tc|ts|wm)(?:\d{1,2}(?:\.\d{1,10})?|100)|IQM|(?:PR|TM|TC|TS|WM)\([^()]*:[^()]*\)"
)


# Values above the first and up to the second bound, which are values, not percentages; one of them
# may be left out.
# Source: CloudWatch user guide, "CloudWatch statistics definitions", Trimmed count.
_NUMBER = r"\d+(?:\.\d+)?"
_COUNT = re.compile(rf"TC\((?P<above>{_NUMBER})?:(?P<upto>{_NUMBER})?\)")


@dataclass(slots=True)
class Point:
    """`values` maps each value to how often it came; None if only aggregates were sent."""

    count: float = 0.0
    total: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    values: dict[float, float] | None = field(default_factory=dict)

    def add(self, value: float, count: float = 1.0) -> None:
        self.count += count
        self.total += value * count
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        if self.values is not None:
            self.values[value] = self.values.get(value, 0.0) + count

    def merge(self, other: Point) -> None:
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)
        if self.values is None or other.values is None:
            self.values = None
            return
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count


def statistic_set(*, count: float, total: float, least: float, most: float) -> Point:
    """Percentiles need values: a set has them only if all of them are equal.

    Source: CloudWatch API reference, PutMetricData.
    """
    values = {least: count} if least == most else None
    return Point(count=count, total=total, least=least, most=most, values=values)


def known_statistic(name: str) -> bool:
    return bool(name in SIMPLE or _PERCENTILE.fullmatch(name) or _OTHER_EXTENDED.fullmatch(name))


def emulated_statistic(name: str) -> bool:
    return name in SIMPLE or rank_of(name) is not None or bounds_of(name) is not None


def rank_of(name: str) -> float | None:
    """99.9 of `p99.9`; None for anything but a percentile."""
    found = _PERCENTILE.fullmatch(name)
    return float(found["rank"]) if found else None


def bounds_of(name: str) -> tuple[float, float] | None:
    """(500, inf) of `TC(500:)`; None for anything but a count between values."""
    found = _COUNT.fullmatch(name)
    if found is None or found["above"] is found["upto"] is None:
        return None
    return float(found["above"] or -math.inf), float(found["upto"] or math.inf)


def value_of(point: Point, statistic: str) -> float | None:
    """None where the data has no such statistic: percentiles of sets or of negative values."""
    simple = _OF.get(statistic)
    if simple:
        return simple(point)
    if point.values is None or point.least < 0:
        return None
    bounds = bounds_of(statistic)
    if bounds is not None:
        above, upto = bounds
        return sum(count for value, count in point.values.items() if above < value <= upto)
    rank = rank_of(statistic)
    if rank is None:
        return None
    return _percentile(point.values, rank)


def _percentile(values: Mapping[float, float], rank: float) -> float:
    """The smallest value at or below which `rank` per cent of the samples lie."""
    wanted = rank / 100 * sum(values.values())
    seen = 0.0
    ordered = sorted(values)
    for value in ordered:
        seen += values[value]
        if seen >= wanted:
            return value
    return ordered[-1]


_OF: dict[str, Callable[[Point], float]] = {
    "SampleCount": lambda point: point.count,
    "Average": lambda point: point.total / point.count,
    "Sum": lambda point: point.total,
    "Minimum": lambda point: point.least,
    "Maximum": lambda point: point.most,
}
