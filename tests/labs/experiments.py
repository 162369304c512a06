"""What is done to a run, what follows, and what must hold then: each returns the troubles it found.

A trouble is `mixed`, an `orphan` or a `loss`; a site that does not become what was wanted is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from runner.audit import audit
from runner.collect import collect
from runner.destroy import Doom, destroy
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.local.faults import Fault, Kind
from runner.plan.retention import Retention
from runner.rollback import Wish, rollback
from tests.labs import holdings
from tests.labs.crash import Crash, Point, Wire
from tests.labs.site import LATER, Commit, Seen, Silent, Site

RECORDS_AT_MOST = 12  # writes of one deploy to the table of records
_RECORDING = frozenset({"UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems"})


class Then(StrEnum):
    """What comes after a crash."""

    AGAIN = "the same commit"
    NEWER = "a newer commit"
    BACK = "rollback"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` went wrong at which point, of which experiment."""

    kind: str
    what: str
    where: str = ""


@dataclass
class Bench:
    """A site that is used again and again, and made anew after trouble.

    `whole` is the foundation of a site that never crashed.
    """

    cloud: Cloud
    folder: Path
    make: Callable[[Cloud, Path], Site] = Site
    number: int = 0
    whole: Counter[str] = field(default_factory=Counter)
    _site: Site | None = field(default=None, repr=False)

    def fresh(self) -> Site:
        self.close()
        self._site = self.make(self.cloud, self.folder)
        return self._site

    def settled(self) -> tuple[Site, Commit]:
        """A site with a release that was deployed without trouble, and that release."""
        site = self._site or self.fresh()
        commit = self.commit()
        outcome = site.deploy(commit, Wire())
        assert outcome == "live", outcome
        return site, commit

    def measure(self) -> None:
        """What the foundation of a site that never crashed consists of."""
        self.whole = holdings.foundation(self.settled()[0].aws)

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
    wire = Wire(point)
    site.deploy(commit, wire)
    yield from seen(site, (Seen("", "", ""), commit))
    yield from _recovered(bench, site, before=None, crashed=commit, then=then)
    bench.close()


def update(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Page and function change together."""
    site, before = bench.settled()
    yield from _crashed(bench, site, before, bench.commit(), point=point, then=then)


def update_page(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """Files change, the function stays."""
    site, before = bench.settled()
    commit = bench.commit(code=before.code)
    yield from _crashed(bench, site, before, commit, point=point, then=then)


def twice(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The run that was to put it right dies too, somewhere."""
    site, before = bench.settled()
    commit = bench.commit()
    site.deploy(commit, Wire(point))
    site.sleep(LATER)
    chance = Random(f"{point}{then}")
    again = Point(chance.randint(1, 60), chance.random() < 0.5)
    following = bench.commit() if then is Then.NEWER else commit.again
    if then is Then.BACK:
        back(site, before, Wire(again))
    else:
        site.deploy(following, Wire(again))
    yield from seen(site, (before, commit, following))
    yield from _recovered(bench, site, before=before, crashed=following, then=then)


def lost(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """The answer to one call is lost, or the call itself: the run goes on by itself."""
    site, _ = bench.settled()
    kind: Kind = "lost" if point.after else "reset"
    yield from _disturbed(bench, site, Fault(kind=kind, skip=point.call - 1), then=then)


def crowded(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """From that call on three answers in a row are refusals for a moment."""
    site, _ = bench.settled()
    kind: Kind = "throttle" if point.after else "error"
    fault = Fault(kind=kind, skip=point.call - 1, times=3, status=503)
    yield from _disturbed(bench, site, fault, then=then)


def _disturbed(bench: Bench, site: Site, fault: Fault, *, then: Then) -> Iterator[Trouble]:
    commit = bench.commit()
    site.cloud.faults.add(fault)
    outcome = site.deploy(commit, Wire())
    site.cloud.faults.clear()
    if outcome != "live":
        yield Trouble("loss", outcome)
    yield from _recovered(bench, site, before=commit, crashed=commit, then=then)


def parked(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """A run is suspended, a newer one takes over; the first wakes up, and is gone back to."""
    site, before = bench.settled()
    commit, newer = bench.commit(), bench.commit()

    def meanwhile() -> None:
        site.sleep(LATER)
        site.deploy(newer, Wire(), aws=site.other_account(Wire()))

    outcome = site.deploy(commit, Wire(point, meanwhile=meanwhile))
    parked_late = outcome == "live"  # before it had the lease, or after all was done
    yield from seen(site, (commit, newer) if parked_late else (newer,))
    if back(site, commit, Wire()) == "live":
        yield from seen(site, (commit,))
    yield from _recovered(bench, site, before=before, crashed=newer, then=Then.NEWER)


def _crashed(
    bench: Bench, site: Site, before: Commit, commit: Commit, *, point: Point, then: Then
) -> Iterator[Trouble]:
    wire = Wire(point)
    site.deploy(commit, wire)
    yield from seen(site, (before, commit))
    yield from _recovered(bench, site, before=before, crashed=commit, then=then)


def _recovered(
    bench: Bench, site: Site, *, before: Commit | None, crashed: Commit, then: Then
) -> Iterator[Trouble]:
    site.sleep(LATER)
    if then is Then.DESTROY:
        yield from _destroyed(bench, site)
        return
    wire = Wire()
    if then is Then.BACK and before:
        wanted, outcome = before, back(site, before, wire)
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
    gone(site, Wire(point))
    site.sleep(LATER)
    if then is not Then.DESTROY:  # a deploy makes it whole again, and gc takes what was left
        commit = bench.commit()
        outcome = site.deploy(commit, Wire())
        if outcome != "live":
            yield Trouble("loss", outcome)
        collect(site.account(Wire()), site.names, Retention(), run="lab", say=str)
        yield from seen(site, (commit,))
        yield from (
            Trouble("orphan", each.name) for each in audit(site.aws, site.names).unexplained
        )
    yield from _destroyed(bench, site)


def _destroyed(bench: Bench, site: Site) -> Iterator[Trouble]:
    outcome = gone(site, Wire())
    if outcome != "removed":
        yield Trouble("loss", f"destroy: {outcome}")
    for each in audit(site.aws, site.names).of_site:
        yield Trouble("orphan", f"{each.kind} {each.name} after destroy")
    bench.close()


def gone(site: Site, wire: Wire) -> str:
    """`removed`, or the code of the error."""
    try:
        destroy(site.account(wire), site.names, Doom(run="lab"), say=str)
    except JamError as error:
        return error.code
    except Crash:
        return "crashed"
    return "removed"


def back(site: Site, to: Commit, wire: Wire) -> str:
    """Outcome, or the code of the error."""
    wish = Wish(release=site.release_of(to).id, hold=False, by="lab", run="lab")
    clock = site.cloud.clock.now
    try:
        done, _ = rollback(
            site.account(wire),
            site.names,
            wish,
            watcher=Silent(),
            clock=clock,  # type: ignore[arg-type]
        )
    except JamError as error:
        return error.code
    except Crash:
        return "crashed"
    return done.outcome


def seen(site: Site, allowed: tuple[Seen | Commit, ...]) -> Iterator[Trouble]:
    seen = site.visit()
    if seen in [_shown(each) for each in allowed]:
        return
    yield Trouble("mixed" if seen.is_mixed else "loss", f"visitors get {seen}")


def _shown(wanted: Seen | Commit) -> Seen:
    if isinstance(wanted, Seen):
        return wanted
    return Seen(document=wanted.page, asset=wanted.page, function=wanted.code)


def held(site: Site, whole: Counter[str]) -> Iterator[Trouble]:
    """Orphans and losses in what AWS holds; `whole` is the foundation of an uncrashed site."""
    aws, names = site.aws, site.names
    for what in holdings.orphans(aws, names):
        yield Trouble("orphan", what)
    for each in audit(aws, names).unexplained:
        yield Trouble("orphan", f"{each.kind} {each.name}, by audit")
    for what in holdings.losses(aws, names, pause=lambda: site.sleep(5)):
        yield Trouble("loss", what)
    found = holdings.foundation(aws)
    if whole and found != whole:
        yield Trouble("orphan", f"{found - whole} too many, {whole - found} missing")


def writes(wire: Wire) -> int:
    return sum(call in _RECORDING for call in wire.calls)


Experiment = Callable[[Bench, Point, Then], Iterator[Trouble]]
