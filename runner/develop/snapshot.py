"""How files lie on disk at a moment, and whether anything was saved since.

Reads names and times only, never content: whoever is told of a change goes by content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_FOREIGN = frozenset({"node_modules", "__pycache__", ".git", ".jam"})
_COARSEST = 2.1  # seconds: no file system's times are coarser than FAT's, of two seconds
Entry = tuple[str, int, int, int]
"""A path with the time, size and number of what is there; zeros where nothing is."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`files` are all below a folder, and single ones whether they are there or not; `folders` are
    those in which another could come or one of them go.
    """

    files: tuple[Entry, ...]
    folders: tuple[Entry, ...]


class Watch:
    """Of all files below `folder`, `.env` included."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._others: Sequence[str] = ()
        self._seen = Snapshot((), ())
        self._there: list[Entry] = []
        self._since = 0.0
        self._settled = False

    def changed(self, others: Sequence[str], *, at: float) -> bool:
        """Whether anything was saved since this was last asked, the single files `others` included;
        `at` counts seconds.

        A folder's time stands for the names in it only if they were listed when it was older than
        the coarsest clock's step: until then a file may come and leave the time as it is.
        """
        if self._settled and others is self._others and self._stands():
            return False
        before, self._seen, self._others = self._seen, snapshot(self._folder, others), others
        self._there = [each for each in (*self._seen.folders, *self._seen.files) if each[3]]
        if before.folders != self._seen.folders:
            self._since = at
        self._settled = at - self._since > _COARSEST
        return before.files != self._seen.files

    def _stands(self) -> bool:
        """One call of the system for a file or folder; to list a folder takes five."""
        try:
            for path, time, size, number in self._there:
                found = os.stat(path)  # noqa: PTH116 -- see `_entry`
                if found.st_mtime_ns != time or found.st_size != size or found.st_ino != number:
                    return False
        except OSError:
            return False
        return True


def snapshot(folder: str, others: Iterable[str]) -> Snapshot:
    """Of all files below `folder`, and the single files `others`."""
    folders: list[Entry] = []
    files = list(_below(folder, folders))
    for path in others:
        files.append(found := _entry(path))
        if not found[3]:
            folders.append(_above(path))
    return Snapshot(tuple(files), tuple(dict.fromkeys(folders)))


def _below(folder: str, folders: list[Entry]) -> Iterator[Entry]:
    folders.append(_entry(folder))
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name in _FOREIGN:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, folders)
        else:
            yield _entry(entry.path)


def _above(absent: str) -> Entry:
    """The nearest folder that is there: the first to change when this path comes to be."""
    folder, _, name = absent.rpartition("/")
    found = _entry(folder or "/")
    return found if found[3] or not name else _above(folder)


def _entry(path: str) -> Entry:
    try:
        found = os.stat(path)  # noqa: PTH116 -- before every request: pathlib takes four times as long
    except OSError:
        return path, 0, 0, 0
    return path, found.st_mtime_ns, found.st_size, found.st_ino
