"""Runs that die, and what follows: each experiment returns the troubles that it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from random import Random

from runner.audit import audit
from runner.local.cloud import Cloud
from runner.local.journal import Entry
from tests.labs import holdings
from tests.labs.checks import RECORDS_AT_MOST, Trouble, held, seen, writes
from tests.labs.crash import WRITE, Point, Wire
from tests.labs.site import LATER, Commit, Seen, Site

KNOWN = 120.0  # seconds
WRITES = 16  # of a run that goes on where another stopped, about
BOOTSTRAP = Counter({"role": 1})  # CodeDeploy's, which is the account's
USES = 15  # experiments on one site: each release makes every look longer


class Then(StrEnum):
    """What comes after a crash."""

    AGAIN = "the same commit"
    NEWER = "a newer commit"
    BACK = "rollback"
    DESTROY = "destroy"


@dataclass
class Bench:
    """A site that is used again and again, and made anew after trouble.

    `whole` is the foundation of a site that never crashed.
    """

    cloud: Cloud
    folder: Path
    make: Callable[[Cloud, Path], Site] = Site
    number: int = 0
    uses: int = 0
    whole: Counter[str] = field(default_factory=Counter)
    struck: Wire = field(default_factory=Wire, repr=False)  # of the run that was to die
    asked: tuple[Entry, ...] = ()  # of AWS, by the run that was to be disturbed
    first: tuple[Wire, tuple[Entry, ...]] = (Wire(), ())  # a site's first deploy, undisturbed
    next: tuple[Wire, tuple[Entry, ...]] = (Wire(), ())  # and the one after it
    _site: Site | None = field(default=None, repr=False)

    def wire(self, point: Point, *, meanwhile: Callable[[], object] | None = None) -> Wire:
        """For the run that dies at `point`, or is held there."""
        self.struck = Wire(point, meanwhile=meanwhile)
        return self.struck

    def fresh(self) -> Site:
        self.close()
        self.uses = 0
        self._site = self.make(self.cloud, self.folder)
        return self._site

    def settled(self) -> tuple[Site, Commit]:
        """A site with a release that was deployed without trouble, and that release."""
        self.uses += 1
        if self.uses > USES:
            self.close()
        site = self._site or self.fresh()
        commit = self.commit()
        outcome = site.deploy(commit, Wire())
        assert outcome == "live", f"{outcome}: {site.said}"
        return site, commit

    def measure(self) -> None:
        """What the foundation of a site that never crashed consists of, and what its runs asked."""
        self.first, self.next = self._asked(), self._asked()
        assert self._site
        self.whole = holdings.foundation(self._site.aws)

    def _asked(self) -> tuple[Wire, tuple[Entry, ...]]:
        """What a run that nothing befell sent, and what of it the cloud was asked."""
        site = self._site or self.fresh()
        before, wire, commit = self.cloud.journal.last, Wire(), self.commit()
        assert site.deploy(commit, wire) == "live", site.said
        return wire, self.cloud.journal.entries(since=before)

    def commit(self, *, code: str = "") -> Commit:
        self.number += 1
        return Commit(page=str(self.number), code=code or str(self.number), number=self.number)

    def close(self) -> None:
        if self._site:
            self._site.close()
            self._site = None


def first_deploy(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Nothing was there before; whatever comes next finds its way."""
    site, commit = bench.fresh(), bench.commit()
    wire = bench.wire(point)
    site.deploy(commit, wire)
    yield from seen(site, (Seen("", "", ""), commit))
    yield from recovered(bench, site, before=None, crashed=commit, then=then)
    bench.close()


def update(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Page and function change together."""
    site, before = bench.settled()
    yield from crashed_at(bench, site, before, bench.commit(), point=point, then=then)


def update_page(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Files change, the function stays."""
    site, before = bench.settled()
    commit = bench.commit(code=before.code)
    yield from crashed_at(bench, site, before, commit, point=point, then=then)


def update_code(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The function changes, files stay: no look at a page tells."""
    site, before = bench.settled()
    commit = replace(bench.commit(), page=before.page)
    yield from crashed_at(bench, site, before, commit, point=point, then=then)


def twice(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The run that was to put it right dies too, somewhere."""
    site, before = bench.settled()
    commit = bench.commit()
    site.deploy(commit, bench.wire(point))
    site.sleep(LATER)
    chance = Random(f"{point}{then}")
    again = Point(chance.randint(1, WRITES), chance.random() < 0.5, WRITE)
    following = bench.commit() if then is Then.NEWER else commit.again
    if then is Then.BACK:
        site.back(before, Wire(again))
    else:
        site.deploy(following, Wire(again))
    yield from seen(site, (before, commit, following))
    yield from recovered(bench, site, before=before, crashed=following, then=then)


def parked(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """A run is suspended, a newer one takes over; the first wakes up, and is gone back to."""
    site, before = bench.settled()
    commit, newer = bench.commit(), bench.commit()

    def meanwhile() -> None:
        site.sleep(LATER)
        site.deploy(newer, Wire(), aws=site.other_account(Wire()))

    outcome = site.deploy(commit, bench.wire(point, meanwhile=meanwhile))
    parked_late = outcome == "live"  # before it had the lease, or after all was done
    yield from seen(site, (commit, newer) if parked_late else (newer,))
    if site.back(commit, Wire()) == "live":
        yield from seen(site, (commit,))
    yield from recovered(bench, site, before=before, crashed=newer, then=Then.NEWER)


def returning(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Whoever goes back dies over it."""
    site, before = bench.settled()
    newer = bench.commit()
    if (outcome := site.deploy(newer, Wire())) != "live":
        yield Trouble("loss", outcome)
    site.back(before, bench.wire(point))
    yield from seen(site, (before, newer))
    site.sleep(KNOWN)
    yield from seen(site, (before, newer))
    yield from recovered(bench, site, before=before, crashed=newer, then=then)


def meddled(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Somebody changes the function by hand meanwhile: no release is made of that."""
    site, before = bench.settled()
    commit = bench.commit()
    outcome = site.deploy(commit, bench.wire(point, meanwhile=site.meddle))
    yield from seen(site, (commit,) if outcome == "live" else (before,))
    yield from recovered(bench, site, before=before, crashed=commit, then=then)


def crashed_at(
    bench: Bench,
    site: Site,
    before: Commit,
    commit: Commit,
    *,
    point: Point,
    then: Then,
    back_to: Commit | None = None,
) -> Iterator[Trouble]:
    """`back_to` is what a rollback wants then, if that is not what was there before."""
    wire = bench.wire(point)
    site.deploy(commit, wire)
    yield from seen(site, (before, commit))
    site.sleep(KNOWN)  # until every edge has heard of what it wrote
    yield from seen(site, (before, commit))
    yield from recovered(bench, site, before=back_to or before, crashed=commit, then=then)


def recovered(
    bench: Bench, site: Site, *, before: Commit | None, crashed: Commit, then: Then
) -> Iterator[Trouble]:
    site.sleep(LATER)
    if then is Then.DESTROY:
        yield from _destroyed(bench, site)
        return
    wire = Wire()
    if then is Then.BACK and before:
        wanted, outcome = before, site.back(before, wire)
    else:
        wanted = bench.commit() if then is Then.NEWER else crashed.again
        outcome = site.deploy(wanted, wire)
    if outcome not in ("live", "unchanged"):
        yield Trouble("loss", f"{then}: {outcome}")
    yield from seen(site, (wanted,))
    yield from held(site, bench.whole)
    if (written := writes(wire)) > RECORDS_AT_MOST:
        yield Trouble("loss", f"{written} writes to the records")


def destroying(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Whoever destroys the site dies over it."""
    site, _ = bench.settled()
    site.gone(bench.wire(point))
    site.sleep(LATER)
    if then is not Then.DESTROY:  # a deploy makes it whole again, and gc takes what was left
        commit = bench.commit()
        outcome = site.deploy(commit, Wire())
        if outcome != "live":
            yield Trouble("loss", outcome)
        site.collect(Wire())
        yield from seen(site, (commit,))
        yield from (
            Trouble("orphan", each.name) for each in audit(site.aws, site.names).unexplained
        )
    yield from _destroyed(bench, site)


def _destroyed(bench: Bench, site: Site) -> Iterator[Trouble]:
    outcome = site.gone(Wire())
    if outcome != "removed":
        yield Trouble("loss", f"destroy: {outcome}")
    for each in audit(site.aws, site.names).of_site:
        yield Trouble("orphan", f"{each.kind} {each.name} after destroy")
    # The bench has one site at a time: whatever sites share goes with it.
    for kind, count in (holdings.foundation(site.aws) - BOOTSTRAP).items():
        yield Trouble("orphan", f"{count} {kind} after destroy")
    bench.close()


Experiment = Callable[[Bench, Point, Then], Iterator[Trouble]]
