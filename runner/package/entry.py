"""Builds entry's archive for one release. Pure but for reading the modules of `runner/entry`.

The archive is flat, as Lambda wants its handler: `entry.py` with its modules, `release.json` and
`documents/<key>`. Imports of this package are turned into imports of their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.model import File, Kind, Release
from runner.package.archive import write

# Raw bytes of documents: a version's start unpacks them, and an account has 75 GB for all code.
# Source: Lambda developer guide, "Lambda quotas".
BUDGET = 20 * 1024 * 1024
_HERE = Path(__file__).parent.parent
_MODULES = (
    *("entry/answer.py", "entry/counts.py", "entry/entry.py", "entry/release.py"),
    *("entry/index.py", "entry/rules.py", "paths.py"),
)
_IMPORT = re.compile(r"^from runner\.(?:entry\.)?(?=\w+ import )", re.MULTILINE)


def package(release: Release, manifest: bytes, *, read: Callable[[File], bytes]) -> bytes:
    """The archive of a release's entry version, the same bytes for the same release.

    `manifest` is `~release.json`; `read` gives the bytes that visitors get of a document.
    """
    members = {"release.json": manifest, **modules()}
    for file in documents(release):
        members[f"documents/{file.key}"] = read(file)
    return write(members)


def modules() -> dict[str, bytes]:
    """Entry's own program, by file name."""
    found = {}
    for module in _MODULES:
        source = (_HERE / module).read_text(encoding="utf-8")
        found[Path(module).name] = _IMPORT.sub("from ", source).encode()
    return found


def documents(release: Release) -> tuple[File, ...]:
    """The documents that travel with entry: 404 and start page first, then the small ones."""
    found = [file for file in release.files if file.kind is Kind.DOCUMENT]
    first = (release.not_found, "index.html")
    found.sort(key=lambda file: (file.key not in first, file.size, file.key))
    return tuple(_fitting(found))


def _fitting(files: list[File]) -> Iterator[File]:
    folders = {parent for file in files for parent in _folders(file.key)}
    room = BUDGET
    for file in files:
        if file.size <= room and file.key not in folders:
            room -= file.size
            yield file


def _folders(key: str) -> Iterator[str]:
    """The keys that would have to be folders for this one to be a file on a disk."""
    parts = key.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
