"""A pull request that is opened, pushed to, closed and reopened, by runs that cross.

Events are numbered as GitHub numbers their runs. One run stops at a call, and another event's run
goes from beginning to end there; what is left in the end is what the newest event says, whoever of
them slept, died, or never ran at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.audit import audit
from runner.aws import preview_records
from runner.clearing import Clearing, clear
from runner.closing import Closing
from runner.model import Origin
from runner.plan.overdue import DAY
from tests.labs.crash import Point, Wire
from tests.previews_site import PreviewedSite

PULL = 7
ENDS = ("live", "unchanged", "superseded", "removed")  # status 0
LATER = 100.0  # seconds, after which a dead run's lease is over


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the pull request, and its run's number; `push` shows the pull request."""

    run: int
    push: bool

    def __str__(self) -> str:
        return f"{'push' if self.push else 'close'} {self.run}"


OPENED, CLOSED, REOPENED = Event(11, push=True), Event(12, push=False), Event(13, push=True)
# What runs, and what comes meanwhile: in the order of events or not.
CROSSED = (
    (OPENED, CLOSED),
    (CLOSED, OPENED),
    (CLOSED, REOPENED),
    (REOPENED, CLOSED),
    (OPENED, REOPENED),
    (REOPENED, OPENED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaving:
    """`first` stops before or after its `call`-th call, where `second` comes; `dies`: for good."""

    first: Event
    second: Event
    call: int
    dies: bool = False
    was_open: bool = False  # shown before either of them

    def __str__(self) -> str:
        how = "dies" if self.dies else "sleeps"
        return f"{self.first} {how} at {self.call}, {self.second}, open {self.was_open}"


@dataclass(frozen=True, slots=True)
class GitHub:
    """What a person sees on the pull request's page."""

    opened: frozenset[int]

    def open_numbers(self) -> frozenset[int] | None:
        return self.opened

    def is_open(self, number: int) -> bool | None:
        return number in (self.open_numbers() or ())


def play(site: PreviewedSite, wanted: Interleaving) -> list[str]:
    """What is wrong in the end; nothing if all is as the newest event says."""
    if wanted.was_open:
        run_of(site, Event(5, push=True))
    wire = Wire(
        Point(wanted.call, after=wanted.call % 2 == 0),
        meanwhile=None if wanted.dies else lambda: run_of(site, wanted.second),
    )
    ended = run_of(site, wanted.first, wire=wire)
    if not wire.struck:
        return ["the run ended before the call at which another was to come"]
    if not wanted.dies and ended not in ENDS:
        return [f"the run that slept ended as {ended}"]
    if wanted.dies:
        site.sleep(LATER)
        run_of(site, wanted.second)
    newest = max(wanted.first, wanted.second, key=lambda each: each.run)
    if wanted.dies and newest is wanted.first:
        run_of(site, newest)  # GitHub's page shows a failed run, and somebody starts it again
    return list(_complaints(site, newest, collects=wanted.dies))


def displaced(site: PreviewedSite, *, call: int) -> list[str]:
    """The closing's run was displaced in its queue, or its branch was deleted: it never begins; the
    push's dies or ends, and `gc` comes."""
    run_of(site, OPENED, wire=Wire(Point(call)))
    site.sleep(LATER)
    return list(_complaints(site, CLOSED, collects=True))


def commit(site: PreviewedSite, event: Event) -> None:
    """As its page and its function tell."""
    site.write("public/index.html", f"<p>{event.run}")
    answer = f'{{"statusCode": 200, "body": "{event.run}"}}'
    site.write("functions/hello.py", f"def handler(event, context):\n    return {answer}\n")


def run_of(site: PreviewedSite, event: Event, *, pull: int = PULL, wire: Wire | None = None) -> str:
    """The outcome of the event's run, or the code of its error."""
    if event.push:
        commit(site, event)
        return site.ended(lambda: site.preview(pull, run=event.run, private=False, wire=wire))
    return site.ended(lambda: site.close(pull, run=event.run, wire=wire))


def collect(site: PreviewedSite, github: GitHub) -> None:
    """As it goes by the hour."""
    closing = Closing(run="gc", origin=Origin(), say=lambda _line: None)
    wanted = Clearing(closing=closing, pulls=github, expire=30 * DAY)
    clear(site.onlooker, site.names, wanted)


def _complaints(site: PreviewedSite, newest: Event, *, collects: bool) -> Iterator[str]:
    """What only slept undoes itself; what died is `gc`'s."""
    site.sleep(LATER)
    if collects:
        collect(site, GitHub(frozenset({PULL} if newest.push else ())))
    known = preview_records.known(site.onlooker, site.names.preview(PULL))
    told = audit(site.onlooker, site.names)
    yield from (f"unexplained: {each.kind} {each.name}" for each in told.unexplained)
    if newest.push:
        seen = shown(site, known.host) if known and known.host else ("nothing", "nothing")
        if seen != (f"<p>{newest.run}", f"{newest.run}"):
            yield f"shows {seen} after {newest}"
        return
    own = f"pr-{PULL}"
    left = (each for each in told.found if each.by.startswith(f"preview {own}"))
    yield from (f"left: {each.thing.kind} {each.thing.name}" for each in left)
    if known and (known.release or known.releases):
        yield "on record still"


def shown(site: PreviewedSite, host: str) -> tuple[str, str]:
    """What a visitor gets of page and function."""
    visitor = site.visitor(f"https://{host}")
    page = visitor.visit("/").body.decode("utf-8", "replace")
    return page, visitor.get("/.functions/hello").body.decode("utf-8", "replace")
