"""The alarm that takes a candidate back, and the proof, before each rollout, that it would ring.

By value: zeros are written for the candidate and a failure for a twin. The twin's alarm has to go
red and the candidate's data has to be there. What is merely configured has protected nobody: names
of metrics or dimensions that do not exist leave an alarm silent for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from runner.aws import ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.entry.counts import NAMESPACE
from runner.errors import JamError, Problem, aws_error
from runner.guard.rollout import Rollout
from runner.guard.settle import TWIN, VERDICT, alarms_made
from runner.names import Names

PERIOD = 60  # seconds
PROVED_WITHIN = 300  # seconds; an alarm of a minute's period looks every minute


def name_of(names: Names, rollout: str) -> str:
    """The alarm of a rollout's candidate: on record before it is made, or nobody removes it."""
    return f"{names.prefix}-{rollout}"


def make(aws: Aws, names: Names, *, rollout: str, candidate: str) -> None:
    """The candidate's alarm."""
    _put(aws, names, name=name_of(names, rollout), release=candidate)


def prove(aws: Aws, names: Names, *, rollout: str, candidate: str) -> None:
    """Raises JamError `JAM-ALARM-SILENT` unless a failed verdict makes such an alarm ring."""
    twin = f"{name_of(names, rollout)}-{TWIN}"
    release = f"{TWIN}-{rollout}"
    _put(aws, names, name=twin, release=release)
    try:
        until(
            aws,
            lambda: _proved(aws, names, twin=twin, releases=(candidate, release)),
            budget=PROVED_WITHIN,
            late=lambda: _silent(twin),
        )
    finally:
        aws.metrics.delete_alarms(AlarmNames=[twin])


def drop(aws: Aws, rollout: Rollout) -> None:
    """Those that were made for this rollout."""
    for name in alarms_made(rollout):
        with tolerating("ResourceNotFound", "ResourceNotFoundException"):
            aws.metrics.delete_alarms(AlarmNames=[name])


def check(aws: Aws, alarms: Iterable[str]) -> None:
    """Raises JamError for alarms of the user's that do not exist or ring already."""
    wanted = tuple(alarms)
    if not wanted:
        return
    found = aws.metrics.describe_alarms(
        AlarmNames=list(wanted), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    told = [*found["MetricAlarms"], *found.get("CompositeAlarms", [])]
    states = {each["AlarmName"]: each["StateValue"] for each in told}
    missing = [name for name in wanted if name not in states]
    if missing:
        raise aws_error(
            "JAM-ALARM-MISSING",
            "Alarms of the settings do not exist in this account and region.",
            hint="Correct `alarms` in [production.rollout], or make them.",
            problems=tuple(Problem(where=name, message="does not exist") for name in missing),
        )
    red = [name for name in wanted if states[name] == "ALARM"]
    if red:
        raise aws_error(
            "JAM-ALARM-RED",
            "Alarms ring already: CodeDeploy would take every candidate back at once.",
            hint="Wait until they are quiet; `deploy --unprotected` goes on without alarms.",
            problems=tuple(Problem(where=name, message="rings") for name in red),
        )


def _proved(aws: Aws, names: Names, *, twin: str, releases: tuple[str, str]) -> bool | None:
    """Data first: it may take a minute to be seen, so it is said at every look."""
    candidate, planted = releases
    for release, value in ((candidate, 0.0), (planted, 1.0)):
        metric = {"MetricName": VERDICT, "Dimensions": _dimensions(names, release), "Value": value}
        aws.metrics.put_metric_data(Namespace=NAMESPACE, MetricData=[metric])
    state = aws.metrics.describe_alarms(AlarmNames=[twin])["MetricAlarms"][0]["StateValue"]
    return True if state == "ALARM" and _is_seen(aws, names, releases) else None


def _is_seen(aws: Aws, names: Names, releases: tuple[str, str]) -> bool:
    """Whether both series have data, by exactly the dimensions that the alarms use."""
    now = aws.clock()
    found = aws.metrics.get_metric_data(
        MetricDataQueries=[
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": VERDICT,
                        "Dimensions": _dimensions(names, release),
                    },
                    "Period": PERIOD,
                    "Stat": "Maximum",
                },
            }
            for number, release in enumerate(releases)
        ],
        StartTime=datetime.fromtimestamp(now - 2 * PROVED_WITHIN, UTC),
        EndTime=datetime.fromtimestamp(now + PERIOD, UTC),
    )
    return all(series["Values"] for series in found["MetricDataResults"])


def _put(aws: Aws, names: Names, *, name: str, release: str) -> None:
    """Source: CloudWatch API reference, PutMetricAlarm."""
    alarm: dict[str, Any] = {
        "AlarmName": name,
        "AlarmDescription": f"a candidate of {names.site} is worse than what is live",
        "Namespace": NAMESPACE,
        "MetricName": VERDICT,
        "Dimensions": _dimensions(names, release),
        "Statistic": "Maximum",
        "Period": PERIOD,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # No word from the guard is no word against the candidate.
        "TreatMissingData": "notBreaching",
        "Tags": ownership.tag_list(names),
    }
    aws.metrics.put_metric_alarm(**alarm)


def _dimensions(names: Names, release: str) -> list[dict[str, str]]:
    return [{"Name": "site", "Value": names.site}, {"Name": "release", "Value": release}]


def _silent(alarm: str) -> JamError:
    return aws_error(
        "JAM-ALARM-SILENT",
        f"The alarm {alarm} did not ring within {PROVED_WITHIN} s, though a failure was planted "
        "for it: the candidate's would not either.",
        hint="Look at CloudWatch's state in this region; `deploy --unprotected` goes on without.",
    )
