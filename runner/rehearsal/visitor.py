"""One visitor's browser: cookies, a cache, tabs; what each page is made of is told to the tally.

No clock: a session yields how long it thinks. It sends what browsers send, and no more.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from runner.rehearsal.line import Reply, Send
from runner.rehearsal.page import REPORT, Page, calls_of, chunks_of, page_of
from runner.rehearsal.tally import Tally

BUILD_HEADER = "x-jam-rehearsal"  # by which a function of the rehearsal's copy tells its build
_NAVIGATION = {
    "accept": "text/html,application/xhtml+xml",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
}
_RESOURCE = {"accept": "*/*", "sec-fetch-mode": "no-cors", "sec-fetch-site": "same-origin"}
_CALL = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
_DESTINATIONS = {"js": "script", "mjs": "script", "css": "style", "svg": "image", "png": "image"}
_THINKS = (15.0, 45.0)  # seconds of the cloud's time between two clicks
_FEW, _MANY = (1, 2), (4, 6)  # clicks of a usual visit, and of one that outlasts a rollback
_STAYS = 0.1  # share of visitors who stay for many
_CLICKS = 0.4  # share of the other visitors who do more than read
_TABS = 0.15  # share of visitors who open a second tab
_TOLD_RELEASE = 0.5  # share of these whose pages ask for their own release


@dataclass(slots=True, eq=False)
class View:
    """A page in a tab; `number` orders a session's views."""

    number: int
    path: str
    release: str
    page: Page
    chunks: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    torn: bool = False


@dataclass(slots=True)
class _Kept:
    etag: str
    release: str
    page: Page


@dataclass(slots=True, kw_only=True)
class Visitor:
    """A browser with one person before it. `start` is the page where the visit begins."""

    send: Send
    tally: Tally
    chance: random.Random
    start: str = "/"
    names_release: bool = False
    _cookies: dict[str, str] = field(default_factory=dict)
    _cache: dict[str, Reply] = field(default_factory=dict)
    _documents: dict[str, _Kept] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _pinned_by: int = -1
    _releases: set[str] = field(default_factory=set)
    _failed: bool = False
    _reported: bool = False

    def session(self) -> Iterator[float]:
        """The whole visit; yields seconds of thinking between its clicks."""
        self.tally.session()
        try:
            yield from self._visit()
            self.tally.session(ended=True)
        except OSError:
            self.tally.lost()

    def _visit(self) -> Iterator[float]:
        view = self.open(self.start)
        if self.chance.random() < _TABS:
            yield from self._two_tabs(view)
            return
        clicks = _MANY if self.chance.random() < _STAYS else _FEW
        yield self._thinks()
        if self.chance.random() < _CLICKS:
            self.use(view)
        for _ in range(self.chance.randint(*clicks)):
            yield self._thinks()
            view = self.open(self.chance.choice(view.page.links or (self.start,)))

    def _two_tabs(self, first: View) -> Iterator[float]:
        """The second tab's navigation may move the browser's pin under the first one."""
        self.names_release = self.chance.random() < _TOLD_RELEASE
        for _ in range(2):
            yield 2 * self._thinks()
            self.open(self.start)
            yield self._thinks()
            self.use(first)

    def _thinks(self) -> float:
        return self.chance.uniform(*_THINKS)

    def open(self, path: str) -> View:
        """Navigates to a path and loads what the page is made of."""
        number = next(self._numbers)
        view = self._document(path, number)
        first = view.release not in self._releases
        self._releases.add(view.release)
        self.tally.shown(view.release, first=first)
        if view.page.build != self.tally.build_of(view.release, view.page.build):
            self._tear(view, f"{path}: the document is of another build than its release says")
        for resource in view.page.resources:
            self._load(view, resource)
        if view.page.throws:
            self._troubled(view)
        if number == 0:
            self._call(view)
        return view

    def use(self, view: View) -> None:
        """What a page does when it is clicked: it loads a part that arrives late, calls a function.

        Both belong to the page, however long it has been open.
        """
        for chunk in view.chunks:
            self._load(view, chunk)
        self._call(view)

    def _document(self, path: str, number: int) -> View:
        kept = self._documents.get(path)
        known = {"if-none-match": kept.etag} if kept and kept.etag else {}
        reply = self._ask(path, {**_NAVIGATION, **known}, by=number)
        release = reply.headers.get("x-jam-release", "")
        if reply.status == 304 and kept is not None:
            return View(number, path, release or kept.release, kept.page)
        target = reply.headers.get("location", "")
        if 300 <= reply.status < 400 and target.startswith("/"):
            return self._document(target, number)
        view = View(number, path, release, page_of(reply.body.decode(errors="replace"), at=path))
        if reply.status >= 400:
            self._fail(view)
        else:
            etag = reply.headers.get("etag", "")
            self._documents[path] = _Kept(etag, release, view.page)
        return view

    def _load(self, view: View, path: str) -> None:
        reply = self._cache.get(path)
        if reply is None:
            kind = _DESTINATIONS.get(path.rpartition(".")[2], "empty")
            reply = self._ask(path, {**_RESOURCE, "sec-fetch-dest": kind, **self._named(view)})
            self._compare(view, reply, path=path, header="x-jam-release", wanted=view.release)
        if reply.status >= 400:
            self._troubled(view)
            return
        if "immutable" in reply.headers.get("cache-control", ""):
            self._cache[path] = reply
        if path.endswith((".js", ".mjs")):
            script = reply.body.decode(errors="replace")
            late = (each for each in chunks_of(script, at=path) if each not in view.page.resources)
            view.chunks = tuple(dict.fromkeys((*view.chunks, *late)))
            view.calls = tuple(dict.fromkeys((*view.calls, *calls_of(script))))

    def _call(self, view: View) -> None:
        if not view.calls:
            return
        path = self.chance.choice(view.calls)
        reply = self._ask(path, {**_CALL, "sec-fetch-dest": "empty", **self._named(view)})
        self._compare(view, reply, path=path, header=BUILD_HEADER, wanted=view.page.build)
        if reply.status >= 500:
            self._troubled(view)

    def _named(self, view: View) -> dict[str, str]:
        return {"x-jam-release": view.release} if self.names_release and view.release else {}

    def _compare(self, view: View, reply: Reply, *, path: str, header: str, wanted: str) -> None:
        """What tells no release (immutable files) belongs to any; an error is no part of a page."""
        found = reply.headers.get(header, "")
        if reply.status < 400 and found and wanted and found != wanted:
            self._tear(view, f"{view.path} of {wanted[:8]} got {path} of {found[:8]}")

    def _tear(self, view: View, told: str) -> None:
        if not view.torn:
            view.torn = True
            self.tally.torn(skew=self._pinned_by > view.number, told=told)

    def _troubled(self, view: View) -> None:
        """A page that throws, misses a part or hears a 5xx says so once, if it has the beacon."""
        self._fail(view)
        if view.page.reports and not self._reported:
            self._reported = True
            self._ask(f"{REPORT}?k=error", {**_CALL, "sec-fetch-dest": "empty"})

    def _fail(self, view: View) -> None:
        if not self._failed:
            self._failed = True
            self.tally.failed(view.release)

    def _ask(self, path: str, headers: dict[str, str], by: int | None = None) -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        reply = self.send(path, {**headers, **({"cookie": cookie} if cookie else {})})
        for each in reply.cookies:
            name, _, value = each.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value.strip()
            if by is not None and name.strip() == "jam-pin":
                self._pinned_by = by
        return replace(reply, cookies=())
