"""The content store: bytes under their own digest, written once, so that nobody can swap them.

`<store>/<aa>/<sha256>`, mode 0600. A file appears by rename, whole or not at all; what is there is
never written again. Judges nothing that it stores.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import busy_error

CHUNK = 1 << 20  # bytes: larger files are hashed while they are copied
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes with this digest lie, if they do: a `Path` for each of a hundred thousand
    files took 45 MB."""

    store: str
    digest: str

    def __fspath__(self) -> str:
        return f"{self.store}/{self.digest[:2]}/{self.digest}"

    def read_bytes(self) -> bytes:
        return Path(self).read_bytes()


def keep(store: Path, data: bytes, *, digest: str) -> Place:
    """Stores `data`, whose sha256 in hex is `digest`; where it lies now."""
    place = place_of(store, digest)
    if not has(store, digest):
        with _room(store):
            _settle(_write(store, [data]), place)
    return place


def has(store: Path, digest: str) -> bool:
    """Whether bytes with this digest are stored already."""
    try:
        status = os.lstat(f"{store}/{digest[:2]}/{digest}")  # a path's parts take longer than this
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode)  # a link may have been checked out, to anywhere


def keep_stream(store: Path, chunks: Iterable[bytes]) -> tuple[str, Place, int]:
    """Stores what `chunks` bring; digest, place and how many bytes they were."""
    digest, size = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            yield chunk

    with _room(store):
        temporary = _write(store, counted())
        place = place_of(store, digest.hexdigest())
        _settle(temporary, place)
    return digest.hexdigest(), place, size


def place_of(store: Path, digest: str) -> Place:
    """One text for all of a store: `str` of a path is kept with it."""
    return Place(str(store), digest)


def _write(store: Path, chunks: Iterable[bytes]) -> str:
    """A new file's path: a text, for ten thousand of them cost more as `Path`s than their bytes."""
    temporary = f"{store}/.{secrets.token_hex(8)}"
    try:
        descriptor = os.open(temporary, _NEW, 0o600)
    except FileNotFoundError:
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, _NEW, 0o600)
    try:
        for chunk in chunks:
            _write_all(descriptor, chunk)
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108 -- see above
        raise
    finally:
        os.close(descriptor)
    return temporary


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):  # hardly ever: a disk is full then, and the next write says so
        written += os.write(descriptor, memoryview(data)[written:])


def _settle(temporary: str, place: Place) -> None:
    try:
        os.rename(temporary, place)  # noqa: PTH104 -- see `_write`
    except FileNotFoundError:
        Path(place).parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(temporary, place)  # noqa: PTH104 -- the same


@contextmanager
def _room(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise busy_error(
            "JAM-DISK-FULL",
            f"There is no room left for a copy of the site in {store}: {error.strerror}.",
            hint="free some space there, or point TMPDIR to a larger disk, and run again",
        ) from error
