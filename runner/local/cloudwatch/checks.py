"""What holds for every metric: namespaces, names, dimensions, values, units, periods. Pure.

Source: CloudWatch API reference, PutMetricData, MetricDatum, Dimension, MetricStat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runner.local.cloudwatch import refusals
from runner.local.cloudwatch.store import Dimensions

DIMENSIONS = 30
_NAME = 255
_DIMENSION_VALUE = 1024
_LARGEST = 2.0**360
_FINE = (1, 5, 10, 20, 30)

_SIZES = ("", "Kilo", "Mega", "Giga", "Tera")
_AMOUNTS = tuple(f"{size}{what}".capitalize() for size in _SIZES for what in ("bytes", "bits"))
_PLAIN = ("Seconds", "Microseconds", "Milliseconds", "Percent", "None")
_COUNTED = ("Count", *_AMOUNTS)
UNITS = frozenset((*_PLAIN, *_COUNTED, *(f"{unit}/Second" for unit in _COUNTED)))


def namespace(given: str | None) -> str:
    if not given:
        raise refusals.required("The parameter Namespace is required.")
    if len(given) > _NAME or given.startswith(":") or not _plain(given):
        raise refusals.value(f"The value {given[:80]} for parameter Namespace is invalid.")
    return given


def name(given: str | None) -> str:
    if not given:
        raise refusals.required("The parameter MetricName is required.")
    if len(given) > _NAME or not _plain(given):
        raise refusals.value(f"The value {given[:80]} for parameter MetricName is invalid.")
    return given


def dimensions(given: Sequence[dict[str, Any]] | None) -> Dimensions:
    """Sorted: their order is no part of a metric's identity."""
    pairs = [(each.get("Name"), each.get("Value")) for each in given or ()]
    if len(pairs) > DIMENSIONS:
        raise refusals.value(f"The collection Dimensions must not have a size greater than "
                             f"{DIMENSIONS}.")  # fmt: skip
    for key, text in pairs:
        if not key or not text:
            raise refusals.required("Dimensions need a Name and a Value.")
        if len(key) > _NAME or key.startswith(":") or not _plain(key):
            raise refusals.value(f"The value {key[:80]} for parameter Dimensions is invalid.")
        if len(text) > _DIMENSION_VALUE or not _plain(text):
            raise refusals.value(f"The value {text[:80]} for parameter Dimensions is invalid.")
    if len({key for key, _ in pairs}) != len(pairs):
        raise refusals.value("No two dimensions of a metric may have the same name.")
    return tuple(sorted((str(key), str(text)) for key, text in pairs))


def number(given: Any, parameter: str) -> float:
    found = float(given)
    if math.isnan(found) or math.isinf(found):
        raise refusals.value(f"The value {found} for parameter {parameter} is invalid.")
    if abs(found) > _LARGEST:
        raise refusals.value(f"The value {found} for parameter {parameter} is out of range.")
    return found


def unit(given: str | None) -> str:
    if given and given not in UNITS:
        raise refusals.value(f"The value {given} for parameter Unit is invalid.")
    return given or ""


def period(given: int, *, fine: Sequence[int] = _FINE) -> int:
    if given not in fine and (given <= 0 or given % 60):
        raise refusals.validation(
            f"Period must be one of {', '.join(map(str, fine))} or a multiple of 60, not {given}."
        )
    return given


def _plain(text: str) -> bool:
    """ASCII without control characters, and something else than white space."""
    return text.isascii() and text.isprintable() and bool(text.strip())
