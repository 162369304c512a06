"""Metric math: what expressions come to, and what is refused as AWS refuses it."""

from __future__ import annotations

import pytest

from runner.local.cloudwatch.functions import Span
from runner.local.cloudwatch.queries import Answers, Query, Stat, checked
from runner.local.cloudwatch.series import Series, Value
from runner.local.cloudwatch.store import Metric
from runner.local.wire import AwsError
from tests.cloudwatch_site import stat

GAP = None
SPAN = Span(0, 300, 60)
# Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics": the examples of
# "Comparison and logical operators" and "Using IF expressions".
COMPARED = {"metric1": [30, 20, 0, 0], "metric2": [20, GAP, 20, GAP]}
CHOSEN = {"metric1": [1, 1, 0, 0, GAP], "metric2": [30, GAP, 0, 0, 30],
          "metric3": [0, 0, 20, GAP, 20]}  # fmt: skip
PLAIN = {"m1": [1, 2, GAP, 4, 5], "m2": [10, GAP, 30, 0, 50]}


def came(expression: str, data: dict[str, list[float | None]]) -> Value:
    def read(stat: Stat, _span: Span) -> Series:
        given = enumerate(data[stat.metric.name])
        return Series({60 * place: float(v) for place, v in given if v is not None})

    metrics = [
        Query(id=name, stat=Stat(metric=Metric("r", "jam", name), period=60, statistic="Sum"))
        for name in data
    ]
    return Answers([*metrics, Query(id="e", expression=expression)], read, SPAN).of("e")


def listed(value: Value) -> list[float | None]:
    assert isinstance(value, Series)
    return [value.points.get(at) for at in SPAN.times]


@pytest.mark.parametrize(
    ("expression", "data", "result"),
    [
        ("metric1 < metric2", COMPARED, [0, 0, 1, 0]),
        ("metric1 >= 30", COMPARED, [1, 0, 0, 0]),
        ("metric1 > 15 AND metric2 > 15", COMPARED, [1, 0, 0, 0]),
        ("metric1 > 15 && metric2 > 15", COMPARED, [1, 0, 0, 0]),
        ("metric1 > 25 OR metric2 > 15", COMPARED, [1, 0, 1, 0]),
        ("IF(metric1, metric2, metric3)", CHOSEN, [30, 0, 20, GAP, GAP]),
        ("IF(metric1, 5, metric3)", CHOSEN, [5, 5, 20, GAP, GAP]),
        ("IF(metric1, metric2, 5)", CHOSEN, [30, 0, 5, 5, GAP]),
        ("IF(metric1, metric2)", CHOSEN, [30, 0, GAP, GAP, GAP]),
        ("IF(1, metric2)", CHOSEN, [30, GAP, 0, 0, 30]),
        ("m1 + m2", PLAIN, [11, 2, 30, 4, 55]),
        ("m1 - 1", PLAIN, [0, 1, GAP, 3, 4]),
        ("100 * m1 / m2", PLAIN, [10, GAP, 0, GAP, 10]),
        ("2 + 3 * m1", PLAIN, [5, 8, GAP, 14, 17]),
        ("(2 + 3) * m1", PLAIN, [5, 10, GAP, 20, 25]),
        ("-m1 ^ 2", PLAIN, [-1, -4, GAP, -16, -25]),
        ("m1 - 1 - 1", PLAIN, [-1, 0, GAP, 2, 3]),
        ("SUM(METRICS())", PLAIN, [11, 2, 30, 4, 55]),
        ('SUM(METRICS("2"))', PLAIN, [10, GAP, 30, 0, 50]),
        ("SUM([m1, m2])", PLAIN, [11, 2, 30, 4, 55]),
        ("AVG(METRICS())", PLAIN, [5.5, 1, 15, 2, 27.5]),
        ("MAX([m1, m2])", PLAIN, [10, 2, 30, 4, 50]),
        ("MIN([m1, m2])", PLAIN, [1, 2, 30, 0, 5]),
        ("DATAPOINT_COUNT(METRICS())", PLAIN, [2, 1, 1, 2, 2]),
        ("m1 / SUM(m1) * 12", PLAIN, [1, 2, GAP, 4, 5]),
        ("m1 * 0 + METRIC_COUNT(METRICS())", PLAIN, [2, 2, GAP, 2, 2]),
        ("FILL(m1, 0)", PLAIN, [1, 2, 0, 4, 5]),
        ("FILL(m1, REPEAT)", PLAIN, [1, 2, 2, 4, 5]),
        ("FILL(m1, LINEAR)", PLAIN, [1, 2, 3, 4, 5]),
        ("FILL(m1, m2)", PLAIN, [1, 2, 30, 4, 5]),
        ("DIFF(m1)", PLAIN, [GAP, 1, GAP, 2, 1]),
        ("DIFF_TIME(m1)", PLAIN, [GAP, 60, GAP, 120, 60]),
        ("RATE(m1) * 60", PLAIN, [GAP, 1, GAP, 1, 1]),
        ("RUNNING_SUM(m1)", PLAIN, [1, 3, GAP, 7, 12]),
        ("m1 / PERIOD(m1) * 60", PLAIN, [1, 2, GAP, 4, 5]),
        ("TIME_SERIES(7)", PLAIN, [7, 7, 7, 7, 7]),
        ("CEIL(m1 / 2)", PLAIN, [1, 1, GAP, 2, 3]),
        ("FLOOR(m1 / 2)", PLAIN, [0, 1, GAP, 2, 2]),
        ("ABS(1 - m1)", PLAIN, [0, 1, GAP, 3, 4]),
        ("LOG10(m2)", {"m2": [10, 100, 0]}, [1, 2, GAP]),
        ("MINUTE(m1)", PLAIN, [0, 1, 2, 3, 4]),
        ("FIRST(SORT(METRICS(), AVG, DESC))", PLAIN, [10, GAP, 30, 0, 50]),
        ("SUM(SLICE(METRICS(), 0, 1))", PLAIN, [1, 2, GAP, 4, 5]),
        ("MAX(REMOVE_EMPTY(METRICS()))", PLAIN, [10, 2, 30, 4, 50]),
    ],
)
def test_expressions_come_to_what_the_guide_says(expression, data, result):
    shown = listed(came(expression, data))
    assert [None if each is None else pytest.approx(each) for each in result] == shown[
        : len(result)
    ]


def test_an_array_stays_an_array():
    found = came("METRICS() / 100", PLAIN)
    assert isinstance(found, list)
    assert [one.points[0] for one in found] == [0.01, 0.1]


@pytest.mark.parametrize(
    "expression",
    [
        "m1 +", "m1 m1", "(m1", "sum(m1)", "NOPE(m1)", "absent + 1", "e + 1", "AVG(m1)", "5",
        "FILL(m1)", "FILL(m1, SOMETHING)", "IF(m1)", 'm1 + "text"', "REPEAT", "PERIOD(m1 + 1)",
        "SORT(METRICS(), SIZE, DESC)", "[m1, m1] + [m1]", "m1; m1", "x" * 2049, "ABS(AVG(m1))",
    ],
)  # fmt: skip
def test_an_invalid_expression_is_a_validation_error(expression):
    given = [{"Id": "m1", "MetricStat": stat()}, {"Id": "e", "Expression": expression}]
    with pytest.raises(AwsError) as caught:
        checked(given, "eu-west-1")
    assert caught.value.code == "ValidationError"


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('{jam} errors', 'Sum')", "ANOMALY_DETECTION_BAND(m1)", "SELECT SUM(errors) FROM jam"],
)
def test_what_aws_has_and_the_cloud_has_not_is_named(expression):
    given = [{"Id": "m1", "MetricStat": stat()}, {"Id": "e", "Expression": expression}]
    with pytest.raises(AwsError) as caught:
        checked(given, "eu-west-1")
    assert caught.value.status == 501
