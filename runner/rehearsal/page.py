"""What a browser reads off a page and its scripts: what to fetch, what to call, what breaks.

Pure. It reads as far as bundlers write: attributes, literal imports, literal addresses of
functions; no script is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

BUILD = "jam-rehearsal"  # the <meta> that says which build a document is of
THROWS = "jam-rehearsal-throws"  # in an inline script that throws
REPORT = "/.jam/report"
_FUNCTIONS = "/.functions/"
_LINKED = frozenset({"stylesheet", "icon", "modulepreload", "preload"})
_SOURCES = frozenset({"script", "img"})
# Quoted addresses: what a bundler leaves of `import("./editor")`, and of `fetch("/.functions/x")`.
_CHUNK = re.compile(r"""["'`]((?:\.{1,2})?/[^"'`\s${}]+\.(?:js|mjs|css))["'`]""")
_CALL = re.compile(r"""["'`](/\.functions/[^"'`\s$?{}]+)["'`]""")


@dataclass(frozen=True, slots=True)
class Page:
    """A document as a browser takes it. Addresses are paths of the same host.

    `build` is the rehearsal's mark of its build; `throws`: its script fails; `reports`: it carries
    the script that tells of that.
    """

    resources: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    build: str = ""
    throws: bool = False
    reports: bool = False


def page_of(html: str, *, at: str) -> Page:
    """The page that lies at the path `at`."""
    found = _Reader()
    found.feed(html)
    found.close()
    return Page(
        resources=_paths(found.addresses, at=at),
        links=_paths(found.links, at=at),
        build=found.build,
        throws=THROWS in html,
        reports=any("/jam-beacon/" in each for each in found.addresses),
    )


def chunks_of(script: str, *, at: str) -> tuple[str, ...]:
    """What a script at the path `at` loads later, by its literal imports."""
    return _paths(_CHUNK.findall(script), at=at)


def calls_of(script: str) -> tuple[str, ...]:
    """The functions that a script calls, as far as their addresses are literal."""
    return tuple(dict.fromkeys(_CALL.findall(script)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.addresses: list[str] = []
        self.links: list[str] = []
        self.build = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and given.get("name") == BUILD:
            self.build = given.get("content", "")
        if tag in _SOURCES and given.get("src"):
            self.addresses.append(given["src"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "link" and _LINKED & set(given.get("rel", "").split()):
            self.addresses.append(given.get("href", ""))


def _paths(addresses: list[str], *, at: str) -> tuple[str, ...]:
    joined = (urlsplit(urljoin(f"http://here{at}", each)) for each in addresses if each)
    ours = (each for each in joined if each.scheme == "http" and each.netloc == "here")
    named = (each.path + (f"?{each.query}" if each.query else "") for each in ours)
    return tuple(dict.fromkeys(each for each in named if not each.startswith((_FUNCTIONS, REPORT))))
