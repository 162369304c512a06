"""Unpacks a function's code into an empty folder, and nothing outside of it.

An archive from elsewhere is judged whole before its first file is written. Needs no network.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from runner.errors import JamError, Problem, Turn, aws_error, site_error

# Source: Lambda developer guide, "Lambda quotas", "Deployment package size", unzipped.
LARGEST = 250 * 1024 * 1024  # bytes
_EXECUTABLE = 0o111


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """`links` are symbolic links of the archive: left out, because they may lead anywhere."""

    files: int
    bytes: int
    links: tuple[str, ...]


def check_folder(folder: Path) -> None:
    """Raises JAM-FOLDER-NOT-EMPTY unless `folder` is absent or an empty folder."""
    if folder.is_dir():
        if not any(folder.iterdir()):
            return
        wrong = "is not empty"
    elif folder.exists() or folder.is_symlink():
        wrong = "is no folder"
    else:
        return
    raise site_error(
        "JAM-FOLDER-NOT-EMPTY",
        f"{folder} {wrong}: nothing of yours is overwritten.",
        hint="Name a new or an empty folder.",
    )


def unpack(archive: bytes, folder: Path) -> Unpacked:
    """Writes the files of the zip into `folder`, which `check_folder` has passed.

    Raises JAM-CODE-UNSAFE, with every name that would lead elsewhere, and JAM-CODE-DAMAGED.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [each for each in opened.infolist() if not each.filename.endswith("/")]
            _check(entries)
            files = [each for each in entries if not _is_link(each)]
            folder.mkdir(parents=True, exist_ok=True)
            written = sum(_write(opened, each, folder=folder) for each in files)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise _damaged(error) from error
    links = tuple(each.filename for each in entries if _is_link(each))
    return Unpacked(files=len(files), bytes=written, links=links)


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, *, folder: Path) -> int:
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    content = opened.read(entry)
    target.write_bytes(content)
    if entry.external_attr >> 16 & _EXECUTABLE:
        target.chmod(0o755)
    return len(content)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    problems = [*_unsafe(entries), *_colliding(entries)]
    size = sum(entry.file_size for entry in entries)
    if size > LARGEST:
        told = f"unpacks to {size} bytes, more than Lambda takes ({LARGEST})"
        problems.append(Problem(where="the archive", message=told))
    if problems:
        raise JamError(
            "JAM-CODE-UNSAFE",
            "The function's code was not unpacked: it would not stay in its folder.",
            hint="Whoever uploaded it made the archive so; look at it before you run it.",
            turn=Turn.AWS,
            problems=tuple(problems),
        )


def _unsafe(entries: list[zipfile.ZipInfo]) -> list[Problem]:
    return [
        Problem(where=repr(entry.filename), message="leads out of the folder")
        for entry in entries
        if not _stays(entry.filename)
    ]


def _stays(name: str) -> bool:
    """Also on Windows, where a backslash separates and a colon names a drive or a stream."""
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    plain = "\\" not in name and ":" not in name and name.isprintable()
    return plain and not name.startswith("/") and ".." not in parts and bool(parts)


def _colliding(entries: list[zipfile.ZipInfo]) -> list[Problem]:
    """A name twice, also in other letters, or a file where another entry has a folder."""
    paths = [PurePosixPath(entry.filename.casefold()) for entry in entries]
    names = Counter(map(str, paths))
    folders = {str(parent) for path in paths for parent in path.parents}
    return [
        Problem(where=repr(name), message="is there more than once")
        for name, times in names.items()
        if times > 1 or name in folders
    ]


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _damaged(error: Exception) -> JamError:
    return aws_error(
        "JAM-CODE-DAMAGED",
        f"The function's code is no archive that can be unpacked: {error}",
        hint="Run again; if it stays so, the code was uploaded like that.",
    )
