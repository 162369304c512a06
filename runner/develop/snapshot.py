"""How files lie on disk at a moment: two snapshots differ if anything was saved between them.

Reads names and times only, never content: whoever finds a difference goes by content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

Entry = tuple[str, int, int, int]
Snapshot = tuple[Entry, ...]
_FOREIGN = frozenset({"node_modules", "__pycache__", ".git", ".jam"})


def snapshot(folder: str, others: Iterable[str]) -> Snapshot:
    """All files below `folder`, `.env` included, and the single files `others`."""
    return (*_below(folder), *map(_entry, others))


def _below(folder: str) -> Iterator[Entry]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name in _FOREIGN:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        else:
            yield _entry(entry.path)


def _entry(path: str) -> Entry:
    # Asking first is cheaper than an exception, and most of `others` are not there.
    if not os.access(path, os.F_OK):
        return path, 0, 0, 0
    try:
        found = os.stat(path)  # noqa: PTH116 -- before every request: pathlib takes four times as long
    except OSError:
        return path, 0, 0, 0
    return path, found.st_mtime_ns, found.st_size, found.st_ino
