"""Reads `_redirects` in Netlify's syntax. Pure; complains once, about everything.

    source [parameter=value ...] target [status[!]] [Country=a,b] [Language=a,b]

What we cannot serve is a named error: a rule for a whole domain, a proxy (200 to another host),
`Role=` and `Cookie=` (entry never sees them), rules for functions. A splat ends its source.

Order is precedence, but of rules with one source the one with more parameters comes first, for
Netlify matches parameters exactly. At most 10,000 rules: beyond that it advises other means.
Syntax: Netlify's documentation, "Redirects and rewrites" and "Redirect options".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

from runner.entry.index import Rules
from runner.entry.rules import MOVED, SPLAT, match_file, match_path, path_of, spellings
from runner.errors import Problem, site_error
from runner.model import Redirect
from runner.package.manifest import redirect_form
from runner.package.redirect_line import Line, split
from runner.paths import key_of_uri

STATUSES = (200, 301, 302, 303, 307, 308, 404, 410)
MOST_RULES = 10_000
_PLACEHOLDER = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_COUNTRY = re.compile(r"[a-z]{2}")
_OURS = ("/.functions/", "/.jam/")
_FUNCTIONS = "/.netlify/functions/"


def parse(text: str, file: str) -> tuple[tuple[Redirect, ...], tuple[Problem, ...]]:
    """The rules in order of precedence, and warnings about rules that can never apply.

    A redirect that leads to itself is left out, as Netlify ignores it.

    Raises JAM-REDIRECTS with every problem, each with `file:line`.
    """
    lines = [line for line in map(split, *_numbered(text)) if line is not None]
    problems = [
        Problem(where=f"{file}:{line.number}", message=message, hint=hint)
        for line in lines
        for message, hint in _problems(line)
    ]
    if len(lines) > MOST_RULES:
        problems.append(Problem(where=file, message=f"{len(lines)} rules, {MOST_RULES} at most"))
    if problems:
        raise site_error(
            "JAM-REDIRECTS",
            f"{file} has {len(problems)} rules that cannot be served as they are written",
            hint="Each line says what to write instead.",
            problems=tuple(problems),
        )
    rules = [(line.number, _redirect(line)) for line in lines]
    ordered = _by_parameters([one for one in rules if not _circular(one[1])])
    warnings = [*_idle(rules, file), *_unreachable(ordered, file)]
    return tuple(rule for _, rule in ordered), tuple(sorted(warnings, key=_line_of))


def shadows(redirect: Redirect, path: str) -> bool:
    """Whether the rule's source matches the URL of a published file, however it is spelled."""
    return match_file(redirect.source, _url_of(path)) is not None


def deciding(rules: tuple[Redirect, ...]) -> Callable[[str], Redirect | None]:
    """Tells which rule decides about a published file, by its path, if one does.

    Rules are tried in order; the first that matches an existing file without `!` serves the file.
    """
    known = Rules([redirect_form(rule) for rule in rules])

    def first(path: str) -> Redirect | None:
        near = (rules[number] for number in known.numbers(_url_of(path)))
        return next((it for it in near if _counts(it) and shadows(it, path)), None)

    return first


def _counts(rule: Redirect) -> bool:
    return rule.force or not (rule.query or rule.countries or rule.languages)


def _url_of(path: str) -> str:
    return spellings(quote("/" + path.removeprefix("/")))[0]


def _numbered(text: str) -> tuple[list[str], range]:
    lines = text.removeprefix("\ufeff").splitlines()
    return lines, range(1, len(lines) + 1)


def _redirect(line: Line) -> Redirect:
    conditions = {name.lower(): value.lower() for name, value in line.conditions}
    return Redirect(
        source=line.source,
        target=line.target,
        status=int(line.status),
        force=line.force,
        query=line.query,
        countries=_values(conditions.get("country", "")),
        languages=_values(conditions.get("language", "")),
    )


def _values(text: str) -> tuple[str, ...]:
    return tuple(value for value in text.split(",") if value)


def _problems(line: Line) -> Iterator[tuple[str, str]]:
    yield from line.malformed
    yield from _source_problems(line)
    yield from _target_problems(line)
    yield from _condition_problems(line)
    if line.status not in map(str, STATUSES):
        allowed = ", ".join(map(str, STATUSES))
        yield f"status {line.status!r} is not supported", f"one of {allowed}, with ! to force"


def _source_problems(line: Line) -> Iterator[tuple[str, str]]:
    source = line.source
    if source.startswith(("http://", "https://")):
        yield (
            f"{source} is a rule for a whole domain",
            "rules hold for every host of the site; write the path alone",
        )
    elif not source.startswith("/"):
        yield f"the source {source!r} is no path", "begin it with /"
    elif source.startswith(_OURS):
        yield f"{source} belongs to the site's functions", "no rule is asked for these paths"
    elif "*" in source.removesuffix("/").removesuffix("/*"):
        yield f"{source} has a * that is not the last segment", "end the source with /*"
    elif "?" in source or "#" in source:
        yield f"{source} is more than a path", "write parameters after it: /store id=:id /blog/:id"


def _target_problems(line: Line) -> Iterator[tuple[str, str]]:
    target, rewrite = line.target, line.status not in map(str, MOVED)
    if target.startswith(_FUNCTIONS) or (rewrite and target.startswith("/.functions/")):
        route = "/.functions/" + target.removeprefix(_FUNCTIONS).removeprefix("/.functions/")
        yield f"{target} is a function, which no rewrite reaches", f"let the page call {route}"
    elif target.startswith("//"):
        yield f"the target {target} is a host without a scheme", f"write https:{target}"
    elif target.startswith(("http:", "https:")):
        yield from _host_problems(line, rewrite=rewrite)
    if missing := sorted(set(_PLACEHOLDER.findall(_path_of(target))) - _given(line)):
        yield f"the target uses :{missing[0]}, which the source does not give", ""


def _host_problems(line: Line, *, rewrite: bool) -> Iterator[tuple[str, str]]:
    try:
        host = urlsplit(line.target).netloc
    except ValueError:
        host = ""
    if not host:
        yield f"the target {line.target!r} names no host", ""
    elif _PLACEHOLDER.search(host) or "*" in host:
        yield f"the target {line.target!r} lets a visitor choose the host", "name the host in full"
    elif rewrite:
        yield (
            f"{line.target} with status {line.status} is a proxy to another host",
            "redirect with 302, or fetch it in a function",
        )


def _path_of(target: str) -> str:
    """The target without scheme, host and port, whose colons are no placeholders."""
    return re.sub(r"^https?://[^/?#]*", "", target)


def _given(line: Line) -> set[str]:
    given = {part[1:] for part in line.source.split("/") if part.startswith(":")}
    given |= {value[1:] for _, value in line.query if value.startswith(":")}
    return given | {SPLAT} if line.source.rstrip("/").endswith("*") else given


def _condition_problems(line: Line) -> Iterator[tuple[str, str]]:
    for name, value in line.conditions:
        allowed = {"country": _COUNTRY, "language": _LANGUAGE}.get(name.lower())
        if name.lower() in ("role", "cookie", "sign", "signed"):
            yield f"{name}= is not supported", "decide it in the page or in a function"
        elif allowed is None:
            yield f"unknown condition {name}=", "Country= and Language= are supported"
        elif not value or not all(map(allowed.fullmatch, _values(value.lower()))):
            yield (
                f"{name}={value} is no list of codes",
                f"such as {name}=" + ("de,at" if allowed is _COUNTRY else "de,en-gb"),
            )


def _by_parameters(rules: list[tuple[int, Redirect]]) -> list[tuple[int, Redirect]]:
    """Rules of one source, most parameters first, in the places that these rules had."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, (_, rule) in enumerate(rules):
        places[rule.source].append(place)
    ordered = list(rules)
    for group in places.values():
        ranked = sorted((rules[place] for place in group), key=lambda one: -len(one[1].query))
        for place, one in zip(group, ranked, strict=True):
            ordered[place] = one
    return ordered


def _circular(rule: Redirect) -> bool:
    """Whether a redirect leads to the file that it stands for: `/a.html` and `/a/` are one."""
    if rule.status not in MOVED or rule.query or not rule.target.startswith("/"):
        return False
    return key_of_uri(rule.source.replace("*", f":{SPLAT}")) == key_of_uri(path_of(rule.target))


def _idle(rules: list[tuple[int, Redirect]], file: str) -> Iterator[Problem]:
    for number, rule in rules:
        if _circular(rule):
            yield Problem(
                where=f"{file}:{number}",
                message=f"ignored: {rule.source} leads to itself",
                hint="a slash or .html at the end makes no difference to a rule",
            )


def _line_of(problem: Problem) -> int:
    return int(problem.where.rsplit(":", 1)[1])


def _unreachable(rules: list[tuple[int, Redirect]], file: str) -> Iterator[Problem]:
    literal: dict[str, tuple[int, Redirect]] = {}  # 10,000 rules are mostly these
    patterns: list[tuple[int, Redirect]] = []
    for number, rule in rules:
        same = literal.get(rule.source.rstrip("/"))
        candidates = [*([same] if same else []), *patterns]
        earlier = next((one for one in candidates if _covers(one[1], rule)), None)
        if earlier:
            yield Problem(
                where=f"{file}:{number}",
                message=f"never matches: line {earlier[0]} catches {rule.source}",
                hint="move it above that line",
            )
        elif rule.query or rule.countries or rule.languages:
            continue
        elif "*" in rule.source or ":" in rule.source:
            patterns.append((number, rule))
        else:
            literal[rule.source.rstrip("/")] = (number, rule)


def _covers(earlier: Redirect, later: Redirect) -> bool:
    """Whether `earlier` decides about all that `later` matches, be it by leaving a file alone.

    The first rule that matches decides, forced or not (Netlify's documentation, "Redirects and
    rewrites", Rule processing order); runner/package/release.py holds to it for files.
    """
    sample = later.source.replace("*", "~/~")
    return match_path(earlier.source, sample) is not None and (
        "*" not in later.source or earlier.source.rstrip("/").endswith("*")
    )
