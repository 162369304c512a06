"""What an alarm's change of state looks like: to a topic, to a function, on the event bus. Pure.

Source: CloudWatch user guide, "Alarm events and EventBridge", "Invoke a Lambda function from an
alarm", "Notifying users on alarm changes".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.evaluation import long_stamp
from runner.local.cloudwatch.queries import Query, Stat

_SUBJECT = 100  # characters; Source: SNS API reference, Publish, Subject

# Source: AWS general reference, "Regions". Topics tell a region's name, nothing else does.
_REGIONS = {
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
    "ca-central-1": "Canada (Central)", "eu-central-1": "EU (Frankfurt)",
    "eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)",
    "eu-north-1": "EU (Stockholm)", "eu-south-1": "EU (Milan)",
    "ap-northeast-1": "Asia Pacific (Tokyo)", "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-south-1": "Asia Pacific (Mumbai)", "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)", "sa-east-1": "South America (Sao Paulo)",
}  # fmt: skip

State = Mapping[str, Any]
"""value, reason, reasonData, timestamp: as events tell a state."""


def state(alarm: Alarm) -> dict[str, Any]:
    made: dict[str, Any] = {"value": alarm.state, "reason": alarm.reason}
    if alarm.data:
        made["reasonData"] = alarm.data
    return made | {"timestamp": long_stamp(alarm.updated)}


def event(alarm: Alarm, before: State) -> dict[str, Any]:
    """The detail of "CloudWatch Alarm State Change"."""
    return {
        "alarmName": alarm.name,
        "state": state(alarm),
        "previousState": dict(before),
        "configuration": _configuration(alarm),
    }


def call(alarm: Alarm, before: State, *, account: str) -> str:
    """What a function gets."""
    return json.dumps(
        {
            "source": "aws.cloudwatch",
            "alarmArn": alarm.arn,
            "accountId": account,
            "time": long_stamp(alarm.updated),
            "region": alarm.watch.region,
            "alarmData": event(alarm, before),
        }
    )


def subject(alarm: Alarm) -> str:
    region = _REGIONS.get(alarm.watch.region, alarm.watch.region)
    return f'{alarm.state}: "{alarm.name}" in {region}'[:_SUBJECT]


def notice(alarm: Alarm, before: State, *, account: str) -> str:
    """What a topic gets."""
    given = alarm.watch.given
    return json.dumps(
        {
            "AlarmName": alarm.name,
            "AlarmDescription": given.get("AlarmDescription"),
            "AWSAccountId": account,
            "AlarmConfigurationUpdatedTimestamp": long_stamp(alarm.configured),
            "NewStateValue": alarm.state,
            "NewStateReason": alarm.reason,
            "StateChangeTime": long_stamp(alarm.updated),
            "Region": _REGIONS.get(alarm.watch.region, alarm.watch.region),
            "AlarmArn": alarm.arn,
            "OldStateValue": before["value"],
            "OKActions": given.get("OKActions", []),
            "AlarmActions": given.get("AlarmActions", []),
            "InsufficientDataActions": given.get("InsufficientDataActions", []),
            "Trigger": _trigger(alarm),
        }
    )


def _trigger(alarm: Alarm) -> dict[str, Any]:
    watch = alarm.watch
    made: dict[str, Any] = {
        "Period": watch.period,
        "EvaluationPeriods": watch.periods,
        "DatapointsToAlarm": watch.to_alarm,
        "ComparisonOperator": watch.comparison,
        "Threshold": watch.threshold,
        "TreatMissingData": watch.missing,
        "EvaluateLowSampleCountPercentile": watch.given.get("EvaluateLowSampleCountPercentile", ""),
    }
    if watch.stat is None:
        return made | {"Metrics": [_shown(query) for query in watch.queries]}
    extended = "ExtendedStatistic" in watch.given
    return made | {
        "MetricName": watch.stat.metric.name,
        "Namespace": watch.stat.metric.namespace,
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "ExtendedStatistic" if extended else "Statistic": watch.stat.statistic
        if extended
        else watch.stat.statistic.upper(),
        "Unit": watch.stat.unit or None,
        "Dimensions": [{"value": v, "name": k} for k, v in watch.stat.metric.dimensions],
    }


def _configuration(alarm: Alarm) -> dict[str, Any]:
    watch = alarm.watch
    queries = watch.queries or (Query(id="m1", stat=watch.stat),)
    made: dict[str, Any] = {"metrics": [_queried(query) for query in queries]}
    if watch.given.get("AlarmDescription"):
        made["description"] = watch.given["AlarmDescription"]
    return made


def _queried(query: Query) -> dict[str, Any]:
    made: dict[str, Any] = {"id": query.id, "returnData": query.returned}
    if query.stat:
        made["metricStat"] = _measured(query.stat)
    else:
        made["expression"] = query.expression
    return made | ({"label": query.label} if query.label else {})


def _measured(stat: Stat) -> dict[str, Any]:
    metric = {
        "namespace": stat.metric.namespace,
        "name": stat.metric.name,
        "dimensions": dict(stat.metric.dimensions),
    }
    made: dict[str, Any] = {"metric": metric, "period": stat.period, "stat": stat.statistic}
    return made | ({"unit": stat.unit} if stat.unit else {})


def _shown(query: Query) -> dict[str, Any]:
    """As the API writes a query."""
    made: dict[str, Any] = {"Id": query.id, "ReturnData": query.returned}
    if query.label:
        made["Label"] = query.label
    if query.stat is None:
        return made | {"Expression": query.expression}
    metric = query.stat.metric
    return made | {
        "MetricStat": {
            "Metric": {
                "Dimensions": [{"value": v, "name": k} for k, v in metric.dimensions],
                "MetricName": metric.name,
                "Namespace": metric.namespace,
            },
            "Period": query.stat.period,
            "Stat": query.stat.statistic,
        }
    }
