"""PutMetricAlarm's rules: from parameters to a `Watch`, or a refusal. Pure.

Source: CloudWatch API reference, PutMetricAlarm, MetricDataQuery; CloudWatch user guide, "Alarm
evaluation", "CloudWatch service quotas".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.local.cloudwatch import checks, points, queries, refusals
from runner.local.cloudwatch.alarm import Watch
from runner.local.cloudwatch.missing_data import TREATMENTS
from runner.local.cloudwatch.queries import Query, Stat

COMPARISONS = (
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)  # fmt: skip
_BANDS = (
    "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)  # fmt: skip
_PERIODS = (10, 20, 30)
_ACTIONS = 5
_METRICS = 10  # that a math expression of an alarm may use
_DAY = 86_400
_WEEK = 7 * _DAY
_NAME = 255
_DESCRIPTION = 1024
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(?P<region>[a-z0-9-]*):(?P<account>[0-9]*):.+")
_SINGLE = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic",
           "ExtendedStatistic")  # fmt: skip
_SHOWN = (
    "AlarmDescription", "OKActions", "AlarmActions", "InsufficientDataActions", *_SINGLE,
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator",
    "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics",
)  # fmt: skip
_NEWER = ("ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria",
          "EvaluationInterval", "ActionConfiguration")  # fmt: skip
_ACTION_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def watch(given: Mapping[str, Any], region: str) -> Watch:
    """Raises ValidationError and its like, and 501 for what is not emulated."""
    name = alarm_name(given.get("AlarmName"))
    for parameter in _NEWER:
        if given.get(parameter) is not None:
            raise refusals.missing(f"{parameter} in PutMetricAlarm")
    if len(given.get("AlarmDescription") or "") > _DESCRIPTION:
        raise refusals.validation(f"AlarmDescription has at most {_DESCRIPTION} characters.")
    for kind in _ACTION_LISTS:
        _check_actions(given.get(kind) or (), region)
    stat, asked = _watched(given, region)
    period = stat.period if stat else _period_of(asked)
    periods, to_alarm = _counts(given, period)
    return Watch(
        name=name,
        region=region,
        given={key: given[key] for key in _SHOWN if given.get(key) not in (None, [])},
        period=period,
        periods=periods,
        to_alarm=to_alarm,
        comparison=_comparison(given),
        threshold=_threshold(given),
        missing=_one_of(given, "TreatMissingData", TREATMENTS),
        low_samples=_one_of(given, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore")),
        stat=stat,
        queries=asked,
        watched=next((query.id for query in asked if query.returned), ""),
    )


def alarm_name(given: str | None) -> str:
    if not given or len(given) > _NAME or not given.isascii():
        raise refusals.validation(
            f"Value '{given or ''}' at 'alarmName' failed to satisfy constraint: 1 to {_NAME} "
            "ASCII characters"
        )
    return given


def _watched(given: Mapping[str, Any], region: str) -> tuple[Stat | None, tuple[Query, ...]]:
    if not given.get("Metrics"):
        return _single(given, region), ()
    for parameter in _SINGLE:
        if given.get(parameter) not in (None, []):
            raise refusals.validation(
                f"{parameter} must not be set when Metrics is set: use MetricStat instead."
            )
    asked = queries.checked(given["Metrics"], region)
    if sum(query.returned for query in asked) != 1:
        raise refusals.validation("Exactly one element of the metrics list should return data.")
    if sum(1 for query in asked if query.stat) > _METRICS:
        raise refusals.validation(f"An alarm's expression uses at most {_METRICS} metrics.")
    watched = next(query for query in asked if query.returned)
    if isinstance(queries.empty(asked).of(watched.id), list):
        raise refusals.validation("The watched expression must give a single time series.")
    return None, asked


def _single(given: Mapping[str, Any], region: str) -> Stat:
    if not given.get("MetricName"):
        raise refusals.validation("Either MetricName or Metrics must be specified.")
    simple, extended = given.get("Statistic"), given.get("ExtendedStatistic")
    if bool(simple) == bool(extended):
        raise refusals.validation(
            "Exactly one of Statistic and ExtendedStatistic must be specified."
        )
    if simple and simple not in points.SIMPLE:
        raise refusals.validation(f"Value '{simple}' at 'statistic' is not one of its values.")
    if extended and extended in points.SIMPLE:
        raise refusals.validation(f"The value {extended} for ExtendedStatistic is not supported.")
    metric = {key: given.get(key) for key in ("Namespace", "MetricName", "Dimensions")}
    if not given.get("Period"):
        raise refusals.validation("Period must be specified.")
    checks.period(int(given["Period"]), fine=_PERIODS)
    asked = {"Metric": metric, "Stat": simple or extended} | {
        key: given.get(key) for key in ("Period", "Unit")
    }
    return queries.stat(asked, region)


def _period_of(asked: Sequence[Query]) -> int:
    """Each metric of an expression must use the same period."""
    found = {query.stat.period for query in asked if query.stat}
    found |= {query.period for query in asked if query.period}
    if len(found) != 1:
        raise refusals.validation("All metrics of an alarm's expression must have one period.")
    return checks.period(found.pop(), fine=_PERIODS)


def _counts(given: Mapping[str, Any], period: int) -> tuple[int, int]:
    periods = int(given.get("EvaluationPeriods") or 0)
    if periods < 1:
        raise refusals.validation("EvaluationPeriods must be at least 1.")
    to_alarm = given.get("DatapointsToAlarm")
    to_alarm = periods if to_alarm is None else int(to_alarm)
    if not 1 <= to_alarm <= periods:
        raise refusals.validation(
            "DatapointsToAlarm must be at least 1 and not more than EvaluationPeriods."
        )
    longest = _WEEK if period >= 3600 else _DAY
    if period * periods > longest:
        raise refusals.validation(
            f"Metrics cannot be checked across more than {longest // _DAY} day(s) "
            f"(EvaluationPeriods * Period must be <= {longest})."
        )
    return periods, to_alarm


def _comparison(given: Mapping[str, Any]) -> str:
    found = str(given.get("ComparisonOperator") or "")
    if found in _BANDS:
        raise refusals.missing("alarms on anomaly detection bands")
    if found not in COMPARISONS:
        raise refusals.validation(f"Value '{found}' at 'comparisonOperator' is not one of its "
                                  "values.")  # fmt: skip
    return found


def _threshold(given: Mapping[str, Any]) -> float:
    if given.get("Threshold") is None:
        raise refusals.validation("Threshold must be specified.")
    found = float(given["Threshold"])
    if not math.isfinite(found):
        raise refusals.validation("Threshold must be a finite number.")
    return found


def _one_of(given: Mapping[str, Any], parameter: str, values: Sequence[str]) -> str:
    found = given.get(parameter) or values[0]
    if found not in values:
        raise refusals.validation(
            f"Value '{found}' at '{parameter}' is not one of {', '.join(values)}."
        )
    return str(found)


def _check_actions(actions: Sequence[str], region: str) -> None:
    if len(actions) > _ACTIONS:
        raise refusals.validation(f"An alarm has at most {_ACTIONS} actions for each state.")
    for arn in actions:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise refusals.validation(f"Invalid arn syntax: {arn}")
        if found["region"] not in ("", region):
            raise refusals.validation(
                f"Invalid region {found['region']} specified. Only {region} is supported."
            )
