"""Rollouts whose run dies over opening or ending one: settle and the next run end it whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner.aws import records
from runner.errors import JamError
from runner.guard.rollout import Act
from runner.local.cloud import Cloud
from runner.plan.refs import Ref
from runner.promote import Follower
from runner.settle import Settled, settle
from runner.world import Way
from tests.labs import checks
from tests.labs.checks import Trouble
from tests.labs.crash import Crash, Point, Wire
from tests.labs.disturbed import STORM
from tests.labs.experiments import Bench, Then
from tests.labs.site import LATER, Commit, Silent, Site

OPENS = Way(wait=False)
GOES_ON = ("open", "live", "unchanged")  # the guard may have promoted it meanwhile
UNOPENED = 1500.0  # seconds after which the guard gives up a rollout that nobody went on opening

rolling = partial(Site, strategy="canary")


@dataclass
class Rolling(Bench):
    """A bench whose site has rollouts; what goes live between two experiments goes at once."""

    def __post_init__(self) -> None:
        self.make = rolling


def opening(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The run dies while the rollout opens."""
    site, before = bench.settled()
    commit = bench.commit()
    site.deploy(commit, bench.wire(point), way=OPENS)
    yield from checks.seen(site, (before, commit))
    yield from _ended(bench, site, before=before, candidate=commit, then=then)


def reopening(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The run dies while the rollout opens, and the same commit opens it after all."""
    site, before = bench.settled()
    commit = bench.commit()
    site.deploy(commit, bench.wire(point), way=OPENS)
    yield from checks.seen(site, (before, commit))
    site.sleep(LATER)
    if (outcome := site.deploy(commit.again, Wire(), way=OPENS)) not in GOES_ON:
        yield Trouble("loss", f"{then}: {outcome}")
    done = settled(site)
    if done.release != site.release_of(commit).id:
        yield Trouble("loss", f"the rollout ended as {done.outcome}")
    yield from checks.seen(site, (commit,))
    yield from checks.held(site, bench.whole)


def opening_in_storm(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """While AWS throttles and fails, the rollout opens."""
    site, _ = bench.settled()
    commit = bench.commit()
    for each in STORM:
        site.cloud.faults.add(each)
    opened = site.deploy(commit, Wire(), way=OPENS)
    done = settled(site)
    site.cloud.faults.clear()
    if opened not in GOES_ON:
        yield Trouble("loss", f"the rollout is {opened}: {site.said}")
    if done.release != site.release_of(commit).id:
        yield Trouble("loss", f"the rollout ended as {done.outcome}")
    yield from checks.seen(site, (commit,))
    yield from checks.held(site, bench.whole)


def promoting(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Whoever promotes the candidate dies over it."""
    yield from _ending(bench, point, then, act=Act.PROMOTE)


def taking_back(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Whoever takes the candidate back dies over it."""
    yield from _ending(bench, point, then, act=Act.TAKE_BACK)


def _ending(bench: Bench, point: Point, then: Then, *, act: Act) -> Iterator[Trouble]:
    site, before = bench.settled()
    commit = bench.commit()
    outcome = site.deploy(commit, Wire(), way=OPENS)
    if outcome != "open":
        yield Trouble("loss", f"the rollout is {outcome}")
    _act(site, act, bench.wire(point))
    yield from checks.seen(site, (before, commit))
    yield from _ended(bench, site, before=before, candidate=commit, then=then)


def _act(site: Site, act: Act, wire: Wire) -> None:
    aws = site.account(wire)
    try:
        found = records.read(aws, site.names, release="")
        assert found
        known = {Ref(made): value for made, value in found[0].ids.items()}
        Follower(aws, site.names, known=known, say=lambda _: None).act(act, "a lab wants it")
    except (Crash, JamError):
        return


def settled(site: Site, *, promote: bool = False) -> Settled:
    """As `settle` leaves it."""
    return settle(
        site.account(Wire()),
        site.names,
        promote=promote,
        run="lab",
        watcher=Silent(),  # type: ignore[arg-type]  # it answers to every name
        clock=site.cloud.clock.now,
    )


def _ended(
    bench: Bench, site: Site, *, before: Commit, candidate: Commit, then: Then
) -> Iterator[Trouble]:
    """However it is ended, the visitors get one release, the one that is recorded."""
    site.sleep(LATER)
    if then is Then.BACK:
        wanted: tuple[Commit, ...] = (before,)
        outcome = site.back(before, Wire())
    elif then is Then.NEWER:
        wanted = (bench.commit(),)
        outcome = site.deploy(wanted[0], Wire())
    else:
        wanted = (before, candidate)
        site.sleep(UNOPENED)
        done = settled(site)
        outcome = "live" if done.outcome in ("live", "rolled_back", "unchanged") else done.outcome
        recorded = [each for each in wanted if site.release_of(each).id == done.release]
        wanted = tuple(recorded)
    if outcome not in ("live", "unchanged"):
        yield Trouble("loss", f"{then}: {outcome}")
    yield from checks.seen(site, wanted)
    if then is Then.AGAIN:  # what a rollout that ended leaves to do is the next deploy's
        again = bench.commit()
        if (outcome := site.deploy(again, Wire())) != "live":
            yield Trouble("loss", f"the next deploy is {outcome}")
        yield from checks.seen(site, (again,))
    yield from checks.held(site, bench.whole)


def a_bench(cloud: Cloud, folder: Path) -> Bench:
    return Rolling(cloud, folder)
