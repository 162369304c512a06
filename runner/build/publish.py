"""Reads the publish folder into the content store: every byte once, never again from the folder.

Refuses by name whatever is no regular file of the site's own, and what must not be published; all
problems at once. A process that the build left behind can change the folder, not the copy.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from runner.build import store as content_store
from runner.build.secrets import SCANNED, credentials
from runner.build.survey import FOLDER, Entry, Limits, Survey, matches, opened, survey
from runner.errors import Problem, site_error
from runner.model import Source

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# Copies that hold an allowed credential lie apart: being in the store itself means searched and
# found clean, so that a second deploy need not search what it has.
_ALLOWED = "allowed"
_LISTED = 100  # problems shown of one kind
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file of the publish folder: its path in it, its sha256 in hex, its size, and our copy."""

    path: str
    digest: str
    size: int
    source: Source = field(compare=False)

    @property
    def hidden(self) -> bool:
        """Whether it stays unpublished, as on Netlify: dotfiles do, `.well-known/` does not.

        Bundlers leave their manifests there (`.vite/manifest.json`), so they are read all the same.
        """
        first, *rest = self.path.split("/")
        dotted = (part for part in rest) if first == ".well-known" else (first, *rest)
        return any(part.startswith(".") for part in dotted)


def read(
    folder: Path,
    store: Path,
    *,
    allow: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Found, ...]:
    """Every file below `folder`, sorted by path, with its bytes copied to `store`.

    `allow` are globs of files that may look like secrets; `left_out` (see `beside_the_site`) are
    not looked at. Raises JAM-UNSAFE-FILE, JAM-SECRET-FILE, JAM-SITE-TOO-LARGE or JAM-DISK-FULL.
    """
    listed = survey(folder, allow=allow, left_out=left_out, limits=limits)
    _refuse(listed)
    found: list[Found] = []
    with opened(folder) as root:
        for parents, entries in groupby(listed.entries, key=lambda entry: entry.folder):
            with _folder(root, parents) as descriptor:
                for entry in entries:
                    found += _take(descriptor, entry, store=store, allow=allow, listed=listed)
    _refuse(listed)
    return tuple(sorted(found, key=lambda it: it.path))


def beside_the_site(folder: Path, root: Path, functions: str) -> tuple[str, ...]:
    """What lies in the publish folder without being the site's: globs for `left_out`.

    The functions' own folder, and when the whole repository is published (plain HTML) whatever
    belongs to the repository: its dotfiles are no sign that a build copied something private.
    """
    code, real = (root / functions).resolve(), folder.resolve()
    inside = code != real and code.is_relative_to(real)
    names = [code.relative_to(real).as_posix()] if inside else []
    if real == root.resolve():
        dotted = (it.name for it in real.iterdir() if it.name.startswith("."))
        names += [name for name in dotted if name != ".well-known"]
        names += ["node_modules", "jam.toml", "package.json", "package-lock.json"]
    return tuple(glob.escape(name) for name in names)


def _take(
    descriptor: int, entry: Entry, *, store: Path, allow: tuple[str, ...], listed: Survey
) -> Iterator[Found]:
    """The file's copy, unless it is not what the walk saw or holds a credential."""
    try:
        opened_file = os.open(entry.name, _FILE, dir_fd=descriptor)
    except OSError as error:
        listed.unsafe.append(Problem(where=entry.path, message=f"cannot be read: {error.strerror}"))
        return
    try:
        status = os.fstat(opened_file)
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) != entry.inode:
            listed.unsafe.append(Problem(where=entry.path, message="changed while it was read"))
            return
        if entry.size > SCANNED:
            digest, source, size = content_store.keep_stream(store, _chunks(opened_file))
            yield Found(path=entry.path, digest=digest, size=size, source=source)
            return
        data = _whole(opened_file, entry.size)
    finally:
        os.close(opened_file)
    digest = hashlib.sha256(data).hexdigest()
    if content_store.has(store, digest):
        source = content_store.place_of(store, digest)
        yield Found(path=entry.path, digest=digest, size=len(data), source=source)
        return
    if kinds := credentials(data):
        if not matches(entry.path, allow):
            listed.secret.append(Problem(where=entry.path, message=f"contains {', '.join(kinds)}"))
            return
        store = store / _ALLOWED
    source = content_store.keep(store, data, digest=digest)
    yield Found(path=entry.path, digest=digest, size=len(data), source=source)


def _whole(descriptor: int, size: int) -> bytes:
    """All bytes; one read for almost every file, as the walk knows the size."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    return b"".join([data, *_chunks(descriptor)])


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, content_store.CHUNK):
        yield chunk


@contextmanager
def _folder(root: int, parents: tuple[str, ...]) -> Iterator[int]:
    """A folder below the root, opened one component after another, following no link."""
    descriptor = os.dup(root)
    try:
        for name in parents:
            outer = descriptor
            descriptor = _open_folder(outer, name)
            os.close(outer)
        yield descriptor
    finally:
        os.close(descriptor)


def _open_folder(parent: int, name: str) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except OSError as error:
        raise site_error(
            "JAM-UNSAFE-FILE",
            f"The folder {name} changed while it was read: {error.strerror}.",
            hint="a process of the build is still at work: let the build command wait for it",
        ) from error


def _refuse(listed: Survey) -> None:
    """Raises for what was noted so far: the unsafe first, because it may explain the rest."""
    if listed.unsafe:
        raise site_error(
            "JAM-UNSAFE-FILE",
            _counted(listed.unsafe, "is no plain file of its own", "are no plain files of its own"),
            hint="have the build copy files instead of linking them, with UTF-8 names",
            problems=tuple(sorted(listed.unsafe, key=str)[:_LISTED]),
        )
    if listed.secret:
        raise site_error(
            "JAM-SECRET-FILE",
            _counted(listed.secret, "must not be public", "must not be public"),
            hint="take it out of the build's output, and replace a credential that was ever "
            "published; a harmless one may be named in build.allow in jam.toml",
            problems=tuple(sorted(listed.secret, key=str)[:_LISTED]),
        )


def _counted(problems: list[Problem], one: str, many: str) -> str:
    if len(problems) == 1:
        return f"A file in the publish folder {one}."
    return f"{len(problems)} files in the publish folder {many}."
