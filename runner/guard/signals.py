"""From CloudWatch's metrics to minutes of candidate and baseline, signal by signal.

Pure; standard library only. Entry's own counts tell sessions apart; AWS's metrics come beside them
where the two releases can be told apart in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from runner.entry.counts import BROWSER, FAILED, MISSING, NAMESPACE, SESSIONS
from runner.guard.rollout import Rollout
from runner.guard.verdict import Minute

PERIOD = 60  # seconds
# A candidate's versions start cold more often than its baseline's; no start takes this long.
ENTRY_SLOW = 2000  # ms
# How fast functions usually are is known, so that less than a cold start is slow. So many requests
# of the candidate's, and a part of all, are forgiven: starts, and the tail that was slow before.
_COLD, _TAIL = 10, 0.1

Series = Mapping[int, float]
"""Values by the second of the epoch at which their minute begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the metrics of one site are called: its name, entry's function and alias, the API."""

    site: str
    entry: str
    alias: str
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """One series of one release; `arm` is `c` or `b`."""

    key: str
    arm: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Sum"

    @property
    def id(self) -> str:
        return f"{self.arm}_{self.key}"

    def query(self) -> dict[str, Any]:
        named = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": named}
        return {
            "Id": self.id,
            "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": self.statistic},
        }


def signals(rollout: Rollout) -> tuple[str, ...]:
    """What this rollout is judged by. Releases that share an api_stage share its metrics."""
    by_browser = ("browser",) if rollout.beacon else ()
    own_stages = all(rollout.stages) and rollout.stages[0] != rollout.stages[1]
    by_stage = ("functions", *(("slow",) if rollout.slow_over else ())) if own_stages else ()
    return ("entry", "entry-slow", "missing", *by_browser, *by_stage)


def queries(rollout: Rollout, where: Where) -> list[dict[str, Any]]:
    """What GetMetricData is to be asked: at most 20 of its 500 queries.

    Source: CloudWatch API reference, GetMetricData.
    """
    return [metric.query() for metric in _metrics(rollout, where)]


def minutes(rollout: Rollout, found: Mapping[str, Series]) -> dict[str, list[Minute]]:
    """The minutes of each signal, from the first to the last of which anything is known."""
    times = sorted({time for series in found.values() for time in series})
    read = _Reader(found, times)
    sessions = [read.whole(f"{arm}_{SESSIONS}") for arm in "cb"]
    judged: dict[str, list[Minute]] = {}
    for signal in signals(rollout):
        if signal in ("missing", "browser"):
            judged[signal] = _of_sessions(sessions, read.both(signal))
        else:
            trials, failed = read.added(_TRIALS[signal]), read.added(_FAILURES[signal])
            if signal == "slow":
                failed = (_forgiven(trials[0], failed[0]), failed[1])
            judged[signal] = _plain(trials, failed)
    return judged


_TRIALS = {
    "entry": (SESSIONS, FAILED, "crashed"),
    "entry-slow": ("invoked",),
    "functions": ("requests",),
    "slow": ("requests",),
}
_FAILURES = {
    "entry": (FAILED, "crashed"),
    "entry-slow": ("dragged",),
    "functions": ("faults",),
    "slow": ("slow",),
}

_Pair = tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True)
class _Reader:
    found: Mapping[str, Series]
    times: list[int]

    def whole(self, name: str) -> list[int]:
        """A series without gaps: no data is nothing that happened."""
        series = self.found.get(name, {})
        return [round(series.get(time, 0)) for time in self.times]

    def both(self, key: str) -> _Pair:
        return self.whole(f"c_{key}"), self.whole(f"b_{key}")

    def added(self, keys: Iterable[str]) -> _Pair:
        pairs = [self.both(key) for key in keys]
        added = [
            [sum(values) for values in zip(*arm, strict=True)] for arm in zip(*pairs, strict=True)
        ]
        return added[0], added[1]


def _plain(trials: _Pair, failed: _Pair) -> list[Minute]:
    rows = zip(trials[0], failed[0], trials[1], failed[1], strict=True)
    return [Minute(*row) for row in rows]


def _forgiven(requests: list[int], slow: list[int]) -> list[int]:
    """What the candidate's slow requests come to, minute by minute, beyond what is forgiven.

    No minute has more than were counted, so that the test errs towards the candidate alone.
    """
    counted, left = 0, []
    for asked, found in zip(accumulate(requests), accumulate(slow), strict=True):
        beyond = max(counted, found - _COLD - round(_TAIL * asked))
        left.append(beyond - counted)
        counted = beyond
    return left


def _of_sessions(sessions: list[list[int]], failed: _Pair) -> list[Minute]:
    """A session may meet its trouble minutes after it began: all that were begun are open."""
    opened = [list(accumulate(arm)) for arm in sessions]
    rows = zip(opened[0], failed[0], opened[1], failed[1], sessions[0], strict=True)
    return [Minute(*row) for row in rows]


def _metrics(rollout: Rollout, where: Where) -> Iterator[_Metric]:
    arms = (
        ("c", rollout.candidate, rollout.candidate_version, rollout.stages[0]),
        ("b", rollout.baseline, rollout.baseline_version, rollout.stages[1]),
    )
    judged = signals(rollout)
    for arm, release, version, stage in arms:
        own = (("site", where.site), ("release", release))
        for key in (SESSIONS, FAILED, MISSING, *((BROWSER,) if rollout.beacon else ())):
            yield _Metric(key=key, arm=arm, namespace=NAMESPACE, name=key, dimensions=own)
        yield from _of_entry(arm, version, where)
        if "functions" in judged:
            yield from _of_stage(arm, stage, where, slow_over=rollout.slow_over)


def _of_entry(arm: str, version: str, where: Where) -> Iterator[_Metric]:
    """Source: Lambda developer guide, "Types of metrics for Lambda functions", ExecutedVersion."""
    dimensions = (
        ("FunctionName", where.entry),
        ("Resource", f"{where.entry}:{where.alias}"),
        ("ExecutedVersion", version),
    )
    for key, name, statistic in (
        ("crashed", "Errors", "Sum"),
        ("invoked", "Invocations", "Sum"),
        ("dragged", "Duration", _over(ENTRY_SLOW)),
    ):
        yield _Metric(
            key=key,
            arm=arm,
            namespace="AWS/Lambda",
            name=name,
            dimensions=dimensions,
            statistic=statistic,
        )


def _of_stage(arm: str, stage: str, where: Where, *, slow_over: float) -> Iterator[_Metric]:
    """Source: API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs"."""
    dimensions = (("ApiId", where.api), ("Stage", stage))
    wanted = [("requests", "Count", "Sum"), ("faults", "5xx", "Sum")]
    if slow_over:
        wanted.append(("slow", "Latency", _over(slow_over)))
    for key, name, statistic in wanted:
        yield _Metric(
            key=key,
            arm=arm,
            namespace="AWS/ApiGateway",
            name=name,
            dimensions=dimensions,
            statistic=statistic,
        )


def _over(least: float) -> str:
    """The number of values above `least`. Source: CloudWatch user guide, "Statistics definitions",
    Trimmed count."""
    return f"TC({least:g}:)"
