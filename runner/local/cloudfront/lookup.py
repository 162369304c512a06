"""From a request to a response: from the cache if it may, from the origin if it must."""

from __future__ import annotations

import email.utils
from dataclasses import replace
from typing import cast

from runner.local.cloudfront import forward, freshness
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.cache import Cache, Entry
from runner.local.cloudfront.compression import compressed
from runner.local.cloudfront.flowing import collected
from runner.local.cloudfront.forward import Key, forwards_cookies, key_of
from runner.local.cloudfront.origin import Asked, Fetch
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Behaviour, Pairs
from runner.local.cloudfront.visit import Found, Visit
from runner.local.wire import Request, Response

RULES = (
    *rule(
        guide("Cookies"),
        "without forwarded cookies, Set-Cookie of the origin is removed; with them it is stored "
        "with the object and goes to everyone who gets it",
    ),
    *rule(
        guide("GeneratingCustomErrorResponses"),
        "an error of the origin is replaced by the configured page and status, fetched through the "
        "behaviour of the page's path",
    ),
)

_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_STALE_ON = frozenset({500, 502, 503, 504})
_TIMEOUT = 300.0  # seconds; a leader answers or fails long before


class Lookup:
    """Safe from several threads."""

    def __init__(self, account: Account, fetch: Fetch) -> None:
        self._account = account
        self._fetch = fetch
        self.cache = Cache(self._invalidated)

    def find(self, visit: Visit) -> Found:
        """The response for what the function left of the request."""
        behaviour, method = visit.behaviour, visit.request.method
        cached = method in ("GET", "HEAD") or method in behaviour.cached_methods
        if not (cached and behaviour.cache.enabled):
            return self._fresh(visit)
        key = key_of(visit.request, distribution=visit.site.id, rules=behaviour.cache)
        entry, key = self._stored(key, method)
        now = self._account.now()
        if entry and entry.fresh(now):
            return _hit(entry, now)
        ranged = entry is None and bool(visit.request.header("range"))
        if ranged or forwards_cookies(behaviour):
            return self._asked(visit, key, entry)
        return self._together(visit, key, entry)

    def _stored(self, key: Key, method: str) -> tuple[Entry | None, Key]:
        """A HEAD is answered by a stored GET, but the answer to a HEAD has no body to give."""
        entry = self.cache.find(key)
        if entry or method != "HEAD":
            return entry, key
        own = replace(key, method="HEAD")
        return self.cache.find(own), own

    def _together(self, visit: Visit, key: Key, entry: Entry | None) -> Found:
        leads, flight = self.cache.lead(key)
        if not leads:
            shared = cast("Found | None", flight.result(_TIMEOUT))
            return (
                replace(shared, verdict=_repeated(shared))
                if shared
                else self._asked(visit, key, entry)
            )
        found: Found | None = None
        try:
            found = self._landed_before(key) or self._asked(visit, key, entry)
        finally:
            shareable = found and freshness.collapses(found.response, visit.behaviour.cache)
            self.cache.landed(key, flight, found if shareable else None)
        return found

    def _landed_before(self, key: Key) -> Found | None:
        """The answer of a leader who came back between our look at the cache and our taking off."""
        entry, now = self.cache.find(key), self._account.now()
        return _hit(entry, now) if entry and entry.fresh(now) else None

    def _asked(self, visit: Visit, key: Key, entry: Entry | None) -> Found:
        conditions = _conditions(entry)
        response = collected(self._from_origin(visit, conditions))
        now = self._account.now()
        if entry and conditions and response.status == 304:
            return self._refreshed(visit, key, entry, response)
        if entry and response.status in _STALE_ON and entry.response.status < 400:
            seconds = freshness.error_seconds(response.status, visit.site.errors)
            self.cache.put(key, entry.until(now + seconds))
            return _hit(entry, now)
        seconds_kept = freshness.lifetime(
            response, visit.behaviour.cache, errors=visit.site.errors, now=now
        )
        shown = self._shown(visit, response)
        if seconds_kept is None:
            self.cache.drop(key)
        else:
            self.cache.put(key, _entry(response, shown, now=now, seconds=seconds_kept))
        return _missed(shown, response.status)

    def _refreshed(self, visit: Visit, key: Key, entry: Entry, response: Response) -> Found:
        now = self._account.now()
        updated = _updated(entry.response, response)
        seconds = freshness.lifetime(
            replace(updated, status=200), visit.behaviour.cache, errors=visit.site.errors, now=now
        )
        made = replace(entry, response=updated, stored_at=now, expires_at=now + (seconds or 0.0))
        self.cache.put(key, made)
        return Found(response=updated, verdict="RefreshHit", origin_status=200, age=0)

    def _fresh(self, visit: Visit) -> Found:
        response = self._from_origin(visit, ())
        return _missed(self._shown(visit, response), response.status)

    def _from_origin(self, visit: Visit, conditions: Pairs) -> Response:
        request = _to_origin(visit, conditions)
        asked = Asked(
            distribution=visit.site.id, arn=visit.site.arn, request=request, target=visit.target
        )
        return _cleaned(self._fetch(asked), visit.behaviour, now=self._account.now())

    def _shown(self, visit: Visit, response: Response) -> Response:
        """What visitors get of the origin's response: compressed, or a custom error page."""
        rule_ = visit.site.errors.get(response.status)
        if rule_ and rule_.page:
            page = self._page(visit, rule_.page)
            if page.status == 200:
                return replace(page, status=rule_.status)
        if not visit.behaviour.compress or response.parts is not None:
            return response
        return compressed(response, forward.encoding(visit.request, visit.behaviour.cache))

    def _page(self, visit: Visit, path: str) -> Response:
        behaviour = visit.site.behaviour(path)
        request = replace(visit.request, method="GET", path=path, query="", body=b"")
        asked = replace(visit, behaviour=behaviour, target=behaviour.target, request=request)
        return collected(self._from_origin(asked, ()))

    def _invalidated(self, key: Key, entry: Entry) -> bool:
        listed = self._account.invalidations.get(key.distribution)
        if not listed:
            return False
        now = self._account.now()
        address = f"{key.path}?{key.query}" if key.query else key.path
        return any(
            entry.stored_at <= each.body.done_at <= now and each.body.covers(address)
            for each in listed
        )


def _to_origin(visit: Visit, conditions: Pairs) -> Request:
    request, behaviour = visit.request, visit.behaviour
    headers = forward.origin_headers(request, behaviour, request_id=visit.id)
    wanted = request.header("range")
    if wanted and not conditions:
        headers = (*headers, ("range", wanted))
    query = forward.chosen_query(request.query, behaviour.cache.queries, behaviour.forward.queries)
    signed = request.header("x-amz-content-sha256")
    if signed and not any(name == "x-amz-content-sha256" for name, _ in headers):
        headers = (*headers, ("x-amz-content-sha256", signed))
    return replace(request, query=query, headers=(*headers, *conditions))


def _conditions(entry: Entry | None) -> Pairs:
    if entry is None or entry.response.status != 200:
        return ()
    given = (("if-none-match", entry.tag), ("if-modified-since", entry.modified))
    return tuple((name, value) for name, value in given if value)


def _cleaned(response: Response, behaviour: Behaviour, *, now: float) -> Response:
    removed = _HOP if forwards_cookies(behaviour) else _HOP | {"set-cookie"}
    headers = [
        (name, value)
        for name, value in response.headers
        if name not in removed and not name.startswith(("x-edge-", "x-amz-cf-"))
    ]
    if not any(name == "date" for name, _ in headers):
        headers.append(("date", email.utils.formatdate(now, usegmt=True)))
    sized = response.parts is not None or response.status == 304
    if not any(name == "content-length" for name, _ in headers) and not sized:
        headers.append(("content-length", str(len(response.body))))
    return replace(response, headers=tuple(headers))


def _entry(origin: Response, shown: Response, *, now: float, seconds: float) -> Entry:
    return Entry(
        response=shown, stored_at=now, expires_at=now + seconds, origin_status=origin.status,
        tag=origin.header("etag"), modified=origin.header("last-modified"),
    )  # fmt: skip


def _updated(stored: Response, answer: Response) -> Response:
    """A 304 renews the headers that it carries, but those that describe the body."""
    news = {
        name: value
        for name, value in answer.headers
        if name not in ("content-length", "content-type", "content-encoding", "etag")
    }
    kept = tuple((name, value) for name, value in stored.headers if name not in news)
    return replace(stored, headers=(*kept, *news.items()))


def _hit(entry: Entry, now: float) -> Found:
    verdict = "Error" if entry.origin_status >= 400 else "Hit"
    return Found(
        response=entry.response, verdict=verdict, origin_status=entry.origin_status,
        age=int(now - entry.stored_at),
    )  # fmt: skip


def _missed(response: Response, origin_status: int) -> Found:
    verdict = "Error" if origin_status >= 400 else "Miss"
    return Found(response=response, verdict=verdict, origin_status=origin_status)


def _repeated(found: Found) -> str:
    return "Hit" if found.verdict == "Miss" else found.verdict
