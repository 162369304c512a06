"""What is done to a run, what follows, and what must hold then: each returns the troubles it found.

A trouble is `mixed`, an `orphan` or a `loss`; a site that does not become what was wanted is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from runner.errors import JamError
from runner.local.cloud import Cloud
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
    strategy: str = "all-at-once"
    number: int = 0
    whole: Counter[str] = field(default_factory=Counter)
    _site: Site | None = field(default=None, repr=False)

    def fresh(self) -> Site:
        self.close()
        self._site = Site(self.cloud, self.folder, strategy=self.strategy)
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
    yield from _seen(site, (Seen("", "", ""), commit))
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


def _crashed(
    bench: Bench, site: Site, before: Commit, commit: Commit, *, point: Point, then: Then
) -> Iterator[Trouble]:
    wire = Wire(point)
    site.deploy(commit, wire)
    yield from _seen(site, (before, commit))
    yield from _recovered(bench, site, before=before, crashed=commit, then=then)


def _recovered(
    bench: Bench, site: Site, *, before: Commit | None, crashed: Commit, then: Then
) -> Iterator[Trouble]:
    site.sleep(LATER)
    wire = Wire()
    if then is Then.BACK and before:
        wanted, outcome = before, back(site, before, wire)
    else:
        wanted = bench.commit() if then is Then.NEWER else crashed.again
        outcome = site.deploy(wanted, wire)
    if outcome not in ("live", "unchanged"):
        yield Trouble("loss", f"{then}: {outcome}")
    yield from _seen(site, (wanted,))
    yield from held(site, bench.whole)
    if (written := writes(wire)) > RECORDS_AT_MOST:
        yield Trouble("loss", f"{written} writes to the records")


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


def _seen(site: Site, allowed: tuple[Seen | Commit, ...]) -> Iterator[Trouble]:
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
    for what in holdings.losses(aws, names, pause=lambda: site.sleep(5)):
        yield Trouble("loss", what)
    found = holdings.foundation(aws)
    if whole and found != whole:
        yield Trouble("orphan", f"{found - whole} too many, {whole - found} missing")


def writes(wire: Wire) -> int:
    return sum(call in _RECORDING for call in wire.calls)


def calls_of(bench: Bench, experiment: Experiment) -> int:
    """How many points an uncrashed run of the experiment has."""
    longest = 0
    for _ in range(2):
        wire = Wire()
        site, commit = (
            (bench.fresh(), bench.commit())
            if experiment is first_deploy
            else (bench.settled()[0], bench.commit())
        )
        site.deploy(commit, wire)
        longest = max(longest, len(wire.calls))
    return longest


Experiment = Callable[[Bench, Point, Then], Iterator[Trouble]]
