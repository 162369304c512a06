"""All orders that differ, of two runs of one pull request: one sleeps, or dies, before any call.

Runs cross at calls of AWS and nowhere else: so two interleavings are the same where one becomes the
other by exchanging neighbours that do not touch each other. Two reads never do, nor do calls about
different things; a whole run that comes before call k, or after it, makes a difference only where
call k touches what that run writes, or writes what it touches. What a dead run read last matters to
nobody: it dies after its writes alone. Which things a call touches is read off what it sends, what
runs write is taken from runs of their own. Calls that a run sends at once are held while the other
run goes on, so each order is played as it is told.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.audit import audit
from runner.aws import preview_records
from tests.labs.crash import Account, Crash, Wire
from tests.labs.opened import (
    CROSSED,
    ENDS,
    LATER,
    Event,
    GitHub,
    collect,
    commit,
    run_of,
    shown,
)
from tests.previews_site import PreviewedSite

LOT = 8  # pull requests at once: an API has ten stages, what previews share takes one
RESTS = 700.0  # seconds, after which a host that was given back is leased again
EARLIER = Event(5, push=True)
_READS = re.compile(r"Get|List|Head|Describe|Query|Scan|BatchGet|Select")


@dataclass(frozen=True, slots=True)
class Touch:
    """What one call reads or writes; `what` is a thing, or all things that begin so."""

    what: str
    writes: bool

    def meets(self, other: Touch) -> bool:
        apart = not (self.what.startswith(other.what) or other.what.startswith(self.what))
        return (self.writes or other.writes) and not apart


@dataclass(frozen=True, slots=True)
class Call:
    """The `number`-th call of an `operation` within a run, from 1."""

    operation: str
    number: int
    touches: tuple[Touch, ...] = field(compare=False)

    @property
    def writes(self) -> bool:
        return any(each.writes for each in self.touches)

    def meets(self, others: Iterable[Touch]) -> bool:
        return any(mine.meets(each) for each in others for mine in self.touches)

    def __str__(self) -> str:
        return f"{self.operation} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`first` stops before the call `at`, where `second` comes; `dies`: for good."""

    first: Event
    second: Event
    at: Call
    dies: bool
    was_open: bool

    @property
    def newest(self) -> Event:
        return max(self.first, self.second, key=lambda each: each.run)

    def __str__(self) -> str:
        how = "dies" if self.dies else "sleeps"
        before = "open before" if self.was_open else "new"
        return f"{self.first} {how} before {self.at}; {self.second}; {before}"


class Line(Wire):
    """What a run sends, with what it touches; all of it stands still while another run goes on."""

    def __init__(
        self, at: Call | None = None, *, meanwhile: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self.sent: list[Call] = []
        self.was_there = False
        self._at = at
        self._comes = meanwhile
        self._one = threading.Lock()
        self._asked = threading.local()

    def asked(self, model: Any, params: Any, **_: object) -> None:
        self._asked.touches = touched(model, params)

    def sends(self, operation: str) -> None:
        with self._one:
            if self.dead:
                raise Crash
            touches = getattr(self._asked, "touches", ())
            self._asked.touches = ()
            number = 1 + sum(each.operation == operation for each in self.sent)
            call = Call(operation, number, touches or (Touch("s3/", writes=True),))
            self.sent.append(call)
            if call != self._at:
                return
            self.was_there = True
            if self._comes:
                self._comes()
                return
            self.dead = True
            raise Crash


class OrderedSite(PreviewedSite):
    """Its accounts tell their line what they send."""

    def account(self, wire: Wire) -> Account:
        made = super().account(wire)
        if isinstance(wire, Line):
            made.hooks.register_first("before-call", wire.asked)
        return made


def touched(model: Any, params: Any) -> tuple[Touch, ...]:
    """Items of tables, else paths; a query or a list is of all that is below."""
    service, writes = model.service_model.service_name, not _READS.match(model.name)
    body = params.get("body")
    if service == "dynamodb":
        return tuple(_items(json.loads(body), writes=writes))
    if model.service_model.protocol in ("json", "query", "ec2"):
        return (Touch(f"{service}/", writes=writes),)
    return (Touch(f"{service}{_same(params['url_path'])}", writes=writes),)


def _items(told: Any, *, writes: bool) -> Iterator[Touch]:
    for table, wanted in told.get("RequestItems", {}).items():
        keys = wanted["Keys"] if isinstance(wanted, dict) else [{}]
        yield from (_item(table, each, writes=writes) for each in keys)
    for each in told.get("TransactItems", ()):
        (kind, one), *_ = each.items()
        key = one.get("Key") or one.get("Item", {})
        yield _item(one["TableName"], key, writes=kind != "ConditionCheck")
    if "TableName" in told:
        key = told.get("Key") or told.get("Item", {})
        yield _item(told["TableName"], key, writes=writes)


def _item(table: str, key: Any, *, writes: bool) -> Touch:
    parts = [key[each]["S"] for each in ("pk", "sk") if each in key]
    return Touch(_same("/".join(["dynamodb", table, *parts])), writes=writes)


def _same(text: str) -> str:
    """Pull requests differ in their number alone, releases in their content."""
    return re.sub(r"[0-9a-f]{12,}", "ID", re.sub(r"pr-\d+", "pr-N", text))


class Lots:
    """Plays orders, each on a pull request of its own; an account with many is looked at once."""

    def __init__(self, site: PreviewedSite) -> None:
        self.site = site
        self._pull = 100
        self.missed: list[Order] = []

    def orders(self, crossed: Sequence[tuple[Event, Event]] = CROSSED) -> Iterator[Order]:
        self._warm()
        for first, second in crossed:
            for was_open in (False, True):
                calls = self._sent(first, was_open=was_open)
                theirs = self._written(first, second, was_open=was_open)
                for at, dies in chosen(calls, theirs):
                    yield Order(first=first, second=second, at=at, dies=dies, was_open=was_open)

    def play(self, wanted: Sequence[Order]) -> dict[str, list[str]]:
        """What is wrong in the end, by order; nothing if all is as the newest event says."""
        found: dict[str, list[str]] = {}
        pulls: dict[int, Order] = {}
        for order in wanted:
            pull = self._next()
            pulls[pull] = order
            if wrong := self._play(order, pull):
                found[str(order)] = wrong
        self.site.sleep(LATER)
        opened = {pull for pull, order in pulls.items() if order.newest.push}
        if any(order.dies for order in wanted):
            collect(self.site, GitHub(frozenset({99, *opened})))
        for told, what in self._looked_at(pulls):
            found.setdefault(told, []).append(what)
        for pull in pulls:
            run_of(self.site, Event(90, push=False), pull=pull)
        for told, what in self._looked_at(pulls, closed=True):
            found.setdefault(told, []).append(f"{what}, though all are closed")
        self.site.sleep(RESTS)
        self.site.end()
        return found

    def _play(self, order: Order, pull: int) -> list[str]:
        site = self.site
        if order.was_open:
            run_of(site, EARLIER, pull=pull)

        def comes() -> None:
            run_of(site, order.second, pull=pull)
            if order.first.push:
                commit(site, order.first)

        line = Line(order.at, meanwhile=None if order.dies else comes)
        ended = run_of(site, order.first, pull=pull, wire=line)
        if not line.was_there:
            self.missed.append(order)
            run_of(site, order.second, pull=pull)
        elif order.dies:
            site.sleep(LATER)
            run_of(site, order.second, pull=pull)
            if order.newest is order.first:
                run_of(site, order.first, pull=pull)  # somebody starts it again
        elif ended not in ENDS:
            return [f"the run that slept ended as {ended}"]
        return list(self._seen(order, pull))

    def _seen(self, order: Order, pull: int) -> Iterator[str]:
        known = preview_records.known(self.site.onlooker, self.site.names.preview(pull))
        newest = order.newest
        if not newest.push:
            if known and (known.release or known.releases):
                yield "on record still"
            return
        told = shown(self.site, known.host) if known and known.host else ("nothing", "nothing")
        if told != (f"<p>{newest.run}", f"{newest.run}"):
            yield f"shows {told}"

    def _looked_at(
        self, pulls: Mapping[int, Order], *, closed: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Told with the order whose pull request's number it bears."""
        told = audit(self.site.onlooker, self.site.names)
        for each in told.unexplained:
            number = re.search(r"pr-(\d+)", each.name)
            order = pulls.get(int(number[1])) if number else None
            yield str(order), f"unexplained: {each.kind} {each.name}"
        for pull, one in pulls.items():
            if one.newest.push and not closed:
                continue
            of_it = re.compile(rf"preview pr-{pull}\b")
            left = (each.thing for each in told.found if of_it.match(each.by))
            yield from ((str(one), f"left: {it.kind} {it.name}") for it in left)

    def _warm(self) -> None:
        """Hosts are there, and their first lease is over."""
        pulls = [self._next() for _ in range(2)]
        for pull in pulls:
            run_of(self.site, EARLIER, pull=pull)
        for pull in pulls:
            run_of(self.site, Event(90, push=False), pull=pull)
        self.site.sleep(RESTS)

    def _sent(self, event: Event, *, was_open: bool, before: Event | None = None) -> list[Call]:
        """What its run sends that nobody disturbs."""
        pull, line = self._next(), Line()
        for each in (EARLIER if was_open else None, before):
            if each:
                run_of(self.site, each, pull=pull)
        run_of(self.site, event, pull=pull, wire=line)
        run_of(self.site, Event(90, push=False), pull=pull)
        self.site.sleep(RESTS)
        return line.sent

    def _written(self, first: Event, second: Event, *, was_open: bool) -> set[Touch]:
        """All that the second run touches, be it before the first one or after it."""
        alone = self._sent(second, was_open=was_open)
        late = self._sent(second, was_open=was_open, before=first)
        return {each for call in (*alone, *late) for each in call.touches}

    def _next(self) -> int:
        self._pull += 1
        return self._pull


def chosen(calls: Sequence[Call], theirs: Iterable[Touch]) -> Iterator[tuple[Call, bool]]:
    """The calls before which a run sleeps, or dies (True): one of each sort."""
    theirs = frozenset(theirs)
    for number, call in enumerate(calls):
        before = calls[number - 1] if number else None
        if before is None or before.meets(theirs):
            yield call, False
        if before is None or before.writes:
            yield call, True
