"""AWS's rules that the embedded CloudWatch keeps, and what it has not."""

from __future__ import annotations

from runner.local.wire import Rule

_API = "CloudWatch API reference, "
_GUIDE = "CloudWatch user guide, "


def _rule(rule: str, page: str) -> Rule:
    return Rule(service="cloudwatch", rule=rule, page=page)


RULES: tuple[Rule, ...] = (
    _rule("PutMetricData: 1 to 1,000 data, 30 dimensions, 150 values, times from two weeks ago to "
          "two hours ahead, no NaN and no infinity, no namespace that begins with AWS/; gzip",
          f"{_API}PutMetricData, MetricDatum"),
    _rule("a metric is its namespace, name and whole set of dimensions; another set is another "
          "metric without data", f'{_GUIDE}"Metrics concepts", Dimensions'),
    _rule("a new metric is listed after up to 15 minutes, and for two weeks; its data can be read "
          "before", f"{_API}PutMetricData, ListMetrics"),
    _rule("data is kept by second for 3 hours, by minute for 15 days, by five minutes for 63, by "
          "hour for 455", f"{_API}GetMetricData"),
    _rule("percentiles need values: of statistic sets and of negative values there are none",
          f"{_API}PutMetricData, GetMetricStatistics"),
    _rule("GetMetricData: 500 queries, ids by pattern and unique, one of MetricStat and "
          "Expression, 100,800 data points a page; GetMetricStatistics: 1,440 data points",
          f"{_API}GetMetricData, GetMetricStatistics"),
    _rule("metric math: operators, comparisons, AND and OR, IF, METRICS and the functions of the "
          "guide; a missing value counts as 0, division by zero drops the data point, the result "
          "is a time series", f'{_GUIDE}"Using math expressions with CloudWatch metrics"'),
    _rule("an alarm begins as INSUFFICIENT_DATA; an existing one keeps its state until it is "
          "evaluated", f"{_API}PutMetricAlarm"),
    _rule("periods are 10, 20, 30 or multiples of 60 s, all evaluation periods together at most a "
          "day, a week from one-hour periods on; DatapointsToAlarm at most EvaluationPeriods; "
          "MetricName or Metrics, of which one returns data and at most ten are metrics of one "
          "period", f"{_API}PutMetricAlarm"),
    _rule("evaluated each minute, each 10 s for periods below one, over whole minutes",
          f'{_GUIDE}"Alarm evaluation"'),
    _rule("M out of N with gaps, by TreatMissingData, over more data points than N",
          f'{_GUIDE}"Configuring how CloudWatch alarms treat missing data"'),
    _rule("percentiles of few samples keep the state where EvaluateLowSampleCountPercentile is "
          "ignore", f'{_GUIDE}"Percentile-based CloudWatch alarms and low data samples"'),
    _rule("SetAlarmState lasts until the next evaluation; a transition performs the new state's "
          "actions once: topics and functions, as their policies allow, and an event",
          f"{_API}SetAlarmState; " f'{_GUIDE}"Alarm events and EventBridge"'),
    _rule("HTTP APIs count by ApiId, by Stage and, where metrics are detailed, by Method and "
          "Resource: Count, 4xx, 5xx, Latency, IntegrationLatency, DataProcessed",
          'API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs"'),
    _rule("distributions count in us-east-1: Requests, BytesDownloaded, BytesUploaded, "
          "4xxErrorRate, 5xxErrorRate, TotalErrorRate",
          'CloudFront developer guide, "Types of metrics for CloudFront"'),
    _rule("a function's log line in the embedded metric format becomes metrics: at most 100, 30 "
          "dimensions a set, 100 values each; in a wrong format it is a line, counted as "
          "EMFValidationErrors", f'{_GUIDE}"Specification: Embedded metric format"'),
    _rule("DeleteAlarms deletes those that exist and says ResourceNotFound if others do not",
          f"{_API}DeleteAlarms"),
)  # fmt: skip

NOT_EMULATED: tuple[str, ...] = (
    "CloudWatch: how late data shows and how far back alarms look is not documented: data sent "
    "shows after 5 s, a service's 15 s after its minute, metrics are listed after 15 minutes "
    "(POST /_jam/cloudwatch changes them), and alarms look two periods further back",
    "CloudWatch: composite alarms, anomaly detection, Metrics Insights, PromQL and log alarms, "
    "SEARCH, statistics beyond percentiles and counts between values (TC), metric streams, alarms "
    "as CloudFormation resources; 501",
    "CloudWatch: Contributor Insights rules and dashboards are stored by moto, nothing computes "
    "them",
    "CloudWatch: alarm actions on EC2, Auto Scaling and Systems Manager: they fail, the history "
    "says so",
    "CloudWatch: embedded metrics in lines that PutLogEvents brings",
    "CloudWatch: Smithy's CBOR protocol, which some SDKs speak; JSON and Query are understood",
)
