"""A plain HTML site, served from its folder by the rules of a deploy: `_redirects`, `_headers`.

The packager makes a release of it after each change and entry's own program answers for that, so
that there is no second reading of the rules. Copies nothing: bytes are served as they lie.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.build.publish import Found, beside_the_site
from runner.build.survey import Limits, survey
from runner.config.load import Config
from runner.develop.snapshot import Snapshot, snapshot
from runner.entry.answer import Answer, served
from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.entry.release import Content, Site, site_of
from runner.errors import JamError, Problem
from runner.execution.http_messages import Request, Response
from runner.model import Release
from runner.package.content import cache_control
from runner.package.manifest import manifest
from runner.package.release import assemble
from runner.package.site import rules_of
from runner.paths import key_of_uri

# What a deploy says of its own accord; here every request gets what was saved last.
_OURS = frozenset({cache_control(fingerprinted=True), cache_control(fingerprinted=False)})
_FRESH = ("cache-control", "no-store")
# What a deploy needs and no browser sees; and the entity tag, by which a browser would keep it.
_KEPT_BACK = ("x-jam-", "etag")
# What a distribution adds where the site says nothing else (docs/architecture.md, Distribution):
# all but HSTS. A browser that learned that here would want https of everything on localhost.
_ADDED = (
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("x-xss-protection", "1; mode=block"),
)
_FRAMES = ("content-security-policy", "frame-ancestors 'self'")
_TOLD_BY_EDGE = ("accept-language", "cloudfront-viewer-country")


@dataclass(frozen=True, slots=True)
class _Made:
    site: Site
    entry: Entry
    sources: dict[str, Path]


@dataclass
class Pages:
    """`config` is that of the start; `work` is ours to fill; `say` prints a line."""

    config: Config
    work: Path
    say: Callable[[str], None]
    _seen: Snapshot | None = None
    _made: _Made | JamError | None = None
    _said: frozenset[str] = frozenset()
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """What a visitor of a deploy would get, or what a deploy would refuse, in words."""
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers=(("allow", "GET, HEAD"),))
        made = self._current()
        if isinstance(made, JamError):
            return _refusal(made)
        return _response(_answer(made, request))

    @property
    def _folder(self) -> Path:
        return (self.config.root / self.config.publish).resolve()

    def _current(self) -> _Made | JamError:
        with self._looking:
            seen = snapshot(str(self._folder), ())
            if self._made is None or seen != self._seen:
                self._seen, self._made = seen, self._read()
            return self._made

    def _read(self) -> _Made | JamError:
        """What is odd is said once, until it is different."""
        lines: list[str] = []
        made = self._tried(lines.append)
        if isinstance(made, JamError):
            lines.append(f"error[{made.code}]: {made}\n{made.hint}")
        for line in lines:
            if line not in self._said:
                self.say(line)
        self._said = frozenset(lines)
        return made

    def _tried(self, echo: Callable[[str], None]) -> _Made | JamError:
        try:
            return self._of(self._release(echo))
        except JamError as error:
            return error

    def _release(self, echo: Callable[[str], None]) -> Release:
        build, root = self.config.settings.build, self.config.root
        listed = survey(
            self._folder,
            allow=build.allow,
            left_out=beside_the_site(self._folder, root, self.config.functions),
            limits=Limits(),
        )
        _warn((*listed.unsafe, *listed.secret), echo)
        found = [
            Found(path=it.path, digest="", size=it.size, source=self._folder / it.path)
            for it in listed.entries
        ]
        headers_of, redirects = rules_of(found, echo)
        return assemble(
            found,
            self.work / "pages",
            headers_of=headers_of,
            redirects=redirects,
            spa=self.config.spa or build.spa,
            immutable=build.immutable,
        )

    def _of(self, release: Release) -> _Made:
        sources = {file.key: self._folder / file.path for file in release.files}

        def fetch(place: str) -> Content | None:
            within = place.removeprefix("assets/").removeprefix(f"releases/{release.id}/")
            return _content(sources.get(within))

        site = site_of(manifest(release))
        return _Made(site, Entry(site, fetch, Counts("", lambda _line: None)), sources)


def _warn(problems: tuple[Problem, ...], echo: Callable[[str], None]) -> None:
    for problem in problems:
        echo(f"warning: a deploy will refuse {problem}")


def _answer(made: _Made, request: Request) -> Answer:
    """A file as the bucket has it, whatever its size; anything else is entry's to answer."""
    key = key_of_uri(request.path)
    listed = made.site.listed(key)
    content = _content(made.sources.get(key)) if listed else None
    if listed and content:
        return served(made.site, listed, content, status=200, dependent=False)
    told = {name: request.header(name) for name in _TOLD_BY_EDGE if request.header(name)}
    visit = {**told, "x-jam-path": request.path, "x-jam-query": request.query}
    return made.entry.answer(f"/releases/{made.site.release}/{key}", visit)


def _content(source: Path | None) -> Content | None:
    try:
        return Content(source.read_bytes(), "") if source else None
    except OSError:
        return None  # removed at this moment


def _response(answer: Answer) -> Response:
    """A `Cache-Control` of the site's own rules is shown; else nothing is kept."""
    own = [pair for pair in answer.headers if not pair[0].startswith(_KEPT_BACK)]
    kept = [pair for pair in own if pair[0] != "cache-control" or pair[1] not in _OURS]
    fresh = () if any(name == "cache-control" for name, _ in kept) else (_FRESH,)
    headers = (*kept, *fresh, *_added(answer))
    return Response(status=answer.status, headers=headers, body=answer.body)


def _added(answer: Answer) -> Iterator[tuple[str, str]]:
    """As distribution and response function do: runner/edge/response.js."""
    said = dict(answer.headers)
    yield from (pair for pair in _ADDED if pair[0] not in said)
    framed = said.get("x-frame-options", "SAMEORIGIN") != "SAMEORIGIN"
    if said.get("x-jam-kind") == "document" and _FRAMES[0] not in said and not framed:
        yield _FRAMES


def _refusal(error: JamError) -> Response:
    headers = (("content-type", "text/plain; charset=utf-8"), _FRESH)
    return Response(status=500, headers=headers, body=f"{error}\n{error.hint}\n".encode())
