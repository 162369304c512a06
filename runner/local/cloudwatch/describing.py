"""DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory, and tags of alarms.

Source: CloudWatch API reference, the pages of these operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.local.cloudwatch import checks, pages, refusals
from runner.local.cloudwatch.alarm import Alarm
from runner.local.cloudwatch.alarms import Alarms
from runner.local.cloudwatch.history import History
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_NAMES = 100
_RECORDS = 100
_DESCRIBED = 50
_TAGS = 50
_TYPES = ("MetricAlarm", "CompositeAlarm", "LogAlarm")


class Describing:
    """Operations by name."""

    def __init__(self, alarms: Alarms, history: History) -> None:
        self._alarms = alarms
        self._history = history

    def operations(self) -> Mapping[str, Operation]:
        return {
            "DescribeAlarms": self.describe,
            "DescribeAlarmsForMetric": self.for_metric,
            "DescribeAlarmHistory": self.history,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def describe(self, parameters: Parameters, call: Call) -> Result:
        names = parameters.get("AlarmNames") or []
        if len(names) > _NAMES:
            raise refusals.validation(f"AlarmNames has at most {_NAMES} members.")
        if names and parameters.get("AlarmNamePrefix"):
            raise refusals.combination("AlarmNamePrefix and AlarmNames must not both be set.")
        types = parameters.get("AlarmTypes") or ["MetricAlarm"]
        if not set(types) <= set(_TYPES):
            raise refusals.validation(f"AlarmTypes are {', '.join(_TYPES)}.")
        found = [
            alarm
            for alarm in self._alarms.of(call.region)
            if "MetricAlarm" in types and _wanted(alarm, parameters)
        ]
        shown, more = pages.page(found, parameters, size=_size(parameters, _DESCRIBED))
        return {"CompositeAlarms": [], "MetricAlarms": [each.shown() for each in shown]} | more

    def for_metric(self, parameters: Parameters, call: Call) -> Result:
        name = checks.name(parameters.get("MetricName"))
        space = checks.namespace(parameters.get("Namespace"))
        dimensions = checks.dimensions(parameters.get("Dimensions"))
        found = [
            alarm.shown()
            for alarm in self._alarms.of(call.region)
            for stat in (alarm.watch.stat,)
            if stat
            and (stat.metric.namespace, stat.metric.name, stat.metric.dimensions)
            == (space, name, dimensions)
            and parameters.get("Period") in (None, stat.period)
            and parameters.get("Unit") in (None, "", stat.unit)
            and parameters.get("Statistic") in (None, "", stat.statistic)
            and parameters.get("ExtendedStatistic") in (None, "", stat.statistic)
        ]
        return {"MetricAlarms": found}

    def history(self, parameters: Parameters, call: Call) -> Result:
        found = list(self._history.items(call.region, parameters))
        shown, more = pages.page(found, parameters, size=_size(parameters, _RECORDS))
        return {"AlarmHistoryItems": [each.shown() for each in shown]} | more

    def tag(self, parameters: Parameters, call: Call) -> Result:
        alarm = self._by_arn(parameters, call)
        merged = alarm.tags | {each["Key"]: each["Value"] for each in parameters["Tags"]}
        if len(merged) > _TAGS:
            raise refusals.value(f"A resource has at most {_TAGS} tags.")
        alarm.tags = merged
        return {}

    def untag(self, parameters: Parameters, call: Call) -> Result:
        alarm = self._by_arn(parameters, call)
        for key in parameters["TagKeys"]:
            alarm.tags.pop(key, None)
        return {}

    def tags(self, parameters: Parameters, call: Call) -> Result:
        tags = self._by_arn(parameters, call).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _by_arn(self, parameters: Parameters, call: Call) -> Alarm:
        arn = parameters.get("ResourceARN") or ""
        for alarm in self._alarms.of(call.region):
            if alarm.arn == arn:
                return alarm
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist.", status=404)


def _wanted(alarm: Alarm, parameters: Mapping[str, Any]) -> bool:
    names = parameters.get("AlarmNames")
    prefix = parameters.get("ActionPrefix") or ""
    given = alarm.watch.given
    lists = ("AlarmActions", "OKActions", "InsufficientDataActions")
    actions = [arn for key in lists for arn in given.get(key, ())]
    return (
        (not names or alarm.name in names)
        and alarm.name.startswith(parameters.get("AlarmNamePrefix") or "")
        and parameters.get("StateValue") in (None, "", alarm.state)
        and (not prefix or any(arn.startswith(prefix) for arn in actions))
        and not parameters.get("ChildrenOfAlarmName")
        and not parameters.get("ParentsOfAlarmName")
    )


def _size(parameters: Parameters, default: int) -> int:
    size = int(parameters.get("MaxRecords") or default)
    if not 1 <= size <= _RECORDS:
        raise refusals.validation(f"MaxRecords is 1 to {_RECORDS}.")
    return size
