"""Metrics that are sent and read: AWS's limits, periods, pages; and metrics in log lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.local.cloudwatch.embedded import WrongFormatError, found
from tests.cloudwatch_site import BEGIN, REGION, Plane, stat

NOW = float(BEGIN)


@pytest.fixture
def plane() -> Plane:
    return Plane()


def send(plane: Plane, *data: dict[str, Any], namespace: str = "jam") -> str:
    """The refusal's code."""
    return plane.refusal("PutMetricData", Namespace=namespace, MetricData=list(data))


def read(plane: Plane, *queries: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    now = plane.clock.now()
    asked = {"StartTime": now - 3600, "EndTime": now} | more
    answer = plane("GetMetricData", MetricDataQueries=list(queries), **asked)
    found: list[dict[str, Any]] = answer["MetricDataResults"]
    return found


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({"Value": 1}, "MissingParameter"),
        ({"MetricName": "e"}, "MissingParameter"),
        ({"MetricName": "e", "Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ({"MetricName": "e", "Value": float("nan")}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": float("inf")}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 2.0**361}, "InvalidParameterValue"),
        ({"MetricName": "e", "Values": [1.0] * 151}, "InvalidParameterValue"),
        ({"MetricName": "e", "Values": [1, 2], "Counts": [1]}, "InvalidParameterValue"),
        ({"MetricName": "e", "Values": [1], "Counts": [-1]}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 1, "Unit": "Furlongs"}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 1, "StorageResolution": 30}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 1, "Timestamp": NOW - 1_209_601}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 1, "Timestamp": NOW + 7_201}, "InvalidParameterValue"),
        ({"MetricName": "x" * 256, "Value": 1}, "InvalidParameterValue"),
        ({"MetricName": "ä", "Value": 1}, "InvalidParameterValue"),
        ({"MetricName": "e", "Value": 1, "StatisticValues": {}}, "InvalidParameterCombination"),
        (
            {"MetricName": "e", "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1}},
            "MissingParameter",
        ),
        (
            {
                "MetricName": "e",
                "Value": 1,
                "Dimensions": [{"Name": f"d{i}", "Value": "v"} for i in range(31)],
            },
            "InvalidParameterValue",
        ),
        (
            {"MetricName": "e", "Value": 1, "Dimensions": [{"Name": "d", "Value": ""}]},
            "MissingParameter",
        ),
        (
            {"MetricName": "e", "Value": 1, "Dimensions": [{"Name": ":d", "Value": "v"}]},
            "InvalidParameterValue",
        ),
        (
            {"MetricName": "e", "Value": 1, "Dimensions": [{"Name": "d", "Value": "v"}] * 2},
            "InvalidParameterValue",
        ),
    ],
    ids=str,
)
def test_a_datum_that_aws_refuses_is_refused_with_all_beside_it(plane, datum, code):
    assert send(plane, {"MetricName": "good", "Value": 1}, datum) == code
    plane.wait(3600)
    assert len(plane.store) == 0


@pytest.mark.parametrize("namespace", ["AWS/Lambda", ":jam", "", "x" * 256])
def test_namespaces_of_awss_are_awss(plane, namespace):
    code = send(plane, {"MetricName": "e", "Value": 1}, namespace=namespace)
    assert code == ("InvalidParameterValue" if namespace else "MissingParameter")


def test_a_request_has_one_to_a_thousand_data(plane):
    assert send(plane) == "MissingParameter"
    assert send(plane, *[{"MetricName": "e", "Value": 1}] * 1001) == "InvalidParameterValue"


def test_the_order_of_dimensions_is_no_part_of_a_metric_but_each_of_them_is(plane):
    both = [{"Name": "site", "Value": "a"}, {"Name": "release", "Value": "r"}]
    plane.datum(Dimensions=both)
    plane.datum(Dimensions=both[::-1])
    plane.wait(60)
    metric = {"Namespace": "jam", "MetricName": "errors"}
    whole, part = read(
        plane,
        {"Id": "whole", "MetricStat": stat(Metric=metric | {"Dimensions": both})},
        {"Id": "part", "MetricStat": stat(Metric=metric | {"Dimensions": both[:1]})},
    )
    assert (whole["Values"], part["Values"]) == ([2], [])


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Sum", 12), ("SampleCount", 4), ("Average", 3), ("Minimum", 1), ("Maximum", 5), ("p50", 3),
     ("p100", 5), ("p99.9", 5)],
)  # fmt: skip
def test_statistics_are_computed_of_values_and_counts(plane, statistic, value):
    plane.datum(None, Values=[1, 3, 5], Counts=[1, 2, 1])
    plane.wait(60)
    (found,) = read(plane, {"Id": "m", "MetricStat": stat(Stat=statistic)})
    assert found["Values"] == [value]


@pytest.mark.parametrize(("least", "most", "values"), [(1, 3, []), (2, 2, [2])])
def test_a_statistic_set_has_percentiles_only_if_all_its_values_are_equal(
    plane, least, most, values
):
    sets = {"SampleCount": 2, "Sum": 4, "Minimum": least, "Maximum": most}
    plane.datum(None, StatisticValues=sets)
    plane.wait(60)
    percentile, total = read(
        plane,
        {"Id": "p", "MetricStat": stat(Stat="p90")},
        {"Id": "s", "MetricStat": stat()},
    )
    assert (percentile["Values"], total["Values"]) == (values, [4])


def test_data_can_be_read_after_a_moment(plane):
    plane.datum()
    query = {"Id": "m", "MetricStat": stat()}
    assert read(plane, query, EndTime=NOW + 60)[0]["Values"] == []
    plane.wait(plane.settings.delay)
    assert read(plane, query, EndTime=NOW + 60)[0]["Values"] == [1]


def test_periods_count_from_the_begin_that_was_asked_and_the_end_is_outside(plane):
    for minute in range(6):
        plane.datum(2**minute, Timestamp=NOW + 60 * minute)
    plane.wait(3600)
    (found,) = read(
        plane, {"Id": "m", "MetricStat": stat(Period=120)},
        StartTime=NOW + 75, EndTime=NOW + 300, ScanBy="TimestampAscending",
    )  # fmt: skip
    assert found["Timestamps"] == [BEGIN + 60, BEGIN + 180]
    assert found["Values"] == [2 + 4, 8 + 16]


def test_data_comes_newest_first_and_in_pages(plane):
    for minute in range(5):
        plane.datum(minute, Timestamp=NOW + 60 * minute)
    plane.wait(600)
    asked = {
        "MetricDataQueries": [{"Id": "m", "MetricStat": stat()}],
        "StartTime": NOW,
        "EndTime": NOW + 600,
        "MaxDatapoints": 3,
    }
    first = plane("GetMetricData", **asked)
    second = plane("GetMetricData", **asked, NextToken=first["NextToken"])
    assert first["MetricDataResults"][0]["Values"] == [4, 3, 2]
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    assert second["MetricDataResults"][0]["Values"] == [1, 0]
    assert second["MetricDataResults"][0]["StatusCode"] == "Complete"
    assert "NextToken" not in second


def test_only_what_is_to_be_returned_is_returned(plane):
    plane.datum(3)
    plane.wait(60)
    found = read(
        plane,
        {"Id": "m", "MetricStat": stat(), "ReturnData": False},
        {"Id": "e", "Expression": "m * 2", "Label": "twice"},
    )
    assert [(each["Id"], each["Label"], each["Values"]) for each in found] == [("e", "twice", [6])]


def test_units_are_kept_apart_and_joined_if_none_is_asked(plane):
    plane.datum(1, Unit="Count")
    plane.datum(2, Unit="Seconds")
    plane.wait(60)
    found = read(
        plane,
        {"Id": "all", "MetricStat": stat()},
        {"Id": "one", "MetricStat": stat(Unit="Seconds")},
        {"Id": "none", "MetricStat": stat(Unit="Bytes")},
    )
    assert [each["Values"] for each in found] == [[3], [2], []]


@pytest.mark.parametrize(
    "queries",
    [
        [],
        [{"Id": "m", "MetricStat": stat()}] * 501,
        [{"Id": "Big", "MetricStat": stat()}],
        [{"Id": "m"}],
        [{"Id": "m", "MetricStat": stat(), "Expression": "1"}],
        [{"Id": "m", "MetricStat": stat(), "Period": 60}],
        [{"Id": "m", "MetricStat": stat(Period=45)}],
        [{"Id": "m", "MetricStat": stat(Stat="Median")}],
    ],
    ids=lambda each: str(each)[:60],
)
def test_queries_that_aws_refuses_are_refused(plane, queries):
    asked = {"StartTime": NOW, "EndTime": NOW + 60, "MetricDataQueries": queries}
    assert plane.refusal("GetMetricData", **asked) == "ValidationError"


def test_the_begin_is_before_the_end(plane):
    queries = [{"Id": "m", "MetricStat": stat()}]
    asked = {"StartTime": NOW, "EndTime": NOW, "MetricDataQueries": queries}
    assert plane.refusal("GetMetricData", **asked) == "ValidationError"


def test_statistics_of_one_metric(plane):
    plane.datum(None, Values=[1, 3], Unit="Count")
    plane.wait(60)
    metric = {"Namespace": "jam", "MetricName": "errors", "StartTime": NOW, "EndTime": NOW + 60}
    found = plane("GetMetricStatistics", **metric, Period=60, Statistics=["Sum", "Maximum"])
    assert found["Datapoints"] == [{"Timestamp": BEGIN, "Unit": "Count", "Sum": 4, "Maximum": 3}]
    found = plane("GetMetricStatistics", **metric, Period=60, ExtendedStatistics=["p50"])
    assert found["Datapoints"][0]["ExtendedStatistics"] == {"p50": 1}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Statistics": None}, "InvalidParameterCombination"),
        ({"ExtendedStatistics": ["p1"]}, "InvalidParameterCombination"),
        ({"Statistics": ["p99"]}, "InvalidParameterValue"),
        ({"Period": 61}, "InvalidParameterValue"),
        ({"EndTime": NOW + 1441 * 60}, "InvalidParameterCombination"),
        ({"MetricName": None}, "MissingParameter"),
    ],
)
def test_statistics_are_refused_as_aws_does(plane, wrong, code):
    asked = {
        "Namespace": "jam", "MetricName": "errors", "StartTime": NOW, "EndTime": NOW + 60,
        "Period": 60, "Statistics": ["Sum"],
    }  # fmt: skip
    assert plane.refusal("GetMetricStatistics", **(asked | wrong)) == code


def test_metrics_are_listed_late_by_part_of_their_dimensions_and_while_they_live(plane):
    plane.datum(Dimensions=[{"Name": "site", "Value": "a"}, {"Name": "release", "Value": "r"}])
    plane.datum(name="other")

    def names(**wanted):
        return [each["MetricName"] for each in plane("ListMetrics", **wanted)["Metrics"]]

    plane.wait(600)
    assert names() == []
    plane.wait(600)
    assert names() == ["errors", "other"]
    assert names(Dimensions=[{"Name": "site"}]) == ["errors"]
    assert names(Dimensions=[{"Name": "site", "Value": "b"}]) == []
    assert names(Namespace="else") == []
    plane.wait(3 * 3600)
    assert names(RecentlyActive="PT3H") == []
    assert names() == ["errors", "other"]
    plane.wait(14 * 86_400)
    assert names() == []


def line(**more: Any) -> dict[str, Any]:
    """A document as entry writes it."""
    document: dict[str, Any] = {
        "_aws": {
            "Timestamp": BEGIN * 1000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "jam",
                    "Dimensions": [["site", "release"], ["site"]],
                    "Metrics": [{"Name": "errors", "Unit": "Count"}],
                }
            ],
        },
        "site": "notes",
        "release": "r1",
        "errors": 1,
    }
    return document | more


def directive(**more: Any) -> dict[str, Any]:
    """The `_aws` member with another directive."""
    told: dict[str, Any] = line()["_aws"]
    (only,) = told["CloudWatchMetrics"]
    return {"_aws": told | {"CloudWatchMetrics": [only | more]}}


@pytest.mark.parametrize("before", ["", "2027-01-15T08:00:00.000Z\tid\tINFO\t"])
def test_a_line_has_each_metric_once_for_each_set_of_dimensions(before):
    embedded = found(before + json.dumps(line()), REGION, now=NOW)
    assert [each.metric.dimensions for each in embedded] == [
        (("release", "r1"), ("site", "notes")),
        (("site", "notes"),),
    ]
    assert {(each.metric.name, each.unit, each.point.total) for each in embedded} == {
        ("errors", "Count", 1)
    }


def test_a_list_of_values_and_a_high_resolution():
    metrics = [{"Name": "errors", "StorageResolution": 1}]
    document = line(errors=[1, 2, 2], **directive(Metrics=metrics))
    embedded = found(json.dumps(document), REGION, now=NOW)
    assert (embedded[0].point.count, embedded[0].point.total, embedded[0].resolution) == (3, 5, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "{}",
        '{"errors": 1}',
        '["_aws"]',
        json.dumps(line()) + " and more",
        '{"_aws": {',
    ],
)
def test_another_line_is_a_line(text):
    assert found(text, REGION, now=NOW) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"_aws": {}},
        {"_aws": {"CloudWatchMetrics": []}},
        {"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}},
        directive(Namespace=""),
        directive(Namespace=None),
        directive(Dimensions=["site"]),
        directive(Dimensions=[]),
        directive(Dimensions=[["absent"]]),
        directive(Dimensions=[[f"d{i}" for i in range(31)]]) | {f"d{i}": "v" for i in range(31)},
        directive(Metrics=[{"Name": "errors"}] * 101),
        directive(Metrics=[{"Name": "absent"}]),
        directive(Metrics=[{"Name": "errors", "Unit": "Furlongs"}]),
        directive(Metrics=[{"Name": "errors", "StorageResolution": 5}]),
        {"site": 5},
        {"errors": "1"},
        {"errors": True},
        {"errors": [1] * 101},
        {"errors": []},
        {"_aws": line()["_aws"] | {"Timestamp": (BEGIN - 15 * 86_400) * 1000}},
    ],
    ids=lambda each: str(each)[:80],
)
def test_a_document_in_a_wrong_format_has_no_metrics(wrong):
    with pytest.raises(WrongFormatError):
        found(json.dumps(line() | wrong), REGION, now=NOW)
