"""Reads `_headers` in Netlify's syntax and says which headers a file gets. Pure.

    /path/*            a line that begins with / opens a rule
      Name: value      the lines below it are its headers; a repeated name joins its values

`*` matches anything, `/` included, `:name` one segment; a slash at the end makes no difference.
Of several rules that match a path the later one wins, header by header, as in Netlify's own CLI.
`Set-Cookie` cannot be joined: each line is a cookie of its own.

A `Cache-Control` of the user's is what browsers get: the response function and entry set it after
the edge's cache, which goes on by the object's own `s-maxage` (its key holds the release).
Syntax: Netlify's documentation, "Custom headers".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from runner.entry.rules import spellings
from runner.errors import Problem, site_error

# CloudFront: functions may not add these. Source: CloudFront developer guide, "Restrictions on all
# edge functions", Disallowed headers and Read-only headers in viewer response events.
_CLOUDFRONT = frozenset(
    {"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization"}
    | {"proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset"}
    | {"x-accel-limit-rate", "x-accel-redirect", "x-cache", "x-forwarded-proto", "x-real-ip"}
    | {"warning", "via"}
)
# Made from the message itself: another value would be a lie that breaks caching or framing.
_MESSAGE = frozenset(
    {"accept-ranges", "age", "content-encoding", "content-length", "content-range", "date", "etag"}
    | {"last-modified", "location", "server", "transfer-encoding"}
)
_PREFIXES = ("x-amz-", "x-amzn-", "x-edge-", "x-jam-")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_COOKIE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=")
_AGE = re.compile(
    r"(?:^|[\s,])max-age\s*=\s*\"?0*([1-9]\d*)|(?:^|[\s,])immutable(?:$|[\s,])", re.IGNORECASE
)
LONGEST = 8192  # characters of one value; the header quota of "Quotas on CloudFront" is above it


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRule:
    """One rule: `path` as written, headers in order with names as written, `where` is file:line."""

    path: str
    headers: tuple[tuple[str, str], ...]
    where: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A header line, below the rule that it belongs to (None above the first)."""

    number: int
    path: str | None
    path_number: int
    name: str
    value: str
    text: str


def parse(text: str, file: str) -> tuple[tuple[HeaderRule, ...], tuple[Problem, ...]]:
    """The rules in the order of the file, and warnings.

    Raises JAM-HEADERS with every problem, each with `file:line`.
    """
    rows, paths = _rows(text)
    problems = [
        Problem(where=f"{file}:{number}", message=message, hint=hint)
        for number, message, hint in (*_path_problems(paths), *_row_problems(rows))
    ]
    if problems:
        raise site_error(
            "JAM-HEADERS",
            f"{file} has {len(problems)} lines that cannot be served as they are written",
            hint="Each line says what is wrong with it.",
            problems=tuple(sorted(problems, key=lambda one: int(one.where.rsplit(":", 1)[1]))),
        )
    rules = [
        HeaderRule(path=path, headers=headers, where=f"{file}:{number}")
        for number, path in paths
        if (headers := _joined([row for row in rows if row.path_number == number]))
    ]
    return tuple(rules), (*_empty(rows, paths, file), *_stale(rows, file))


def headers_for(path: str, rules: tuple[HeaderRule, ...]) -> tuple[tuple[str, str], ...]:
    """The headers of a published file (`about/index.html`), sorted by name in lower case.

    A rule is written for a URL: it counts if it matches any that a visitor may use, and a `:name`
    at its end stands for what is seen in the short one (`/about`, not `/about/index.html`).
    """
    urls = spellings("/" + path.removeprefix("/"))
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for rule in rules:
        short = rule.path.rstrip("/").rpartition("/")[2].startswith(":")
        if any(map(_pattern(rule.path).fullmatch, urls[:1] if short else urls)):
            for name in {name.lower() for name, _ in rule.headers}:
                found[name] = tuple(
                    (name, value) for key, value in rule.headers if key.lower() == name
                )
    return tuple(pair for name in sorted(found) for pair in found[name])


def _pattern(path: str) -> re.Pattern[str]:
    parts = [_part(part) for part in unquote(path).split("/") if part]
    return re.compile("".join(parts) + "/?", re.DOTALL)


def _part(part: str) -> str:
    if part == "*":  # "/blog/*" matches "/blog" as well
        return "(?:/.*)?"
    if part.startswith(":"):
        return "/[^/]+"
    return "/" + ".*".join(map(re.escape, part.split("*")))


def _rows(text: str) -> tuple[list[_Row], list[tuple[int, str]]]:
    rows: list[_Row] = []
    paths: list[tuple[int, str]] = []
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(("/", "http://", "https://")):
            paths.append((number, line))
            continue
        name, colon, value = line.partition(":")
        path_number, path = paths[-1] if paths else (0, None)
        text_of = line if colon else ""
        rows.append(_Row(number, path, path_number, name.strip(), value.strip(), text_of))
    return rows, paths


def _joined(rows: list[_Row]) -> tuple[tuple[str, str], ...]:
    """Repeated names in one rule become one header, in the place of the first."""
    pairs: list[tuple[str, str]] = []
    places: dict[str, int] = {}
    for row in rows:
        name = row.name.lower()
        if name in places and name != "set-cookie":
            first = pairs[places[name]]
            pairs[places[name]] = (first[0], f"{first[1]}, {row.value}")
        else:
            places[name] = len(pairs)
            pairs.append((row.name, row.value))
    return tuple(pairs)


def _path_problems(paths: list[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    for number, path in paths:
        if not path.startswith("/"):
            yield number, f"{path} is a rule for a whole domain", "write the path alone"
        elif path.startswith(("/.functions/", "/.jam/")):
            yield number, f"{path} is a function's", "let the function set its own headers"
        elif " " in path or "\t" in path:
            yield number, f"{path!r} has more than a path", "headers stand on lines of their own"


def _row_problems(rows: list[_Row]) -> Iterator[tuple[int, str, str]]:
    for row in rows:
        if problem := _row_problem(row):
            yield row.number, *problem


def _row_problem(row: _Row) -> tuple[str, str] | None:
    name = row.name.lower()
    if not row.text:
        return f"{row.name!r} is neither a path nor a header", "write Name: value"
    if row.path is None:
        return f"{row.name} stands above the first path", "begin a rule with a path, such as /*"
    if not _NAME.fullmatch(row.name):
        return f"{row.name!r} is no header name", ""
    if name == "basic-auth":
        return f"Basic-Auth is not supported: {row.path} would be public", "use a function instead"
    if name in _CLOUDFRONT or name.startswith(_PREFIXES):
        return f"CloudFront or this tool keeps {row.name} to itself", "remove the line"
    if name in _MESSAGE:
        return f"{row.name} follows from the file and cannot be set", "remove the line"
    if name == "set-cookie":
        return _cookie_problem(row.value)
    return _value_problem(row)


def _value_problem(row: _Row) -> tuple[str, str] | None:
    if not row.value:
        return f"{row.name} has no value", "remove the line, or write one"
    if not _VALUE.fullmatch(row.value):
        return f"{row.name} has characters beyond ASCII", "encode them as the header demands"
    if len(row.value) > LONGEST:
        return f"{row.name} has {len(row.value)} characters, {LONGEST} at most", ""
    return None


def _cookie_problem(value: str) -> tuple[str, str] | None:
    if not _COOKIE.match(value) or not _VALUE.fullmatch(value):
        return f"{value!r} is no cookie", "Set-Cookie: name=value; attributes"
    if value.partition("=")[0].lower() == "jam-pin":
        return "the cookie jam-pin is this tool's own", "choose another name"
    return None


def _empty(rows: list[_Row], paths: list[tuple[int, str]], file: str) -> Iterator[Problem]:
    used = {row.path_number for row in rows}
    for number, path in paths:
        if number not in used:
            yield Problem(where=f"{file}:{number}", message=f"the rule for {path} has no headers")


def _stale(rows: list[_Row], file: str) -> Iterator[Problem]:
    """Browsers that keep a page do not see the next release, nor a roll back."""
    for row in rows:
        last = (row.path or "").rstrip("/").rsplit("/", 1)[-1]
        pages = "." not in last.removesuffix(".html")
        if pages and row.name.lower() == "cache-control" and _AGE.search(row.value):
            yield Problem(
                where=f"{file}:{row.number}",
                message=f"browsers will keep pages under {row.path} ({row.value})",
                hint="no new release and no roll back reaches them before that ends",
            )
