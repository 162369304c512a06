"""Metrics embedded in log lines. Pure; a line in a wrong format is a line and nothing more.

Source: CloudWatch user guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runner.local.cloudwatch import checks, publishing
from runner.local.cloudwatch.points import Point
from runner.local.cloudwatch.store import Metric
from runner.local.wire import AwsError

MARK = '"_aws"'
_METRICS = 100
_VALUES = 100
_LINE = 1024 * 1024  # bytes; Source: CloudWatch Logs user guide, "CloudWatch Logs quotas"


class Embedded(NamedTuple):
    """One data point: `at` in epoch seconds."""

    metric: Metric
    point: Point
    at: float
    unit: str
    resolution: int


class WrongFormatError(Exception):
    """The line says that it has metrics, and breaks the specification."""


def found(line: str, region: str, *, now: float) -> list[Embedded]:
    """The line's data points; none if it is no JSON object with `_aws`. Raises WrongFormatError."""
    root = _root(line)
    if root is None:
        return []
    meta = root["_aws"]
    if not isinstance(meta, Mapping) or not isinstance(meta.get("CloudWatchMetrics"), list):
        raise WrongFormatError("_aws needs CloudWatchMetrics, a list")
    stamp = meta.get("Timestamp")
    if stamp is None or not _number(stamp):
        raise WrongFormatError("_aws needs Timestamp, in milliseconds")
    try:
        at = publishing.moment(float(stamp) / 1000, now)
        return [
            each
            for directive in meta["CloudWatchMetrics"]
            for each in _directed(directive, root, region=region, at=at)
        ]
    except AwsError as refused:
        raise WrongFormatError(refused.message) from refused
    except (KeyError, TypeError, AttributeError) as error:
        raise WrongFormatError(f"a member is missing or is none: {error}") from error


def _root(line: str) -> Mapping[str, Any] | None:
    """Lambda may put time, request id and level before the object; nothing comes behind it."""
    begin = line.find("{")
    if begin < 0 or MARK not in line or len(line) > _LINE:
        return None
    try:
        root = json.loads(line[begin:])
    except ValueError:
        return None
    return root if isinstance(root, Mapping) and "_aws" in root else None


def _directed(
    directive: Mapping[str, Any], root: Mapping[str, Any], *, region: str, at: float
) -> Iterator[Embedded]:
    space = checks.namespace(directive["Namespace"])
    sets, metrics = directive["Dimensions"], directive["Metrics"]
    if not isinstance(sets, list) or not sets or not all(isinstance(one, list) for one in sets):
        raise WrongFormatError("Dimensions is a list of lists, one at least")
    if not isinstance(metrics, list) or len(metrics) > _METRICS:
        raise WrongFormatError(f"Metrics is a list of at most {_METRICS}")
    named = [checks.dimensions([_dimension(key, root) for key in one]) for one in sets]
    for definition in metrics:
        name = checks.name(definition["Name"])
        unit = checks.unit(definition.get("Unit")) or "None"
        resolution = definition.get("StorageResolution") or 60
        if resolution not in (1, 60):
            raise WrongFormatError("StorageResolution is 1 or 60")
        values = _values(root[name], name)
        for dimensions in named:
            metric = Metric(region, space, name, dimensions)
            yield Embedded(metric, _point(values), at, unit, resolution)


def _dimension(key: str, root: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(root[key], str):
        raise WrongFormatError(f"the dimension {key} needs a text")
    return {"Name": key, "Value": root[key]}


def _values(target: Any, name: str) -> list[float]:
    values = target if isinstance(target, list) else [target]
    if not 1 <= len(values) <= _VALUES or not all(map(_number, values)):
        raise WrongFormatError(f"{name} needs a number, or 1 to {_VALUES} of them")
    return [checks.number(value, name) for value in values]


def _point(values: list[float]) -> Point:
    point = Point()
    for value in values:
        point.add(value)
    return point


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
