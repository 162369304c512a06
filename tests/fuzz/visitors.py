"""From bytes to hostile visitors: paths, queries, headers and cookies by a grammar of attacks.

The same bytes are the same visitors, so that a finding is a file. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from runner.aws.previews import bypass_of, password_of
from tests.fuzz.attacked import (
    BYPASS,
    HOSTS,
    LOCKED,
    OPEN,
    PASSWORD,
    SECRET,
    TOKEN,
    State,
    a_pass,
    attacked,
    basic,
    previews,
    production,
)

T = TypeVar("T")

EVIL = "evil.example"
MOST = 40  # visitors of one input
_PIECES = (
    *(
        "/",
        "/",
        "/",
        "//",
        "/./",
        "/../",
        "/%2e%2e/",
        "/.%2E/",
        "/..%2f",
        "%2f",
        "%2F",
        "%5c",
        "\\",
    ),
    *("..", ".", "%2e", "%252e%252e", "%252f", "%25", "%", "%zz", "%0d%0a", "%00", "%09", "%20"),
    *("\t", "\r\n", "\n", "\x00", " ", "#", "?", ";", "@", ":", "|", "*", "~", "~7E", "~2F", "%7e"),
    *("é", "%C3%A9", "%c3%a9", "%e9", "ü", "+", "%2B", "\ud800", "😀", "%F0%9F", "%ff", "％２ｅ"),
    *("index.html", ".html", "/index.html", "%2ehtml", "INDEX.HTML", ".css", "a", "b", "%61"),
    *("about", "docs", "pages", "old", "to", "out", "out-with", "app", "deep", "shown", "more"),
    *("q", "s", "land", "word", "forced", "gone", "v1.2", "404", "data.json", "logo.svg", "detail"),
    *("assets", "assets/app-Dx1yZ9aB.js", "~release.json", "releases", "production", "previews"),
    *(
        "pr-7",
        "pr-8",
        "secret.txt",
        ".functions",
        ".jam",
        "report",
        "open",
        "version.json",
        "hello",
    ),
    *(f"//{EVIL}", f"https://{EVIL}", f"/\\{EVIL}", f"/%09/{EVIL}", f"@{EVIL}", f"%2f%2f{EVIL}"),
    *("http:", "javascript:alert(1)", "stage-live", "stage-old", "stage-7", "stage-8"),
)
_STARTS = (
    *("/", "/", "/", "/", "/.functions/", "/.functions/hello", "/.jam/open", "/assets/", "//"),
    *("/app/", "/old/", "/out/", "/deep/", "/docs/"),
)
_TEXTS = (
    *("", "a", "b", "1", EVIL, f"https://{EVIL}/", "%0d%0aset-cookie: x=1", "\t", "é", "x" * 300),
    *("../..", "%2f..%2f", "text/html", "<script>", "=", "&", "a=b&c=d", "; x=1"),
)
_QUERY_NAMES = (
    *("id", "a", "release", "release", "token", "response-content-type", "partNumber", "x/y"),
    *("é", "versionId", "id%0d", ":splat", "X-Amz-Security-Token"),
)
_HEADERS = (
    *("accept", "accept-language", "sec-fetch-mode", "sec-fetch-dest", "origin", "referer"),
    *("x-forwarded-host", "x-forwarded-for", "x-host", "forwarded", "x-original-url", "range"),
    "x-rewrite-url",
    *("x-jam-release", "x-jam-draw", "x-jam-query", "x-jam-host", "x-jam-path", "x-jam-rollout"),
    *("x-jam-key", "x-jam-token", "x-jam-bypass", "x-jam-kind", "x-jam-other", "x-http-method"),
    *("x-amz-meta-jam-release", "x-amz-meta-jam-headers", "x-amz-security-token", "if-none-match"),
    *("authorization", "cloudfront-viewer-country", "content-type", "x-method-override"),
)  # fmt: skip
_COOKIES = ("jam-pin", "jam-open", "jam-door", "jam-lease", "session", "a b", "é", "__proto__")
_METHODS = ("GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One request, as CloudFront takes it, to a moment of the site."""

    state: State
    host: str
    uri: str
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    country: str = "us"

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    def cookie(self, name: str) -> str:
        return dict(self.cookies).get(name, "")

    @property
    def is_preview(self) -> bool:
        return self.state.name == "previews"


class Draws:
    """Takes choices out of bytes; zeros once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def number(self, below: int) -> int:
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % below

    def one(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def text(self) -> str:
        """Of one byte each: what no grammar thinks of."""
        length = self.number(12)
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken.decode("latin-1")


def visitors(data: bytes) -> tuple[Visitor, ...]:
    """Pairs at one moment: who ask for the same, more or less, and differ in what else they say."""
    draws = Draws(data)
    state = draws.one((*production(), *production(), *previews() * 3))
    made: list[Visitor] = []
    while not made or (draws.more and len(made) < MOST):
        made += _pair(state, draws)
    return tuple(made)


def _pair(state: State, draws: Draws) -> tuple[Visitor, Visitor]:
    first = Visitor(state=state, host=draws.one(_hosts(state)), uri=_path(draws))
    second = replace(first, uri=_respelled(first.uri, draws))
    return _saying(first, draws), _saying(second, draws)


def _hosts(state: State) -> tuple[str, ...]:
    if state.name == "previews":
        return (OPEN, LOCKED, LOCKED.upper(), "unknown.example.com")
    return (*HOSTS[:1] * 5, HOSTS[0].upper(), HOSTS[1], "d111.cloudfront.net")


def _path(draws: Draws) -> str:
    start = draws.one(_STARTS)
    return _sent(start + "".join(_piece(draws) for _ in range(draws.number(7))))


def _piece(draws: Draws) -> str:
    chosen = draws.number(len(_PIECES) + 12)
    return _PIECES[chosen] if chosen < len(_PIECES) else draws.text()


def _sent(path: str) -> str:
    """As it can be in a request's first line: no space, no control character, no fragment."""
    return re.sub(r"[\x00-\x20\x7f#?]", "", path)[:8000]


def _respelled(path: str, draws: Draws) -> str:
    """The same file, as another visitor may write it; now and then another one."""
    match draws.number(8):
        case 0 | 1:
            return path
        case 2:
            return path + draws.one(("/", ".html", "/index.html", "index.html", "//"))
        case 3:
            return path.removesuffix("/").removesuffix(".html").removesuffix("/index") or "/"
        case 4:
            return _escaped(path, draws.number(len(path)))
        case 5:
            return re.sub(r"%[0-9A-Fa-f]{2}", lambda found: found[0].swapcase(), path)
        case 6:
            return path[:1] + path[1:].replace("/", draws.one(("//", "/./", "%2f")), 1)
        case _:
            return _path(draws)


def _escaped(path: str, at: int) -> str:
    char = path[at]
    return (
        path if char in "/%" or ord(char) > 127 else f"{path[:at]}%{ord(char):02x}{path[at + 1 :]}"
    )


def _saying(visitor: Visitor, draws: Draws) -> Visitor:
    return replace(
        visitor,
        method=draws.one(_METHODS),
        query=tuple(_query(draws) for _ in range(draws.number(4))),
        headers=tuple(dict(_header(draws) for _ in range(draws.number(5))).items()),
        cookies=tuple(dict(_cookie(draws) for _ in range(draws.number(3))).items()),
        country=draws.one(("us", "de", "at")),
    )


def _query(draws: Draws) -> tuple[str, str]:
    name = draws.one(_QUERY_NAMES)
    if name == "release" and draws.number(4):
        return name, draws.one(_releases())
    if name == "token" and draws.number(2):
        return name, a_pass(attacked().old)[33:]
    text = draws.one(_TEXTS) if draws.number(3) else draws.text()
    return name, re.sub(r"[\x00-\x20\x7f#&]", "", text)


def _header(draws: Draws) -> tuple[str, str]:
    name = draws.one(_HEADERS)
    known: dict[str, tuple[str, ...]] = {
        "accept": ("text/html", "*/*"),
        "accept-language": ("fr", "de;q=1,fr;q=0.5", "q" * 600),
        "sec-fetch-mode": ("navigate", "navigate", "cors", "no-cors"),
        "sec-fetch-dest": ("document", "serviceworker", "script"),
        "x-jam-release": _releases(),
        "x-jam-token": (TOKEN, "wrong", ""),
        "x-jam-bypass": (BYPASS, "wrong", "undefined", bypass_of("", "pr-8")),
        "authorization": (
            *(basic(PASSWORD), "Bearer visitor", "undefined"),
            basic(password_of("", "pr-8")),
        ),
    }
    if name in known and draws.number(4):
        return name, draws.one(known[name])
    return name, _printable(draws)


def _printable(draws: Draws) -> str:
    text = draws.one(_TEXTS) if draws.number(3) else draws.text()
    return re.sub(r"[\x00-\x1f\x7f]", "", text)


def _releases() -> tuple[str, ...]:
    site = attacked()
    odd = ("0" * 32, "f" * 31, f"../{site.old}", site.old.upper())
    return (site.old, site.candidate, site.live, *odd)


def _cookie(draws: Draws) -> tuple[str, str]:
    name = draws.one(_COOKIES)
    if name == "jam-pin" and draws.number(6):
        rollout = draws.one(("0", "r1-visitor", "r1-", "r2-visitor", "r1-../x", "", SECRET))
        return name, f"{draws.one(_releases())}.{rollout}"
    if name == "jam-open" and draws.number(3):
        return name, a_pass(draws.one((attacked().old, "0" * 32)))
    return name, re.sub(r"[;\s]", "", _printable(draws))
