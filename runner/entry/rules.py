"""Redirect rules as a visitor meets them: which one matches, and where it leads. Pure.

Also runs inside entry's zip, so it imports the standard library alone. The syntax is Netlify's
("Redirects and rewrites", "Redirect options"); paths are raw, percent-encoded as they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes, urlencode

from runner.paths import INDEX, key_of_uri

Params = dict[str, str]
SPLAT = "splat"
MOVED = frozenset({301, 302, 303, 307, 308})
_SAFE = "-._~!$&'()*+,;=:@"  # RFC 3986, pchar without escapes
_NAME = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")
_PRINTABLE = "%!#$%&'()*+,/:;=?@[]~"


class Visit(NamedTuple):
    """What a rule may look at. `path` and `query` are raw; country and languages lower case."""

    path: str
    query: str = ""
    country: str = ""
    language: str = ""


class Rule(NamedTuple):
    """One rule of the manifest; fields as in runner.model.Redirect."""

    source: str
    target: str
    status: int
    force: bool = False
    query: tuple[tuple[str, str], ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def conditional(self) -> bool:
        return bool(self.query or self.countries or self.languages)


def spellings(path: str) -> tuple[str, ...]:
    """All raw paths that have this one's storage key, the short one first.

    `/a` (or `/a/`), `/a.html` and `/a/index.html` are one file and one cached answer, so what is
    said of one of them is said of all.
    """
    stem, name = path.rstrip("/").rpartition("/")[::2]
    if name == "index.html":
        stem, name = stem.rpartition("/")[::2]
    name = name.removesuffix(".html") or name
    if "." in name:
        return (path,)
    if not name and not stem:
        return ("/", "/index.html")
    page = f"{stem}/{name}" if name else stem
    return (page, f"{page}.html", f"{page}/index.html")


def match_file(source: str, path: str) -> Params | None:
    """As `match_path`, for any spelling of a raw path: all that have one storage key match alike.

    What CloudFront keeps under that key is for all of them. A placeholder or splat at the end
    stands for what a visitor sees in the short spelling, else `/:language/:page` would catch `/de`
    as `/de/index.html`.
    """
    wanted, splat = _pattern(source)
    literal = bool(wanted) and not splat and not wanted[-1].startswith(":")
    if literal and "%" not in wanted[-1] and wanted[-1] not in _names(path):
        return None  # most of ten thousand rules end here
    named = spelled(path) if literal or not wanted else spelled(path)[:1]
    found = (match_path(source, each) for each in named)
    return next((params for params in found if params is not None), None)


def match_path(source: str, path: str) -> Params | None:
    """The placeholders' values if `source` matches a raw path, percent-encoded, else None.

    A slash at the end and empty segments make no difference; letters' case does.
    """
    (wanted, splat), segments = _pattern(source), _path_segments(path)
    if len(segments) < len(wanted) or (len(segments) > len(wanted) and not splat):
        return None
    params: Params = {}
    for pattern, segment in zip(wanted, segments, strict=False):
        if pattern.startswith(":"):
            params[pattern[1:]] = clean(segment)
        elif pattern != segment and unquote_to_bytes(pattern) != unquote_to_bytes(segment):
            return None
    if splat:
        params[SPLAT] = _rest(segments[len(wanted) :], path)
    return params


def match(rule: Rule, visit: Visit) -> tuple[Params | None, bool]:
    """The placeholders' values, or None; and whether more than the path decided."""
    params = match_file(rule.source, visit.path)
    if params is not None and rule.status in MOVED:  # kept by nobody: a target as it was written
        params = match_path(rule.source, visit.path) or params
    if params is None or not rule.conditional:
        return params, False
    given = match_query(rule.query, visit.query)
    if given is None or not _here(rule, visit):
        return None, True
    return {**given, **params}, True


def match_query(wanted: tuple[tuple[str, str], ...], query: str) -> Params | None:
    """The values of `:name` parameters if all that are wanted are there; others may be."""
    given = given_by(query)
    params: Params = {}
    for name, value in wanted:
        if name not in given:
            return None
        if value.startswith(":"):
            params[value[1:]] = quote(given[name], safe="", errors="surrogateescape")
        elif given[name] != value:
            return None
    return params


@lru_cache(maxsize=8)
def given_by(query: str) -> dict[str, str]:
    """The parameters of a raw query; of two with one name the first."""
    return dict(reversed(_pairs(query)))


def location(rule: Rule, params: Mapping[str, str], query: str) -> str:
    """Where a visitor is sent: printable ASCII, and never another host than the rule names.

    The visitor's query goes along unless the target has its own, without what the rule took.
    """
    target = fill(rule.target, params)
    if target.startswith("/"):  # "//host" and "/\\host" would be other hosts
        target = "/" + target.lstrip("/\\")
    rest = _remaining(rule, query)
    path, mark, fragment = target.partition("#")
    if rest and "?" not in path:
        path = f"{path}?{rest}"
    return quote(path + mark + fragment, safe=_PRINTABLE)


def fill(target: str, params: Mapping[str, str]) -> str:
    """The target with its placeholders' values; one without a value stays as it is written.

    A scheme's colon and a port are none, for a placeholder begins with a letter.
    """
    return _NAME.sub(lambda found: params.get(found[1], found[0]), target)


def path_of(target: str) -> str:
    """A target without its query and fragment."""
    return target.partition("#")[0].partition("?")[0]


def clean(segment: str) -> str:
    """A raw path segment, decoded and encoded again: no control, no slash, no foreign byte."""
    return quote(unquote_to_bytes(segment), safe=_SAFE)


def preferred(accept_language: str) -> str:
    """The one language that the visitor likes best, in lower case: others are second choices."""
    ranked = [_ranked(entry) for entry in accept_language[:500].lower().split(",")]
    best = max(ranked, key=lambda pair: pair[0], default=(0.0, ""))
    return best[1] if best[0] > 0 else ""


def _ranked(entry: str) -> tuple[float, str]:
    language, *parameters = (part.strip() for part in entry.split(";"))
    quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return (float(quality) if language and language != "*" else 0.0), language
    except ValueError:
        return 0.0, language


def _here(rule: Rule, visit: Visit) -> bool:
    if rule.countries and visit.country not in rule.countries:
        return False
    return not rule.languages or _speaks(rule.languages, visit.language)


def _speaks(languages: Iterable[str], language: str) -> bool:
    """`en` covers `en-gb`; `en-gb` covers only itself."""
    return any(language == one or language.startswith(f"{one}-") for one in languages)


@cache
def _pattern(source: str) -> tuple[list[str], bool]:
    """The segments of a rule's source without its splat, and whether it has one."""
    segments = _segments(source)
    splat = bool(segments) and segments[-1] == "*"
    return (segments[:-1] if splat else segments), splat


@lru_cache(maxsize=8)
def spelled(path: str) -> tuple[str, ...]:
    """The spellings of a raw path by its key alone; a visit asks the same for every rule."""
    *folders, name = key_of_uri(path).split("/")
    segments = folders if name == INDEX else [*folders, name]
    if not segments:
        return ("/", f"/{INDEX}")
    # A bare `~` is an empty segment: runner/paths.py.
    plain = ("" if each == "~" else clean(each.replace("~", "%")) for each in segments)
    page = "/" + "/".join(plain)
    return (page, f"{page}.html", f"{page}/{INDEX}") if name == INDEX else (page,)


@lru_cache(maxsize=8)
def _names(path: str) -> frozenset[str]:
    """The last segments of all spellings, decoded."""
    paths = (_path_segments(each) for each in spelled(path))
    return frozenset(unquote(segments[-1]) for segments in paths if segments)


@lru_cache(maxsize=32)
def _path_segments(path: str) -> list[str]:
    return _segments(path)


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _rest(segments: list[str], path: str) -> str:
    rest = "/".join(map(clean, segments))
    return f"{rest}/" if rest and path.endswith("/") else rest


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def _remaining(rule: Rule, query: str) -> str:
    if not rule.query:
        return query
    taken = {name for name, _ in rule.query}
    kept = [pair for pair in _pairs(query) if pair[0] not in taken]
    return urlencode(kept, errors="surrogateescape")
