"""The entry Lambda: answers for a release what the bucket has no object for.

Behind a function URL (IAM) that only the distribution may call. Order: redirect rules, a listed
file, a single-page application's start document, the 404 page. A listed path is never a 404: the
bucket may have refused it (403) or failed, and then it is served from here or 503.

While a rollout is open it answers draws for its own release, whatever the path says, and counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from runner.entry.answer import (
    LARGEST,
    PRIVATE,
    Answer,
    moved,
    payload,
    pinned,
    plain,
    served,
    unavailable,
)
from runner.entry.counts import BROWSER, FAILED, MISSING, REPORT, SESSIONS, Counts, pin_of
from runner.entry.release import Fetch, Listed, Site, UnavailableError, bucket, site_of
from runner.entry.rules import MOVED, Rule, Visit, fill, location, match, path_of, preferred
from runner.paths import INDEX, decode, key_of_uri

_UNSERVED = (404, 503)
_FAULT = 500
_METHODS = {"allow": "GET, HEAD, OPTIONS"}
_KNOWN_RELEASES = 8  # manifests of other releases that one environment remembers
_TOO_LONG = "~long"  # the router's key for paths that no bucket could hold
_Match = tuple[Rule, dict[str, str]]


def handler(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Lambda's way in: a function URL's event, payload format 2.0.

    Source: Lambda developer guide, "Invoking Lambda function URLs".
    """
    return _entry()(event)


@cache
def _entry() -> Entry:
    here = Path(__file__).parent
    settings = os.environ  # noqa: TID251  # Lambda's front door
    name, prefix = settings.get("JAM_BUCKET", ""), settings.get("JAM_PREFIX", "").strip("/")
    own = site_of((here / "release.json").read_bytes(), here / "documents")
    counts = Counts(settings.get("JAM_SITE", ""), lambda line: print(line, flush=True))
    return Entry(own, bucket(name, prefix), counts)


class Entry:
    """Answers visitors. `own` is the release that this version was published with."""

    def __init__(self, own: Site, fetch: Fetch, counts: Counts) -> None:
        self._own = own
        self._fetch = fetch
        self._counts = counts
        self._others: dict[str, Site] = {}

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        method = event["requestContext"]["http"]["method"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        if method == "OPTIONS":
            return {"statusCode": 204, "headers": _METHODS, "body": ""}
        if method not in ("GET", "HEAD"):
            return {"statusCode": 405, "headers": _METHODS, "body": ""}
        if headers.get("x-jam-path") == REPORT and "x-jam-rollout" in headers:
            self._count(BROWSER, event)
            return {"statusCode": 204, "headers": {"cache-control": PRIVATE}, "body": ""}
        answer = self.answer(event.get("rawPath") or "/", headers)
        if "x-jam-rollout" in headers:
            answer = self._in_rollout(answer, event, headers)
        return payload(answer, method, headers.get("if-none-match", ""))

    def _in_rollout(
        self, answer: Answer, event: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Answer:
        """Counts; a draw gets its pin, and it is a session once it has a page."""
        if "x-jam-draw" not in headers:
            if answer.status in _UNSERVED:
                self._count(MISSING, event)
            return answer
        at = event["requestContext"]["timeEpoch"]
        if answer.status >= _FAULT:
            self._counts.add(FAILED, self._own.release, at=at)
        elif answer.is_page:
            self._counts.add(SESSIONS, self._own.release, at=at)
            return pinned(answer, headers["x-jam-rollout"])
        return answer

    def _count(self, metric: str, event: Mapping[str, Any]) -> None:
        pin = pin_of(event)
        if pin is not None:
            self._counts.once(metric, pin, at=event["requestContext"]["timeEpoch"])

    def answer(self, uri: str, headers: Mapping[str, str]) -> Answer:
        """The answer to the router's path: `/releases/<release>/<key>` or `/assets/<key>`, of a
        preview below `/pr-<n>`."""
        base, release, key = _address(uri)
        visit = Visit(
            path=headers.get("x-jam-path") or _path_of(key),
            query=headers.get("x-jam-query", ""),
            country=headers.get("cloudfront-viewer-country", "").lower(),
            language=preferred(headers.get("accept-language", "")),
        )
        drawn = "x-jam-draw" in headers or key == _TOO_LONG
        # What is missing now is counted, so that nobody may keep it for the next who asks; a key
        # without a release (a fingerprinted file's) outlives whoever answers for it today.
        dependent = drawn or "x-jam-rollout" in headers or not release
        if drawn or release in ("", self._own.release):
            return self._guarded(self._own, visit, dependent=dependent)
        return self._other(base, release, visit, dependent=dependent)

    def _other(self, base: str, release: str, visit: Visit, *, dependent: bool) -> Answer:
        """Another release's answer; where it is gone ours, which nobody may keep under its name."""
        try:
            site = self._others.get(base + release) or self._load(base, release)
        except UnavailableError:
            return unavailable(self._own)
        if site is not None:
            return self._guarded(site, visit, dependent=dependent)
        key = key_of_uri(visit.path)
        if self._own.is_immutable(key) and not self._own.listed(key):
            return self._orphan(key)
        return self._guarded(self._own, visit, dependent=True)

    def _load(self, base: str, release: str) -> Site | None:
        found = self._fetch(f"{base}releases/{release}/~release.json")
        if found is None:
            return None
        while len(self._others) >= _KNOWN_RELEASES:
            self._others.pop(next(iter(self._others)))
        return self._others.setdefault(base + release, site_of(found.body, base=base))

    def _orphan(self, key: str) -> Answer:
        """A fingerprinted file outlives its release; an old tab may still ask for it."""
        suffix = key.rsplit(".", 1)[-1]
        file = Listed(
            key=key,
            kind="immutable",
            content_type=next(
                (
                    known[1]
                    for name, known in self._own.files.items()
                    if name.endswith(f".{suffix}")
                ),
                "application/octet-stream",
            ),
            cache_control="",
            headers="",
        )
        try:
            content = self._own.read(file, self._fetch)
        except UnavailableError:
            return unavailable(self._own)
        if content is None:
            return _missing(self._own, self._fetch, dependent=True)
        return served(self._own, file, content, status=200, dependent=True)

    def _guarded(self, site: Site, visit: Visit, *, dependent: bool = False) -> Answer:
        try:
            return _answer(site, visit, self._fetch, dependent=dependent)
        except UnavailableError:
            return unavailable(site)


def _answer(site: Site, visit: Visit, fetch: Fetch, *, dependent: bool) -> Answer:
    key = key_of_uri(visit.path)
    listed = site.listed(key)
    folder = listed is None and site.listed(f"{key}/{INDEX}") is not None
    found, looked = rule_for(site, visit, shadowed=folder or listed is not None)
    dependent = dependent or looked
    if found is not None:
        return _ruled(site, found, visit, fetch, dependent=dependent)
    if folder:
        return moved(site, 301, _with_slash(visit))
    if listed is None and site.falls_back(visit.path):
        listed = site.listed(INDEX)
    if listed is None:
        return _missing(site, fetch, dependent=dependent)
    return _file(site, listed, fetch, dependent=dependent)


def rule_for(site: Site, visit: Visit, *, shadowed: bool) -> tuple[_Match | None, bool]:
    """The first rule that matches, and whether more than the path was looked at on the way.

    A path that has a file is the file's, unless that rule is forced: runner/package/release.py
    decides alike. A redirect to the very path that was asked for is none.
    """
    dependent = False
    for rule in site.rules.about(visit.path, visit.query):
        if shadowed and not rule.force and rule.conditional:
            continue
        params, looked = match(rule, visit)
        dependent = dependent or looked
        if params is not None and not _circular(rule, params, visit):
            return (None if shadowed and not rule.force else (rule, params)), dependent
    return None, dependent


def _with_slash(visit: Visit) -> str:
    """Where `/v1.2` is: by the dot it might be a file, so that relative links need the slash."""
    query = f"?{visit.query}" if visit.query else ""
    return f"/{visit.path.strip('/')}/{query}"


def _circular(rule: Rule, params: dict[str, str], visit: Visit) -> bool:
    if rule.status not in MOVED or rule.query:
        return False
    return key_of_uri(path_of(fill(rule.target, params))) == key_of_uri(visit.path)


def _ruled(site: Site, found: _Match, visit: Visit, fetch: Fetch, *, dependent: bool) -> Answer:
    rule, params = found
    if rule.status in MOVED:
        return moved(site, rule.status, location(rule, params, visit.query))
    target = path_of(fill(rule.target, params))
    listed = site.listed(key_of_uri(target)) if target else None
    if listed is None:
        status = 404 if rule.status == 200 else rule.status
        return _missing(site, fetch, status=status, dependent=dependent)
    return _file(site, listed, fetch, status=rule.status, dependent=dependent)


def _file(site: Site, file: Listed, fetch: Fetch, *, status: int = 200, dependent: bool) -> Answer:
    content = site.read(file, fetch)
    if content is None or len(content.body) > LARGEST:
        return unavailable(site)
    return served(site, file, content, status=status, dependent=dependent)


def _missing(site: Site, fetch: Fetch, *, status: int = 404, dependent: bool) -> Answer:
    listed = site.listed(site.not_found) if site.not_found else None
    if listed is not None:
        return _file(site, listed, fetch, status=status, dependent=dependent)
    text = "Gone" if status == 410 else "Page not found"
    return plain(site, status, text, dependent=dependent)


def _address(uri: str) -> tuple[str, str, str]:
    """Preview, release and key in the router's path; empty where the path names none."""
    parts = uri.removeprefix("/").split("/")
    base = ""
    if parts[0].startswith("pr-") and parts[0][3:].isdecimal():
        base = f"{parts.pop(0)}/"
    if len(parts) < 3 or parts[0] != "releases":
        return base, "", "/".join(parts[1:])
    release = parts[1]
    named = len(release) == 32 and set(release) <= set("0123456789abcdef")
    return base, (release if named else ""), "/".join(parts[2:])


def _path_of(key: str) -> str:
    """The raw path of a key, for callers that do not say what the visitor asked for."""
    from urllib.parse import quote

    return "/" + quote(decode(key).removesuffix(INDEX), errors="surrogateescape")
