"""Runs that AWS disturbs at one call: an answer or a call is lost, or refused for a moment.

The run goes on by itself, and the next finds nothing to mend.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.local.faults import Fault, Kind
from tests.labs.checks import Trouble
from tests.labs.crash import Point, Wire
from tests.labs.experiments import Bench, Then, recovered
from tests.labs.site import Site

MANY = 10_000  # more than a run calls
STORM = (
    Fault(kind="throttle", times=MANY, probability=0.3),
    Fault(kind="error", times=MANY, probability=0.05, status=503),
)


def lost(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The answer to one call is lost, or the call itself: the run goes on by itself."""
    site, _ = bench.settled()
    kind: Kind = "lost" if point.after else "reset"
    yield from disturbed(bench, site, _at(point, kind), then=then)


def crowded(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """From that call on three answers in a row are refusals for a moment."""
    site, _ = bench.settled()
    kind: Kind = "throttle" if point.after else "error"
    fault = _at(point, kind, times=3)
    yield from disturbed(bench, site, fault, then=then)


def lost_first(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """As `lost`, while everything is made for the first time."""
    kind: Kind = "lost" if point.after else "reset"
    yield from disturbed(bench, bench.fresh(), _at(point, kind), then=then)


def crowded_first(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """As `crowded`, while everything is made for the first time."""
    kind: Kind = "throttle" if point.after else "error"
    fault = _at(point, kind, times=3)
    yield from disturbed(bench, bench.fresh(), fault, then=then)


def stormy(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """All the way three answers in ten are throttled and one in twenty is a 503."""
    site, _ = bench.settled()
    yield from disturbed(bench, site, *STORM, then=then)


def stormy_first(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """As `stormy`, while everything is made for the first time."""
    yield from disturbed(bench, bench.fresh(), *STORM, then=then)


def disturbed(bench: Bench, site: Site, *faults: Fault, then: Then) -> Iterator[Trouble]:
    commit = bench.commit()
    for each in faults:
        site.cloud.faults.add(each)
    before = site.cloud.journal.last
    outcome = site.deploy(commit, Wire())
    bench.asked = site.cloud.journal.entries(since=before)
    site.cloud.faults.clear()
    if outcome == "live":
        yield from recovered(bench, site, before=commit, crashed=commit, then=then)
        return
    yield Trouble("loss", f"{outcome}: {site.said}")


def _at(point: Point, kind: Kind, *, times: int = 1) -> Fault:
    """At the `call`-th of the point's operation, whichever service has one of that name."""
    operation = point.operation or "*"
    return Fault(kind=kind, operation=operation, skip=point.call - 1, times=times, status=503)
