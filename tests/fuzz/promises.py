"""What holds for every visitor, and for any two of them who share an object of the cache.

`broken(journey)` names the promises that one journey breaks; `Kept` remembers the cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote_to_bytes

from tests.fuzz.attacked import (
    BYPASS,
    HOSTS,
    LOCKED,
    OPEN,
    OTHER_SITE,
    PASSWORD,
    SECRET,
    TOKEN,
    a_pass,
    attacked,
    basic,
)
from tests.fuzz.edge import REQUEST_ID, Answer, Journey, is_call
from tests.fuzz.visitors import Visitor

_RELEASE = re.compile(r"[0-9a-f]{32}")
_PIN = re.compile(r"([0-9a-f]{32})\.([0-9A-Za-z]+)(?:-[0-9A-Za-z-]*)?")
# A key is as runner/paths.py writes it: bytes beyond its alphabet as ~XX, an empty folder as ~.
_KEY = re.compile(r"(?:[A-Za-z0-9._-]|~[0-9A-F]{2})+|~|~long")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_OURS = ("x-jam-draw", "x-jam-query", "x-jam-host", "x-jam-path", "x-jam-rollout", "x-jam-release")
_COMPARED = ("content-type", "etag", "location", "x-jam-release", "x-jam-kind")
_REMEMBERED = 100_000  # objects of the cache


def broken(journey: Journey) -> Iterator[str]:
    """The promises that this journey breaks, in words."""
    yield from _answers(journey)
    if "statusCode" in journey.routed:
        yield from _refusals(journey)
    elif is_call(journey.visitor.uri):
        yield from _calls(journey)
        yield from _headers(journey)
    else:
        yield from _places(journey)
        yield from _headers(journey)


def _answers(journey: Journey) -> Iterator[str]:
    for answer in (journey.given, journey.shown):
        if answer is None:
            continue
        for name, value in (
            *answer.headers.items(),
            *(("set-cookie", it) for it in answer.cookies),
        ):
            if _CONTROL.search(value):
                yield f"{name} has a control character: {value!r}"
        location = answer.headers.get("location")
        if location is not None and host_of(location) not in _allowed(journey.visitor):
            yield f"leads to another site: {location!r}"
        if SECRET.encode() in answer.body or b'"redirects":' in answer.body:
            yield "shows what no visitor may read"
    if journey.shown is not None:
        yield from _shown(journey.shown)


def _shown(answer: Answer) -> Iterator[str]:
    for name in answer.headers:
        inner = name.startswith("x-jam-") and name != "x-jam-release"
        if answer.status < 400 and (name.startswith("x-amz-") or name == "server" or inner):
            yield f"tells visitors {name}"
    for cookie in answer.cookies:
        name, _, value = cookie.partition("=")
        pin = value.split(";")[0]
        if name == "jam-pin" and pin and not _PIN.fullmatch(pin):  # an empty one takes it away
            yield f"sets an ill-formed pin: {value!r}"


def _allowed(visitor: Visitor) -> set[str]:
    """Hosts that a visitor may be sent to: "" is the one that it asked."""
    return {"", OTHER_SITE} if visitor.is_preview else {"", OTHER_SITE, HOSTS[0]}


def host_of(location: str) -> str:
    """The host that a browser goes to, "" for the same one.

    Source: WHATWG URL standard, "URL parsing": tabs and line ends are dropped, spaces around it
    are, and a backslash is a slash.
    """
    text = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33))))
    text = text.replace("\\", "/")
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        return scheme[0]
    rest = text[scheme.end() :] if scheme else text
    if not scheme and not rest.startswith("//"):
        return ""
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    return authority.rpartition("@")[2].lower()


def _refusals(journey: Journey) -> Iterator[str]:
    status = journey.routed["statusCode"]
    if status >= 500:
        yield f"the router answers {status}"
    cookie = (journey.routed.get("cookies") or {}).get("jam-open", {}).get("value", "")
    if cookie and cookie not in _passes():
        yield "opens a release without its link"


@cache
def _passes() -> frozenset[str]:
    """The links that their owner has given out."""
    return frozenset(a_pass(release) for release in (attacked().old, "0" * 32))


def _locked(visitor: Visitor) -> bool:
    """Whether a preview must not be shown to this visitor."""
    if visitor.host.lower() not in (OPEN, LOCKED):
        return True
    knows = (
        visitor.header("authorization") == basic(PASSWORD)
        or visitor.header("x-jam-bypass") == BYPASS
    )
    return visitor.host.lower() == LOCKED and not knows


def _base(visitor: Visitor) -> str:
    """Where the objects of the host's environment lie below the origin's path."""
    if not visitor.is_preview:
        return ""
    return "/pr-7" if visitor.host.lower() == OPEN else "/pr-8"


def _places(journey: Journey) -> Iterator[str]:
    visitor, uri = journey.visitor, str(journey.routed["uri"])
    if visitor.is_preview and _locked(visitor):
        yield "shows a locked preview"
    if journey.routed.get("querystring"):
        yield "a visitor's query reaches an origin"
    if uri == "/releases/~/.jam/report" and not visitor.is_preview:
        return
    base = _base(visitor)
    if not uri.startswith(f"{base}/"):
        yield f"leaves its environment: {uri}"
        return
    kind, _, rest = uri[len(base) + 1 :].partition("/")
    if kind == "releases":
        release, _, rest = rest.partition("/")
        if release not in _may_see(visitor):
            yield f"shows another release: {uri}"
    elif kind != "assets":
        yield f"leaves releases and assets: {uri}"
    yield from _key(rest)
    if is_secret(f"{uri}"):
        yield f"asks for what is no file of a release: {uri}"


def _key(key: str) -> Iterator[str]:
    segments = key.split("/")
    if not key or not all(map(_KEY.fullmatch, segments)):
        yield f"asks for an ill-formed key: {key}"
    if {".", "..", ""} & set(segments):
        yield f"asks for a key with a dot segment: {key}"
    if unquote_to_bytes(key) != key.encode():
        yield f"asks for a key that S3 would read as another: {key}"


def is_secret(uri: str) -> bool:
    """Whether a bucket's object at this place is for nobody."""
    return uri.endswith("~release.json")


def _may_see(visitor: Visitor) -> set[str]:
    """The releases that a visitor may be given: by contract, not by the router's own code."""
    site, state = attacked(), visitor.state
    seen = {site.live, "~"} if state.store else {"~"}
    pin = _PIN.fullmatch(visitor.cookie("jam-pin"))
    own = visitor.header("x-jam-release")
    if state.candidate and pin and pin[1] == state.candidate and pin[2] == "r1":
        seen.add(state.candidate)
    if state.store and own and visitor.header("x-jam-token") == TOKEN:
        seen.add(own)
    if state.store and visitor.cookie("jam-open") in _passes():
        seen.add(visitor.cookie("jam-open")[:32])
    if not _navigates(visitor):  # what belongs to a page comes with the page's release
        seen |= {found for found in (own, pin[1] if pin else "") if _RELEASE.fullmatch(found)}
    return seen


def _navigates(visitor: Visitor) -> bool:
    mode = visitor.header("sec-fetch-mode")
    page = mode == "navigate" if mode else "text/html" in visitor.header("accept")
    return page or visitor.header("sec-fetch-dest") == "serviceworker"


def _headers(journey: Journey) -> Iterator[str]:
    visitor, headers = journey.visitor, journey.routed["headers"]
    told = {name: str(each["value"]) for name, each in headers.items() if name.startswith("x-jam-")}
    for name, value in told.items():
        if name in _OURS[1:5] and _UNPRINTABLE.search(value):
            yield f"{name} has more than printable ASCII: {value!r}"
        if name not in _OURS and value != visitor.header("authorization"):
            yield f"a visitor's {name} reaches an origin"
    if told.get("x-jam-draw", REQUEST_ID) != REQUEST_ID:
        yield "a visitor chooses the key of a draw"
    if told.get("x-jam-host", visitor.host) != visitor.host:
        yield "a visitor chooses x-jam-host"
    expected = re.sub(r"[^\x21-\x7e]+", "", visitor.uri)
    path = re.sub(r"(?:%[0-9A-F]{2})+", "", told.get("x-jam-path", ""))
    if path != re.sub(r"(?:%[0-9A-F]{2})+", "", expected) and "x-jam-path" in told:
        yield "x-jam-path is not the visitor's path"
    if not told.get("x-jam-rollout", "r1-").startswith("r1-"):
        yield "a visitor is counted in another rollout"


def _calls(journey: Journey) -> Iterator[str]:
    visitor, uri = journey.visitor, str(journey.routed["uri"])
    if visitor.is_preview and _locked(visitor):
        yield "calls a function of a locked preview"
    if "jam-open" in journey.routed.get("cookies", {}) and visitor.uri.startswith("/.functions/"):
        yield "a function gets the cookie of an opened release"
    if journey.routed["headers"].get("x-forwarded-host", {}).get("value", visitor.host) != (
        visitor.host
    ) and visitor.uri.startswith("/.functions/"):
        yield "a visitor chooses x-forwarded-host"
    if not visitor.uri.startswith("/.functions/"):
        return  # a path that only RFC 3986 makes a function's: no api_stage has such a name
    stage = uri.split("/")[1]
    if stage not in (*attacked().stages, ".functions"):
        yield f"calls no stage of ours: {uri}"
    if visitor.is_preview and stage != ("stage-7" if _base(visitor) == "/pr-7" else "stage-8"):
        yield f"calls another preview's functions: {uri}"
    if re.search(r"/(?:\.|%2e){1,2}(?:/|\\|%2f|%5c|$)", uri, re.IGNORECASE):
        yield f"sends a dot segment to the API: {uri}"


class Kept:
    """The cache: of two who share a key, none may be given what was made for the other alone."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], tuple[object, ...]] = {}
        self._seen: dict[tuple[str, ...], set[tuple[object, ...]]] = {}

    def broken(self, journey: Journey) -> Iterator[str]:
        """What this journey breaks beside all that came before."""
        answer = journey.given
        if answer is None or journey.visitor.method != "GET" or answer.status >= 500:
            return
        key = journey.key
        whole = _compared(answer)
        if answer.seconds:
            if answer.cookies and any("jam-" in each for each in answer.cookies):
                yield "a visitor's cookie is kept for everybody"
            kept = self._kept.setdefault(key, whole)
            if kept != whole:
                yield f"one key, two answers: {key}: {kept} and {whole}"
            if self._seen.get(key, set()) - {whole}:
                yield f"kept for all, but others get another: {key}: {whole}"
        elif key in self._kept and self._kept[key] != whole:
            yield f"others kept what is not for this one: {key}: {self._kept[key]} and {whole}"
        self._remember(key, whole)

    def _remember(self, key: tuple[str, ...], whole: tuple[object, ...]) -> None:
        self._seen.setdefault(key, set()).add(whole)
        while len(self._seen) > _REMEMBERED:
            gone = next(iter(self._seen))
            del self._seen[gone]
            self._kept.pop(gone, None)


def _compared(answer: Answer) -> tuple[object, ...]:
    """Without cache rules and header sets, which S3 only names and entry spells out."""
    told = tuple(answer.headers.get(name, "") for name in _COMPARED[:3])
    return (answer.status, *told, answer.body)
