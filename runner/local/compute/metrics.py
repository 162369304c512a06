"""AWS's own metrics of functions, by minute; other parts of the cloud `add` theirs.

Counting is all that a request pays: what it means is worked out when somebody reads.
Source: Lambda developer guide, "Types of metrics for Lambda functions" and "Viewing metrics for
Lambda functions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from runner.local.cloudwatch.store import Dimensions, Metric, Sample, Store
from runner.local.compute.invoking import Invocation
from runner.local.compute.records import Waiting

NAMESPACE = "AWS/Lambda"
_UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds"}


class Metrics:
    """Counts into a store of metrics."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def count(self, told: Invocation) -> None:
        """A listener of `Invoker.on_invocation`. The time is that of the invocation's begin."""
        self._store.count(told.at, told, samples_of)

    def measure(self, metric: str, event: Waiting, value: float) -> None:
        """A listener of `Invoker.on_event`."""
        called = f"{event.name}:{event.qualifier}" if event.qualifier else event.name
        function = ("FunctionName", event.name)
        for dimensions in ((), (function,), (function, ("Resource", called))):
            self.add(NAMESPACE, metric, value, region=event.region, dimensions=dimensions)

    def add(
        self,
        namespace: str,
        metric: str,
        value: float,
        *,
        region: str,
        dimensions: Dimensions = (),
        at: float | None = None,
    ) -> None:
        """One value of one minute: that of `at`, in cloud seconds, else the present one."""
        named = Metric(region, namespace, metric, tuple(sorted(dimensions)))
        sample = Sample(named, value, _UNITS.get(metric, "Count"))
        self._store.count(self._now() if at is None else at, sample, lambda one: (one,))


def samples_of(told: Invocation) -> Iterator[Sample]:
    for metric, value in values_of(told).items():
        unit = _UNITS.get(metric, "Count")
        for named in _metrics(metric, told.region, told.function, told.qualifier, told.version):
            yield Sample(named, value, unit)
    running = ((), told.concurrent), ((("FunctionName", told.function),), told.of_function)
    for dimensions, held in running if not told.throttled else ():
        yield Sample(Metric(told.region, NAMESPACE, "ConcurrentExecutions", dimensions), held)


def values_of(told: Invocation) -> dict[str, float]:
    """A throttled call is no invocation; a run is an error or it is none; a cold start's
    initialisation is not in the duration, which is in milliseconds."""
    if told.throttled:
        return {"Throttles": 1}
    return {
        "Invocations": 1,
        "Errors": 1 if told.error else 0,
        "Throttles": 0,
        "Duration": told.seconds * 1000,
    }


def dimensions_of(function: str, qualifier: str, version: str) -> tuple[Dimensions, ...]:
    """Everything, the function, what was called, and for an alias the version that ran."""
    name = ("FunctionName", function)
    resource = ("Resource", f"{function}:{qualifier}" if qualifier else function)
    sets: tuple[Dimensions, ...] = ((), (name,), (name, resource))
    if _is_alias(qualifier):
        sets += ((("ExecutedVersion", version), name, resource),)
    return sets


@lru_cache(maxsize=4096)
def _metrics(
    metric: str, region: str, function: str, qualifier: str, version: str
) -> tuple[Metric, ...]:
    found = dimensions_of(function, qualifier, version)
    return tuple(Metric(region, NAMESPACE, metric, dimensions) for dimensions in found)


def _is_alias(qualifier: str) -> bool:
    """Source: Lambda API reference, CreateAlias, `Name`: never digits alone."""
    return bool(qualifier) and qualifier != "$LATEST" and not qualifier.isdigit()
