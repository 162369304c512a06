"""From the files of a build, its rules and its functions to a `Release`.

Everything is decided here, once: key, kind, type, cache rule and headers of each file. The same
input gives the same id, in any order and at any place. Writes nothing but marked pages, and those
to the content store.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.build.publish import Found
from runner.errors import Problem, site_error
from runner.model import Api, File, Function, HeaderSet, Redirect, Release
from runner.package import acceptor, documents, entry, patterns
from runner.package.content import cache_control, content_type, is_document, kind_of
from runner.package.fingerprint import fingerprinted
from runner.package.header_sets import Headers, header_sets
from runner.package.manifest import api_stage_of, identity
from runner.package.redirects import deciding
from runner.package.routing import is_conditional, routing, with_spa_rule
from runner.paths import key_of

RULES = frozenset({"_headers", "_redirects"})  # read by us, never published
NOT_FOUND = "404.html"
# S3 takes keys of 1,024 bytes, of which prefix and release need some; the router stops here too.
# Source: S3 user guide, "Naming Amazon S3 objects".
LONGEST_KEY = 900

_API = Api()

HeadersOf = Callable[[str], Headers]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A file on its way: what is known before the router's patterns are chosen."""

    found: Found
    key: str
    content_type: str
    headers: Headers
    fingerprinted: bool

    @property
    def shareable(self) -> bool:
        """Whether one object may serve every release: its metadata never changes again."""
        return self.fingerprinted and self.content_type == content_type(self.found.path)


def assemble(
    found: Iterable[Found],
    store: Path,
    *,
    functions: tuple[Function, ...] = (),
    headers_of: HeadersOf = lambda _: (),
    redirects: tuple[Redirect, ...] = (),
    spa: bool | None = None,
    immutable: tuple[str, ...] = (),
    hashed: str = "",
    api: Api = _API,
) -> Release:
    """The release of one build.

    `headers_of` gives a file's response headers by its path. `spa` adds the fallback to index.html,
    keeps it out of the router, or (None) goes by the rules.
    `immutable` and `hashed` are those of `fingerprinted`.
    Raises JAM-ROUTE-CLASH, JAM-ROUTE-LENGTH, JAM-REDIRECT-CONDITION or JAM-HEADERS-SIZE.
    """
    rules = with_spa_rule(redirects, spa)
    ordered = tuple(sorted(found, key=lambda it: it.path))
    drafts = _distinct(
        _drafts(ordered, headers_of, lasting=fingerprinted(ordered, immutable, hashed))
    )
    served = _not_shadowed(drafts, rules)
    sets = header_sets(draft.headers for draft in served)
    shared, chosen = _shared(served)
    files = [_file(it, store, sets=sets, shared=_matched(it.key, chosen)) for it in served]
    way = routing(
        files,
        redirects=rules,
        api_stage=api_stage_of(functions, api, acceptor=acceptor.digest()),
        patterns=chosen,
        headers=_reference(sets, shared),
        spa=spa,
    )
    release = Release(
        id="",
        files=tuple(sorted(files, key=lambda it: it.key)),
        header_sets=tuple(sorted(sets.values(), key=lambda it: it.ref)),
        redirects=rules,
        functions=tuple(sorted(functions, key=lambda it: it.name)),
        routing=way,
        api=api,
        not_found=next((it.key for it in files if it.path == NOT_FOUND), ""),
    )
    return replace(release, id=identity(release, entry.modules()))


def _drafts(
    found: Iterable[Found], headers_of: HeadersOf, *, lasting: frozenset[str]
) -> list[_Draft]:
    """What is published; dotfiles and rule files are not."""
    published = (it for it in found if not it.hidden and it.path not in RULES)
    return [_draft(it, headers_of(it.path), it.path in lasting) for it in published]


def _draft(found: Found, headers: Headers, lasting: bool) -> _Draft:
    """A rule for Content-Type becomes the file's own type, by which CloudFront compresses."""
    path, key = found.path, key_of(found.path)
    types = [value for name, value in headers if name.lower() == "content-type"]
    return _Draft(
        found=found,
        key=path if key == path else key,  # of most one text for both
        content_type=types[-1] if types else content_type(found.path),
        headers=tuple(pair for pair in headers if pair[0].lower() != "content-type"),
        fingerprinted=lasting,
    )


def _distinct(drafts: list[_Draft]) -> list[_Draft]:
    """The same, if every file has a route of its own that can be stored."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for draft in drafts:
        by_key[draft.key].append(draft.found.path)
    clashes = {key: paths for key, paths in by_key.items() if len(paths) > 1}
    if clashes:
        raise site_error(
            "JAM-ROUTE-CLASH",
            "Two files of the site would answer the same URL.",
            hint="keep one of each pair: about, about.html and about/index.html are all /about",
            problems=tuple(_clash(key, paths) for key, paths in clashes.items()),
        )
    long = [draft.found.path for draft in drafts if len(draft.key) > LONGEST_KEY]
    if long:
        raise site_error(
            "JAM-ROUTE-LENGTH",
            f"Paths of the site are longer than {LONGEST_KEY} characters as they are stored.",
            hint="shorten them; each byte outside A-Z a-z 0-9 . _ - counts three",
            problems=tuple(Problem(where=path, message="is too long") for path in long),
        )
    return drafts


def _clash(key: str, paths: list[str]) -> Problem:
    url = "/" + key.removesuffix("index.html").rstrip("/")
    return Problem(where=" and ".join(paths), message=f"both answer {url}")


def _not_shadowed(drafts: list[_Draft], rules: tuple[Redirect, ...]) -> list[_Draft]:
    """Without the files in whose place a forced rule answers: entry sees to that rule then."""
    if not any(rule.force for rule in rules):
        return drafts
    kept: list[_Draft] = []
    problems: list[Problem] = []
    decides = deciding(rules)
    for draft in drafts:
        rule = decides(draft.found.path)
        if rule and is_conditional(rule):
            said = f"answers in place of {draft.found.path} for some visitors only"
            problems.append(Problem(where=f"{rule.source} {rule.target}", message=said))
        if not (rule and rule.force) or _is_itself(rule, draft.key):
            kept.append(draft)
    if problems:
        raise site_error(
            "JAM-REDIRECT-CONDITION",
            "A forced rule in _redirects has a condition and would hide a file.",
            hint="drop the condition or the `!`, or rename the file: files are served from the "
            "edge, which knows neither parameters nor languages",
            problems=tuple(problems),
        )
    return kept


def _is_itself(rule: Redirect, key: str) -> bool:
    """`/app/* /app/index.html 200!` hides all of /app/ but the page that it answers with."""
    return rule.status == 200 and key_of(rule.target.partition("?")[0]) == key


def _shared(drafts: list[_Draft]) -> tuple[Headers, tuple[str, ...]]:
    """The headers that most fingerprinted files have, and patterns for the files that have them.

    All that the router finds by pattern has one header set: an object below `assets/` names none.
    """
    counted = Counter(draft.headers for draft in drafts if draft.shareable)
    if not counted:
        return (), ()
    common = min(counted, key=lambda it: (-counted[it], it))
    inside = {it.key for it in drafts if it.shareable and it.headers == common}
    chosen = patterns.cover(inside, (it.key for it in drafts if it.key not in inside))
    return (common, chosen) if chosen else ((), ())


def _matched(key: str, chosen: tuple[str, ...]) -> bool:
    return any(patterns.matches(pattern, key) for pattern in chosen)


def _reference(sets: Mapping[Headers, HeaderSet], headers: Headers) -> str:
    return sets[headers].ref if headers else ""


def _file(draft: _Draft, store: Path, *, sets: Mapping[Headers, HeaderSet], shared: bool) -> File:
    reference = _reference(sets, draft.headers)
    found = draft.found
    if reference and is_document(found.path):
        found = documents.marked(found, store, reference=reference)
    return File(
        path=found.path,
        key=draft.key,
        kind=kind_of(found.path, shared=shared),
        digest=found.digest,
        size=found.size,
        content_type=draft.content_type,
        cache_control=cache_control(fingerprinted=draft.fingerprinted),
        headers=reference,
        source=found.source,
    )
