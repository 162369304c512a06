"""Alarms as AWS evaluates them: gaps, M out of N, states, actions, history."""

from __future__ import annotations

import json

import pytest

from runner.local.cloudwatch.missing_data import judged
from runner.local.wire import AwsError
from tests.cloudwatch_site import BEGIN, Plane, stat

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
KEEP = None

# Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", the tables
# of "How alarm state is evaluated when data is missing" and "Avoiding premature transitions to
# alarm state": five data points, oldest first (0 within, X breaching, - missing), then the states
# for missing, ignore, breaching, notBreaching.
THREE_OF_THREE = [
    ("0 - X - X", "OK", "OK", "OK", "OK"),
    ("0 - - - -", "OK", "OK", "OK", "OK"),
    ("- - - - -", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - - - X", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    ("- - - X -", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    ("- - X - -", "ALARM", KEEP, "ALARM", "OK"),
    ("X - - - -", "ALARM", KEEP, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", "OK", "OK", "ALARM", "OK"),
    ("- - - - X", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    ("- - - X -", "ALARM", KEEP, "ALARM", "OK"),
]


@pytest.mark.parametrize(
    ("row", "to_alarm"),
    [(row, 3) for row in THREE_OF_THREE] + [(row, 2) for row in TWO_OF_THREE],
    ids=lambda each: each[0] if isinstance(each, tuple) else f"{each}-of-3",
)
@pytest.mark.parametrize("treatment", ["missing", "ignore", "breaching", "notBreaching"])
def test_gaps_are_judged_as_awss_tables_say(row, to_alarm, treatment):
    points = [{"0": False, "X": True, "-": None}[sign] for sign in row[0].split()]
    column = 1 + ["missing", "ignore", "breaching", "notBreaching"].index(treatment)
    assert judged(points, periods=3, to_alarm=to_alarm, missing=treatment) == row[column]


@pytest.fixture
def plane() -> Plane:
    return Plane()


def test_an_alarm_begins_without_data(plane):
    plane.alarm()
    assert plane.state() == "INSUFFICIENT_DATA"
    assert plane.shown()["StateReason"] == "Unchecked: Initial alarm creation"


def test_an_error_is_an_alarm_within_two_minutes_and_a_half(plane):
    plane.alarm(TreatMissingData="notBreaching")
    plane.until("OK", within=61)
    plane.wait(37)
    plane.datum()
    assert plane.until("ALARM") <= 60 + 60 + plane.settings.delay


def test_an_alarm_goes_back_when_its_data_has_left_the_evaluation_range(plane):
    plane.alarm(TreatMissingData="notBreaching")
    plane.datum()
    plane.until("ALARM")
    assert 60 < plane.until("OK") <= 240


def test_a_minute_that_is_not_over_is_not_judged(plane):
    plane.alarm()
    plane.datum()
    plane.wait(59 - (plane.clock.now() % 60))
    assert plane.state() == "INSUFFICIENT_DATA"


def test_two_of_three_minutes_must_breach(plane):
    plane.alarm(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    for minute, value in enumerate((0, 1, 0, 0, 1, 0, 1)):
        plane.clock.jump(BEGIN + 60 * minute)
        plane.datum(value)
        if minute < 7:
            assert plane.state() != "ALARM"
    assert plane.until("ALARM") <= 125


def test_a_high_resolution_alarm_looks_every_ten_seconds(plane):
    plane.alarm(Period=10, TreatMissingData="notBreaching")
    plane.until("OK", within=11)
    plane.datum(StorageResolution=1)
    assert plane.until("ALARM") <= 10 + 10 + plane.settings.delay


def test_a_longer_period_slides_minute_by_minute(plane):
    plane.alarm(Period=300, Threshold=2, TreatMissingData="notBreaching")
    plane.wait(7 * 60)
    for _ in range(3):
        plane.datum()
        plane.wait(60)
    assert plane.until("ALARM") <= 125


@pytest.mark.parametrize(
    ("comparison", "value", "state"),
    [
        ("GreaterThanThreshold", 5, "OK"),
        ("GreaterThanOrEqualToThreshold", 5, "ALARM"),
        ("LessThanThreshold", 5, "OK"),
        ("LessThanOrEqualToThreshold", 5, "ALARM"),
        ("LessThanThreshold", 4, "ALARM"),
    ],
)
def test_the_comparison_decides_at_the_threshold(plane, comparison, value, state):
    plane.alarm(ComparisonOperator=comparison, Threshold=5)
    plane.datum(value)
    plane.wait(130)
    assert plane.state() == state


def test_a_formula_over_two_metrics_is_watched(plane):
    plane.alarm(
        Namespace=None, MetricName=None, Statistic=None, Period=None, Threshold=50,
        Metrics=[
            {"Id": "err", "MetricStat": stat(), "ReturnData": False},
            {"Id": "inv", "MetricStat": stat("calls"), "ReturnData": False},
            {"Id": "rate", "Expression": "IF(inv >= 20, 100*err/inv, 0)"},
        ],
    )  # fmt: skip
    plane.datum(15)
    plane.datum(19, "calls")
    assert plane.until("OK") <= 130
    plane.wait(600)
    plane.datum(15)
    plane.datum(20, "calls")
    assert plane.until("ALARM") <= 130


def test_percentiles_of_few_samples_change_nothing_if_the_alarm_says_so(plane):
    p99 = {"Statistic": None, "ExtendedStatistic": "p99", "MetricName": "duration"}
    plane.alarm("quiet", EvaluateLowSampleCountPercentile="ignore", **p99)
    plane.alarm("eager", **p99)
    plane.datum(100, "duration")
    plane.wait(130)
    assert (plane.state("quiet"), plane.state("eager")) == ("INSUFFICIENT_DATA", "ALARM")


def test_an_existing_alarm_keeps_its_state_until_it_is_evaluated(plane):
    plane.alarm()
    plane.datum()
    plane.until("ALARM")
    plane.alarm(Threshold=100)
    assert plane.state() == "ALARM"
    assert plane.until("OK") <= 60


def test_a_state_that_was_set_lasts_until_the_next_evaluation(plane):
    plane.alarm(TreatMissingData="notBreaching", AlarmActions=[TOPIC])
    plane.until("OK")
    plane("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="a test")
    assert plane.state() == "ALARM"
    plane.wait(0)
    assert len(plane.sent.notices) == 1
    assert plane.until("OK") <= 60


def test_a_topic_hears_of_each_transition_once(plane):
    plane.alarm(AlarmActions=[TOPIC], OKActions=[TOPIC], TreatMissingData="notBreaching")
    plane.until("OK")
    plane.datum(3)
    plane.until("ALARM")
    plane.wait(900)
    subjects = [subject for _, subject, _ in plane.sent.notices]
    assert subjects == [
        'OK: "a" in EU (Ireland)', 'ALARM: "a" in EU (Ireland)', 'OK: "a" in EU (Ireland)',
    ]  # fmt: skip
    told = json.loads(plane.sent.notices[1][2])
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")
    assert told["Trigger"]["MetricName"] == "errors"
    assert told["Trigger"]["Statistic"] == "SUM"
    assert "[3.0 (" in told["NewStateReason"]


def test_a_function_gets_the_alarm_with_both_states(plane):
    function = "arn:aws:lambda:eu-west-1:123456789012:function:guard"
    plane.alarm(AlarmActions=[function])
    plane.datum()
    plane.until("ALARM")
    ((arn, body),) = plane.sent.calls
    told = json.loads(body)
    assert arn == function
    assert told["source"] == "aws.cloudwatch"
    assert told["alarmData"]["state"]["value"] == "ALARM"
    assert told["alarmData"]["previousState"]["value"] == "INSUFFICIENT_DATA"


def test_the_event_bus_hears_of_every_transition_whatever_the_actions(plane):
    plane.alarm(ActionsEnabled=False, AlarmActions=[TOPIC])
    plane.datum()
    plane.until("ALARM")
    ((kind, detail),) = plane.sent.events
    assert kind == "CloudWatch Alarm State Change"
    assert detail["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "errors"
    assert plane.sent.notices == []


def test_actions_can_be_switched_off_and_on(plane):
    plane.alarm(AlarmActions=[TOPIC])
    plane("DisableAlarmActions", AlarmNames=["a", "nobody"])
    assert plane.shown()["ActionsEnabled"] is False
    plane("EnableAlarmActions", AlarmNames=["a"])
    plane.datum()
    plane.until("ALARM")
    assert len(plane.sent.notices) == 1


def test_history_has_configuration_states_and_actions_newest_first(plane):
    plane.alarm(AlarmActions=[TOPIC, f"{TOPIC}:absent"])
    plane.datum()
    plane.until("ALARM")
    items = plane("DescribeAlarmHistory", AlarmName="a")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        f"Failed to execute action {TOPIC}:absent",
        f"Successfully executed action {TOPIC}",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "a" created',
    ]
    only = plane("DescribeAlarmHistory", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert len(only) == 1
    oldest = plane("DescribeAlarmHistory", ScanBy="TimestampAscending", MaxRecords=1)
    assert oldest["AlarmHistoryItems"][0]["HistoryItemType"] == "ConfigurationUpdate"
    assert oldest["NextToken"]


def test_history_is_kept_for_two_weeks_and_outlives_the_alarm(plane):
    plane.alarm()
    plane("DeleteAlarms", AlarmNames=["a"])
    assert len(plane("DescribeAlarmHistory")["AlarmHistoryItems"]) == 2
    plane.wait(14 * 86_400 + 1)
    assert plane("DescribeAlarmHistory")["AlarmHistoryItems"] == []


def test_deleting_deletes_what_there_is_and_says_what_there_is_not(plane):
    plane.alarm()
    assert plane.refusal("DeleteAlarms", AlarmNames=["a", "b"]) == "ResourceNotFound"
    assert plane("DescribeAlarms")["MetricAlarms"] == []


def test_a_deleted_alarm_is_evaluated_no_more(plane):
    plane.alarm(AlarmActions=[TOPIC])
    plane.datum()
    plane("DeleteAlarms", AlarmNames=["a"])
    plane.wait(600)
    assert plane.sent.notices == []


def test_alarms_are_found_by_name_prefix_state_and_action_page_by_page(plane):
    for name in ("jam-1", "jam-2", "other"):
        plane.alarm(name, AlarmActions=[TOPIC] if name == "other" else None)

    def names(**wanted):
        return [each["AlarmName"] for each in plane("DescribeAlarms", **wanted)["MetricAlarms"]]

    assert names(AlarmNamePrefix="jam-") == ["jam-1", "jam-2"]
    assert names(ActionPrefix="arn:aws:sns:") == ["other"]
    assert names(StateValue="OK") == []
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    first = plane("DescribeAlarms", MaxRecords=2)
    assert names(NextToken=first["NextToken"]) == ["other"]
    assert plane.refusal("DescribeAlarms", NextToken="nonsense") == "InvalidNextToken"


def test_alarms_are_found_by_their_metric_with_all_its_dimensions(plane):
    site = [{"Name": "site", "Value": "notes"}]
    plane.alarm("plain")
    plane.alarm("by-site", Dimensions=site)
    found = plane("DescribeAlarmsForMetric", Namespace="jam", MetricName="errors", Dimensions=site)
    assert [each["AlarmName"] for each in found["MetricAlarms"]] == ["by-site"]


def test_tags_are_set_at_birth_and_changed_by_arn(plane):
    plane.alarm(Tags=[{"Key": "jam:site", "Value": "notes"}])
    plane.alarm(Tags=[{"Key": "ignored", "Value": "by an update"}])
    arn = plane.shown()["AlarmArn"]
    plane("TagResource", ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    plane("UntagResource", ResourceARN=arn, TagKeys=["jam:site"])
    assert plane("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert plane.refusal("ListTagsForResource", ResourceARN=f"{arn}x") == (
        "ResourceNotFoundException"
    )


MATH = {"Namespace": None, "MetricName": None, "Statistic": None, "Period": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"AlarmName": "ä"},
        {"Period": 15},
        {"Period": 90},
        {"Period": None},
        {"EvaluationPeriods": 0},
        {"EvaluationPeriods": 1441},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"DatapointsToAlarm": 2},
        {"DatapointsToAlarm": 0},
        {"TreatMissingData": "good"},
        {"Statistic": None},
        {"ExtendedStatistic": "p99"},
        {"Statistic": None, "ExtendedStatistic": "p101"},
        {"Statistic": "Median"},
        {"Threshold": None},
        {"Threshold": float("nan")},
        {"ComparisonOperator": "Greater"},
        {"EvaluateLowSampleCountPercentile": "maybe"},
        {"AlarmActions": [TOPIC] * 6},
        {"AlarmActions": ["topic"]},
        {"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:elsewhere"]},
        {"MetricName": None},
        {"Metrics": [{"Id": "m", "MetricStat": stat()}]},
        MATH | {"Metrics": [{"Id": "m", "MetricStat": stat(), "ReturnData": False}]},
        MATH | {"Metrics": [{"Id": "m", "MetricStat": stat()}, {"Id": "n", "MetricStat": stat()}]},
        MATH | {"Metrics": [{"Id": "m", "MetricStat": stat()}] * 2},
        MATH | {"Metrics": [{"Id": "M", "MetricStat": stat()}]},
        MATH | {"Metrics": [{"Id": "m", "Expression": "n*2"}]},
        MATH | {"Metrics": [{"Id": "m", "Expression": "m*2", "Period": 60}]},
        MATH
        | {
            "Metrics": [
                {"Id": "m", "MetricStat": stat(), "ReturnData": False},
                {"Id": "n", "MetricStat": stat(Period=120), "ReturnData": False},
                {"Id": "e", "Expression": "m+n"},
            ]
        },
        MATH
        | {
            "Metrics": [
                {"Id": "m", "MetricStat": stat(), "ReturnData": False},
                {"Id": "e", "Expression": "METRICS()"},
            ]
        },
        MATH
        | {
            "Metrics": [
                *(
                    {"Id": f"m{place}", "MetricStat": stat(), "ReturnData": False}
                    for place in range(11)
                ),
                {"Id": "e", "Expression": "SUM(METRICS())"},
            ]
        },
    ],
    ids=str,
)
def test_what_aws_refuses_of_an_alarm_is_refused(plane, wrong):
    with pytest.raises(AwsError) as caught:
        plane.alarm(**wrong)
    assert caught.value.code == "ValidationError"
    assert plane("DescribeAlarms")["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": "ALARM(a)"}),
        ("PutMetricAlarm", {"AlarmName": "c", "EvaluationCriteria": {}}),
    ],
)
def test_what_is_not_emulated_says_so(plane, operation, given):
    assert plane.refusal(operation, **given) == "NotImplemented"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"AlarmName": "b", "StateValue": "OK", "StateReason": ""}, "ResourceNotFound"),
        ({"AlarmName": "a", "StateValue": "RED", "StateReason": ""}, "ValidationError"),
        ({"AlarmName": "a", "StateValue": "OK"}, "ValidationError"),
        (
            {"AlarmName": "a", "StateValue": "OK", "StateReason": "", "StateReasonData": "{"},
            "InvalidFormat",
        ),
    ],
)
def test_a_state_is_set_by_the_rules(plane, given, code):
    plane.alarm()
    assert plane.refusal("SetAlarmState", **given) == code
