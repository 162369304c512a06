"""The queue of events that failed to the last, and the alarm that is red while one lies in it."""

from __future__ import annotations

from typing import Any

from runner.aws import ownership
from runner.aws.session import Aws
from runner.names import Names

# The longest that SQS keeps a message: long enough to come back from a holiday.
# Source: SQS API reference, SetQueueAttributes, MessageRetentionPeriod.
KEPT = 14 * 24 * 3600  # seconds


def told(names: Names) -> list[Any]:
    """All that a foundation's digest must cover of it."""
    return [_attributes(), _alarm(names)]


def find(aws: Aws, names: Names) -> str | None:
    """The ARN of the queue."""
    return names.dead_letters_arn if _url(aws, names) else None


def make(aws: Aws, names: Names) -> str:
    """Queue and alarm as they should be; returns the queue's ARN."""
    url = _url(aws, names)
    if url is None:
        _create(aws, names)
    else:
        tags = aws.queues.list_queue_tags(QueueUrl=url).get("Tags", {})
        ownership.check(tags, names, what=f"The queue {names.dead_letters}")
        wanted = _attributes()
        found = aws.queues.get_queue_attributes(QueueUrl=url, AttributeNames=list(wanted))
        if found.get("Attributes", {}) != wanted:
            aws.queues.set_queue_attributes(QueueUrl=url, Attributes=wanted)
    alarms = aws.metrics.describe_alarms(AlarmNames=[names.dead_letters])["MetricAlarms"]
    if not alarms or any(alarms[0].get(key) != value for key, value in _alarm(names).items()):
        # Tags are taken for a new alarm alone. Source: CloudWatch API reference, PutMetricAlarm.
        aws.metrics.put_metric_alarm(**_alarm(names), Tags=ownership.tag_list(names))
    return names.dead_letters_arn


def _url(aws: Aws, names: Names) -> str | None:
    try:
        return str(aws.queues.get_queue_url(QueueName=names.dead_letters)["QueueUrl"])
    except aws.queues.exceptions.QueueDoesNotExist:
        return None


def _create(aws: Aws, names: Names) -> None:
    """Equal to what exists already it is no error, so that a lost answer can be asked for again."""
    aws.queues.create_queue(
        QueueName=names.dead_letters,
        Attributes=_attributes(),
        tags=ownership.tags_of(names),
    )


def _attributes() -> dict[str, str]:
    """Source: SQS developer guide, "Configuring server-side encryption for a queue using
    SQS-managed encryption keys"."""
    return {"MessageRetentionPeriod": str(KEPT), "SqsManagedSseEnabled": "true"}


def _alarm(names: Names) -> dict[str, Any]:
    """A queue that nobody used for hours sends no metric: that is no news, and none is bad.

    Source: SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
    """
    return {
        "AlarmName": names.dead_letters,
        "AlarmDescription": f"jam-deploy: events of {names.site} that its functions failed at",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": names.dead_letters}],
        "Statistic": "Maximum",
        "Period": 60,  # seconds
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
