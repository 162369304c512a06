"""Walks the publish folder without following a link and lists what lies there.

Opens folders only, each through its parent's descriptor with O_NOFOLLOW, so that nothing swapped in
during the walk leads outside. Judges kinds, names and counts; reads no contents.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.build.secrets import forbidden_name
from runner.errors import JamError, Problem, site_error

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEPTH = 64  # folders: each open one costs a descriptor, of which a process may have 256 on macOS
_FILE, _FOLDER = "a file", "a folder"
_KINDS = {
    stat.S_IFREG: _FILE,
    stat.S_IFDIR: _FOLDER,
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a site may be; S3 takes at most 5 GB in one PUT (S3 user guide, "Uploading objects")."""

    files: int = 100_000
    file_bytes: int = 1 << 30
    total_bytes: int = 20 << 30


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file, as it was during the walk; `folder` and `name` are relative and decoded."""

    folder: tuple[str, ...]
    name: str
    inode: tuple[int, int]
    links: int
    size: int

    @property
    def path(self) -> str:
        return "/".join([*self.folder, self.name])


@dataclass(slots=True)
class Survey:
    """All regular files, and everything that is wrong, by error code."""

    entries: list[Entry] = field(default_factory=list)
    unsafe: list[Problem] = field(default_factory=list)
    secret: list[Problem] = field(default_factory=list)


def survey(
    folder: Path, *, allow: tuple[str, ...], left_out: tuple[str, ...], limits: Limits
) -> Survey:
    """Lists the files below `folder`; `allow` and `left_out` are globs over paths below it."""
    found = Survey()
    with opened(folder) as root:
        for entry in _walk(root, (), found, (allow, left_out)):
            found.entries.append(entry)
            if len(found.entries) > limits.files:
                raise too_large(
                    f"The publish folder holds more than {limits.files:,} files.",
                    "publish the build's output only; large collections belong in a bucket",
                )
    found.entries.sort(key=lambda entry: (entry.folder, entry.name))
    found.unsafe += _foreign_links(found.entries)
    _check_sizes(found.entries, limits)
    return found


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The publish folder itself, open; its last component must not be a link either."""
    try:
        descriptor = os.open(folder, FOLDER)
    except OSError as error:
        raise site_error(
            "JAM-PUBLISH",
            f"The publish folder {folder.name} cannot be opened: {error.strerror}.",
            hint="it must be a folder and no link to one; set build.publish in jam.toml",
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a glob names the path or a folder above it (`docs` also means `docs/*`)."""
    return any(
        fnmatch.fnmatchcase(path, it) or fnmatch.fnmatchcase(path, f"{it}/*") for it in globs
    )


Globs = tuple[tuple[str, ...], tuple[str, ...]]


def _walk(descriptor: int, folder: tuple[str, ...], found: Survey, globs: Globs) -> Iterator[Entry]:
    with os.scandir(descriptor) as listing:
        items = [_seen(folder, it) for it in listing]
    for kind, entry in items:
        if not _admitted(entry.path, entry.name, found, globs):
            continue
        if kind == _FOLDER:
            yield from _descend(descriptor, (*folder, entry.name), found, globs)
        elif kind == _FILE:
            yield entry
        else:
            found.unsafe.append(Problem(where=entry.path, message=f"is {kind}"))


def _seen(folder: tuple[str, ...], item: os.DirEntry[str]) -> tuple[str, Entry]:
    """Its kind, and what of its status is used: whole ones are most of what a walk would hold."""
    status = item.stat(follow_symlinks=False)
    entry = Entry(
        folder, item.name, (status.st_dev, status.st_ino), status.st_nlink, status.st_size
    )
    return _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file"), entry


def _admitted(path: str, name: str, found: Survey, globs: Globs) -> bool:
    """Whether to look at an entry at all; notes what its name gives away."""
    allow, left_out = globs
    if matches(path, left_out):
        return False
    if not _is_unicode(name):
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        found.unsafe.append(Problem(where=shown, message="has a name that is not UTF-8"))
        return False
    if (pattern := forbidden_name(name)) and not matches(path, allow):
        found.secret.append(Problem(where=path, message=f"is private by its name ({pattern})"))
        return False
    return True


def _descend(parent: int, folder: tuple[str, ...], found: Survey, globs: Globs) -> Iterator[Entry]:
    if len(folder) > DEPTH:
        path = "/".join(folder)
        found.unsafe.append(Problem(where=path, message=f"is more than {DEPTH} folders deep"))
        return
    try:
        descriptor = os.open(folder[-1], FOLDER, dir_fd=parent)
    except OSError as error:
        reason = f"cannot be opened: {error.strerror}"
        found.unsafe.append(Problem(where="/".join(folder), message=reason))
        return
    try:
        yield from _walk(descriptor, folder, found, globs)
    finally:
        os.close(descriptor)


def _foreign_links(entries: list[Entry]) -> list[Problem]:
    """Hard links with a name outside the folder: fewer names here than the file has in all.

    A build tool may link two outputs to each other, so a count above one is no fault by itself.
    """
    names = Counter(entry.inode for entry in entries if entry.links > 1)
    return [
        Problem(where=entry.path, message="is a hard link to a file outside the publish folder")
        for entry in entries
        if entry.links > 1 and names[entry.inode] < entry.links
    ]


def _check_sizes(entries: list[Entry], limits: Limits) -> None:
    large = [entry for entry in entries if entry.size > limits.file_bytes]
    if large:
        raise too_large(
            f"Files of the site are larger than {limits.file_bytes:,} bytes.",
            "serve large media from a bucket or a video service of its own",
            tuple(Problem(where=it.path, message=f"has {it.size:,} bytes") for it in large[:50]),
        )
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        raise too_large(
            f"The site has {total:,} bytes, more than {limits.total_bytes:,}.",
            "publish the build's output only; large collections belong in a bucket",
        )


def too_large(message: str, hint: str, problems: tuple[Problem, ...] = ()) -> JamError:
    """The error for a site beyond the limits, before a byte of it is read."""
    return site_error("JAM-SITE-TOO-LARGE", message, hint=hint, problems=problems)


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
