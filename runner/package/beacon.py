"""The beacon in a site's pages: the script as a file of the release, and a tag before any other.

A file of its own rather than a script in the page: a Content-Security-Policy that allows the site's
own scripts allows it. Writes to the content store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from runner.beacon import script
from runner.build import store as content_store
from runner.build.publish import Found
from runner.package.content import is_document
from runner.package.header_sets import Headers

_WHOLE = re.compile(rb"<(?:!doctype\s+html|html|head)\b", re.IGNORECASE)
_BEFORE = frozenset({"html", "head", "meta", "title", "base"})  # what runs and loads nothing
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16
PATTERN = "jam-beacon/*.js"
_PIECE = 4096  # characters read at once: a page's head is at its beginning
_POLICY = "content-security-policy"
_ENDS = re.compile(rb"</head\b|<body\b", re.IGNORECASE)


def file_name() -> str:
    """The script's path; below `/.jam/` nothing is a file."""
    return f"jam-beacon/{hashlib.sha256(script()).hexdigest()[:8]}.js"


def added(found: Iterable[Found], store: Path) -> tuple[Found, ...]:
    """The site's files with the script and with its tag in every whole page.

    Pieces of pages that scripts fetch, and pages in UTF-16, stay as they are.
    """
    return (*(_tagged(file, store) for file in found), _kept(store, file_name(), script()))


def forbidden(
    found: Iterable[Found], headers_of: Callable[[str], Headers]
) -> Iterator[tuple[str, str]]:
    """Pages whose Content-Security-Policy keeps the script from running or telling, and by what."""
    for file in found:
        if is_document(file.path):
            policies = [text for name, text in headers_of(file.path) if name.lower() == _POLICY]
            said = (each for text in policies for each in _against(text, _RUNS, _TELLS))
            yield from ((file.path, each) for each in (*said, *_in_page(file.source.read_bytes())))


def _in_page(data: bytes) -> Iterator[str]:
    """By `<meta>` elements of its head; a script that comes before one has run already.

    Source: HTML Standard, "Content security policy state" of `http-equiv`.
    """
    if data.startswith(_WIDE):
        return
    head = _Head()
    head.feed(_head_of(data))
    for policy, runs_before in head.policies:
        yield from _against(policy, *(() if runs_before else (_RUNS,)), _TELLS)


def _head_of(data: bytes) -> str:
    end = _ENDS.search(data)
    return data[: end.start() if end else len(data)].decode("latin-1")


_RUNS = ("script-src-elem", "script-src", "default-src")
_TELLS = ("connect-src", "default-src")


def _against(policy: str, *chains: tuple[str, ...]) -> Iterator[str]:
    """Source: W3C, "Content Security Policy Level 3", fallback of directives."""
    parts = (part.split() for part in policy.lower().split(";") if part.strip())
    told = {name: sources for name, *sources in parts}
    for chain in chains:
        name = next((each for each in chain if each in told), "")
        if name and not {"'self'", "*", "https:"} & set(told[name]):
            yield f"{name} {' '.join(told[name])}"


def _tagged(file: Found, store: Path) -> Found:
    if not is_document(file.path):
        return file
    data = file.source.read_bytes()
    if data.startswith(_WIDE) or not _WHOLE.search(data):
        return file
    at = _place(data)
    tag = f'<script src="/{file_name()}"></script>'.encode("ascii")
    return _kept(store, file.path, data[:at] + tag + data[at:])


def _kept(store: Path, path: str, data: bytes) -> Found:
    digest = hashlib.sha256(data).hexdigest()
    source = content_store.keep(store, data, digest=digest)
    return Found(path=path, digest=digest, size=len(data), source=source)


def _place(data: bytes) -> int:
    """Before the first thing in the page that might run or load something."""
    page = data.decode("latin-1")  # a character a byte, whatever they mean
    finder = _Finder()
    for start in range(0, len(page), _PIECE):
        finder.feed(page[start : start + _PIECE])
        if finder.found:
            line, column = finder.found
            before = [0, *(each.end() for each in re.finditer("\n", page))]
            return before[line - 1] + column
    return len(page)


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: tuple[int, int] | None = None  # line from 1, column

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "title":
            self.set_cdata_mode(tag)  # nothing in a title is a tag; older parsers find some
        if tag not in _BEFORE:
            self.found = self.found or self.getpos()

    def handle_endtag(self, tag: str) -> None:
        if tag == "head":
            self.found = self.found or self.getpos()


class _Head(_Finder):
    """The policies of a head, each with whether the beacon's tag comes before it."""

    def __init__(self) -> None:
        super().__init__()
        self.policies: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        super().handle_starttag(tag, attrs)
        told = {name: value or "" for name, value in attrs} if isinstance(attrs, list) else {}
        if tag == "meta" and told.get("http-equiv", "").strip().lower() == _POLICY:
            self.policies.append((told.get("content", ""), self.found is not None))
