"""Queries of metric data, checked; and what they come to, over a store's points.

Source: CloudWatch API reference, MetricDataQuery, MetricStat; user guide, "Using math expressions
with CloudWatch metrics".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.local.cloudwatch import checks, points, refusals, syntax
from runner.local.cloudwatch.functions import FUNCTIONS, MISSING, Span
from runner.local.cloudwatch.series import Series, Value, array, combined, each
from runner.local.cloudwatch.store import Metric, Store

if TYPE_CHECKING:
    from lark import Tree

_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """One statistic of one metric, by period in seconds; an empty unit is any."""

    metric: Metric
    period: int
    statistic: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Either a `stat` or an `expression`."""

    id: str
    stat: Stat | None = None
    expression: str = ""
    label: str = ""
    period: int = 0
    returned: bool = True


Read = Callable[[Stat, Span], Series]


def checked(given: Sequence[Mapping[str, Any]], region: str) -> tuple[Query, ...]:
    """The queries; raises ValidationError for what AWS refuses, expressions included."""
    queries = tuple(_query(each, region) for each in given)
    ids = [query.id for query in queries]
    for doubled in {name for name in ids if ids.count(name) > 1}:
        raise refusals.validation(f"The values for parameter id in queries are not unique: "
                                  f"{doubled}")  # fmt: skip
    answers = empty(queries)
    for query in queries:
        if isinstance(answers.of(query.id), float):
            raise refusals.validation(
                f"Error in expression '{query.id}': the result is a number, not a time series."
            )
    return queries


def empty(queries: Sequence[Query]) -> Answers:
    """The answers over no data: types show there as they would elsewhere."""
    return Answers(queries, lambda _stat, _span: Series(), Span(0, 60, 60))


def stat(given: Mapping[str, Any], region: str) -> Stat:
    """A MetricStat."""
    metric = given.get("Metric") or {}
    statistic = given.get("Stat") or ""
    if not points.known_statistic(statistic):
        raise refusals.validation(f"The value {statistic} for parameter Stat is not supported.")
    if not points.emulated_statistic(statistic):
        raise refusals.missing(f"the statistic {statistic}")
    return Stat(
        metric=Metric(region, checks.namespace(metric.get("Namespace")),
                      checks.name(metric.get("MetricName")),
                      checks.dimensions(metric.get("Dimensions"))),
        period=checks.period(int(given.get("Period") or 0)),
        statistic=statistic,
        unit=checks.unit(given.get("Unit")),
    )  # fmt: skip


def from_store(store: Store) -> Read:
    """How a store is read."""

    def read(stat: Stat, span: Span) -> Series:
        found = store.read(
            stat.metric, start=span.start, end=span.end, period=stat.period, unit=stat.unit
        )
        values = {at: points.value_of(point, stat.statistic) for at, point in found.items()}
        kept = {at: value for at, value in sorted(values.items()) if value is not None}
        return Series(kept, label=stat.metric.name)

    return read


class Answers:
    """What each query comes to, computed when it is asked for."""

    def __init__(self, queries: Sequence[Query], read: Read, span: Span) -> None:
        self._queries = {query.id: query for query in queries}
        self._read = read
        self._span = span
        self._known: dict[str, Value] = {}
        self._open: list[str] = []

    def of(self, name: str) -> Value:
        if name not in self._known:
            query = self._queries.get(name)
            if query is None:
                raise refusals.validation(f"Error in expression: Undefined reference to {name}")
            if name in self._open:
                raise refusals.validation(f"Error in expression '{name}': Circular reference")
            self._open.append(name)
            self._known[name] = self._found(query)
            self._open.pop()
        return self._known[name]

    def _found(self, query: Query) -> Value:
        if query.stat:
            span = Span(self._span.start, self._span.end, query.stat.period)
            read = self._read(query.stat, span)
            return Series(read.points, query.id, query.label or read.label, query.stat.period)
        found = self._computed(syntax.read(query.expression), self._of(query))
        if isinstance(found, Series):
            return Series(found.points, query.id, query.label or query.id)
        return found

    def _of(self, query: Query) -> Span:
        """An expression's own period, else that of the metrics that it names."""
        names = syntax.references(syntax.read(query.expression))
        named = (self._queries.get(name) for name in names)
        periods = [each.stat.period for each in named if each and each.stat]
        period = query.period or max(periods, default=self._span.period)
        return Span(self._span.start, self._span.end, period)

    def _computed(self, tree: Tree[Any], span: Span) -> Value:
        kind, parts = str(tree.data), tree.children
        if kind == "number":
            return float(str(parts[0]))
        if kind == "reference":
            return self.of(str(parts[0]))
        if kind == "list":
            return [one for part in parts for one in array(self._computed(part, span))]
        if kind == "negative":
            found = self._computed(parts[0], span)
            if isinstance(found, float):
                return -found
            return each(found, lambda one: one.mapped(lambda value: -value))
        if kind == "call":
            return self._called(str(parts[0]), [part for part in parts[1:] if part], span)
        if kind in ("either", "both"):
            parts = [parts[0], "OR" if kind == "either" else "AND", parts[1]]
        if len(parts) != 3:  # a text or a word outside a function that takes one
            raise refusals.validation(f"Error in expression: Invalid syntax at '{parts[0]}'")
        left, right = self._computed(parts[0], span), self._computed(parts[2], span)
        return combined(str(parts[1]), left, right)

    def _called(self, name: str, parts: list[Tree[Any]], span: Span) -> Value:
        if name == "METRICS":
            return self._metrics(parts)
        if name in MISSING:
            raise refusals.missing(f"{name} in metric math")
        function = FUNCTIONS.get(name)
        if function is None:
            raise refusals.validation(f"Error in expression: Unsupported function '{name}'")
        if not function.least <= len(parts) <= function.most:
            raise refusals.validation(f"Error in expression: Wrong number of arguments of {name}")
        given = tuple(
            str(part.children[0])
            if place in function.words and part.data == "word"
            else self._computed(part, span)
            for place, part in enumerate(parts)
        )
        return function.compute(given, span)

    def _metrics(self, parts: list[Tree[Any]]) -> list[Series]:
        """All metrics of the request, or those whose id has the text in it; no expressions."""
        if parts and (len(parts) > 1 or parts[0].data != "text"):
            raise refusals.validation("Error in expression: METRICS takes a text or nothing")
        wanted = str(parts[0].children[0])[1:-1] if parts else ""
        found = [self.of(each.id) for each in self._queries.values() if each.stat]
        return [one for value in found for one in array(value) if wanted in one.id]


def _query(given: Mapping[str, Any], region: str) -> Query:
    name = given.get("Id") or ""
    if not _ID.fullmatch(name):
        raise refusals.validation(
            f"The value '{name}' for parameter id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$"
        )
    if given.get("AccountId"):
        raise refusals.missing("other accounts' metrics (AccountId)")
    measured, expression = given.get("MetricStat"), given.get("Expression") or ""
    if bool(measured) == bool(expression):
        raise refusals.validation(
            f"Exactly one of MetricStat and Expression must be specified for query '{name}'."
        )
    if measured and given.get("Period"):
        raise refusals.validation("Period must not be set beside MetricStat.")
    returned = given.get("ReturnData")
    return Query(
        id=name,
        stat=stat(measured, region) if measured else None,
        expression=expression,
        label=given.get("Label") or "",
        period=checks.period(int(given["Period"])) if given.get("Period") else 0,
        returned=True if returned is None else bool(returned),
    )
