"""The house of a build that runs as another user: a copy of the workspace, and nothing to steal.

Root makes it, and takes back what is to be kept when nobody lives there any more. The workspace
itself is never written to: a later step of the job finds in it what it had checked out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import JamError, Turn, site_error

# Where credentials lie in a workspace: actions/checkout keeps the job's token in `.git/config`,
# google-github-actions/auth an account's key. `.jam` is ours: none comes from a checkout.
# Sources: actions/checkout, README, `persist-credentials`; google-github-actions/auth, README.
_LEFT_BEHIND = (".git", ".jam")
_KEYS = "gha-creds-"
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS = stat.S_IRWXO
_CHUNK = 1 << 20


UID = 61001  # the Dockerfile's user; a container of an image needs no entry for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """The user who builds."""

    uid: int = UID
    gid: int = UID


@dataclass(frozen=True, slots=True)
class House:
    """`site` is the workspace's copy, `work` where packaging keeps what it makes."""

    top: Path

    @property
    def site(self) -> Path:
        return self.top / "site"

    @property
    def work(self) -> Path:
        return self.top / "work"

    @property
    def packages(self) -> Path:
        return self.top / "packages"

    @property
    def cache(self) -> Path:
        """Root's: what is run from here nobody can change."""
        return self.top / "cache"

    def variables(self) -> dict[str, str]:
        """Of the environment of who lives here."""
        name = "jam-build"
        return {
            "HOME": str(self.top / "home"),
            "TMPDIR": str(self.top / "tmp"),
            "USER": name,
            "LOGNAME": name,
        }


def furnished(
    workspace: Path, builder: Builder, *, above: Path | None = None, known_as: Path | None = None
) -> House:
    """A new house with a copy of `workspace`.

    The same place each time for what is `known_as` the same, by default the workspace: bundlers
    may write where they are into what they make.
    """
    name = hashlib.sha256(os.fsencode(known_as or workspace)).hexdigest()[:12]
    house = House((above or Path(tempfile.gettempdir())) / f"jam-build-{name}")
    leave(house)
    house.top.mkdir(mode=0o711)
    house.top.chmod(0o711)
    house.cache.mkdir(mode=0o755)
    for folder in (house.work, house.packages, house.top / "home", house.top / "tmp"):
        folder.mkdir(mode=0o700)
        os.chown(folder, builder.uid, builder.gid)
    copy(workspace, house.site, builder)
    return house


def leave(house: House) -> None:
    """Nothing of it stays; what stands in its place is not followed."""
    if house.top.is_symlink():
        house.top.unlink()
    shutil.rmtree(house.top, ignore_errors=True)


def copy(source: Path, target: Path, builder: Builder) -> None:
    """The tree as the builder's own, without credentials; links stay links, devices are left."""
    target.mkdir(mode=0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name in _LEFT_BEHIND or entry.name.startswith(_KEYS):
                continue
            there = target / entry.name
            if entry.is_symlink():
                there.symlink_to(Path(entry.path).readlink())
                os.lchown(there, builder.uid, builder.gid)
            elif entry.is_dir():
                copy(Path(entry.path), there, builder)
            elif entry.is_file():
                _copy_file(entry.path, there, builder)
    os.chown(target, builder.uid, builder.gid)


def _copy_file(source: str, target: Path, builder: Builder) -> None:
    with (
        open(source, "rb", opener=lambda path, _: os.open(path, _FILE)) as read,
        target.open("xb") as written,
    ):
        status = os.fstat(read.fileno())
        shutil.copyfileobj(read, written, _CHUNK)
        written.flush()
        os.fchmod(written.fileno(), stat.S_IMODE(status.st_mode) & 0o777 | 0o600)
        os.fchown(written.fileno(), builder.uid, builder.gid)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextmanager
def closed(folders: Iterable[Path]) -> Iterator[None]:
    """While it lasts only their owner and group reach what is in them: the builder is neither."""
    before: list[tuple[Path, int]] = []
    try:
        for folder in folders:
            before += _close(folder)
        yield
    finally:
        for folder, mode in reversed(before):
            with contextlib.suppress(OSError):
                folder.chmod(mode)


def _close(folder: Path) -> list[tuple[Path, int]]:
    """What it was, if it was open."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _OTHERS:
            folder.chmod(mode & ~_OTHERS)
    except OSError as error:
        raise open_error(f"{folder}: {error.strerror}") from error
    return [(folder, mode)] if mode & _OTHERS else []


def open_error(what: str) -> JamError:
    return JamError(
        "JAM-BUILD-APART",
        f"The build cannot be kept apart from the run's credentials: {what}",
        hint="Close it to other users on the runner's machine, or build in a step of its own "
        "before this one and set `install` and `command` to nothing.",
        turn=Turn.SITE,
    )


def take_back(work: Path, wanted: Iterable[tuple[Path, str]]) -> None:
    """Makes files below `work` root's, each with the sha256 in hex that was told of it.

    Nobody else may be alive who could write there. Raises JAM-UNSAFE-FILE.
    """
    taken: set[Path] = set()
    for file, digest in wanted:
        if file in taken:
            continue
        taken.add(file)
        if not file.is_relative_to(work) or ".." in file.parts:
            raise _not_as_told(file)
        for folder in reversed(file.relative_to(work).parents):
            _own_folder(work / folder, taken)
        _own_file(file, digest)


def _own_folder(folder: Path, taken: set[Path]) -> None:
    if folder in taken:
        return
    taken.add(folder)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise _not_as_told(folder)
    os.lchown(folder, 0, 0)
    folder.chmod(0o700)


def _own_file(file: Path, digest: str) -> None:
    try:
        descriptor = os.open(file, _FILE)
    except OSError as error:
        raise _not_as_told(file) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise _not_as_told(file)
        os.fchown(descriptor, 0, 0)
        os.fchmod(descriptor, 0o600)
        with open(descriptor, "rb", closefd=False) as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != digest:
                raise _not_as_told(file)
    finally:
        os.close(descriptor)


def _not_as_told(file: Path) -> JamError:
    return site_error(
        "JAM-UNSAFE-FILE",
        f"{file.name} is not what was packaged: something of the build has changed it.",
        hint="Look at what the install scripts of your packages do.",
    )
