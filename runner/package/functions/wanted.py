"""What a list of requirements asks for, as one flat list in which every path is absolute.

Of requirements.txt with all that it includes, and of the dependencies in a pyproject.toml.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runner.errors import JamError, Problem, site_error

_INCLUDE = re.compile(r"^(?:-r|--requirements?)[ =]\s*(\S+)")
_BESIDE = re.compile(r"^(-c|--constraints?|-f|--find-links)[ =]\s*(\S+)")
_EDITABLE = re.compile(r"^(?:-e|--editable)[ =]\s*")
_NAMED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?\s*@\s*(\S+)")
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;#\\]*)")
_LEFT_OUT = frozenset({".git", ".venv", "__pycache__", "node_modules", "build", "dist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its text, and the folder of the local package that it names, if it names one."""

    text: str
    local: Path | None = None


def lines(file: Path) -> list[Line]:
    """The lines of a requirements.txt or a pyproject.toml."""
    if file.name != "pyproject.toml":
        return list(_lines(file.read_text(encoding="utf-8", errors="replace"), file, above=()))
    return list(_of_project(file))


def exported(text: str, file: Path) -> list[Line]:
    """The lines that uv wrote for the lock file `file`."""
    return list(_lines(text, file, above=()))


def unpinned(found: Iterable[Line]) -> list[str]:
    """The names whose version another day may decide otherwise."""
    names = []
    for line in found:
        elsewhere = line.local or "://" in line.text
        named = None if elsewhere else _NAME.match(line.text)
        if named and not re.search(r"===?\s*[^*,\s]+\s*$", named[2]):
            names.append(named[1])
    return sorted(set(names), key=str.lower)


def digest(folder: Path) -> str:
    """Over the names and contents of a local package's files."""
    found = hashlib.sha256()
    for path in files(folder):
        content = hashlib.sha256((folder / path).read_bytes()).hexdigest()
        found.update(f"{path}\0{content}\n".encode())
    return found.hexdigest()


def files(folder: Path) -> list[str]:
    """A local package's own files, without what tools leave in its folder."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and not _LEFT_OUT & set(path.relative_to(folder).parts)
        and not path.parent.name.endswith(".egg-info")
    )


def _lines(text: str, file: Path, *, above: tuple[Path, ...]) -> Iterator[Line]:
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if included := _INCLUDE.match(line):
            other = (file.parent / included[1]).resolve()
            inner = _text(other)
            if inner is None:
                message = f"there is no {included[1]} that may be read"
                raise _unreadable(file, number, message=message)
            if other not in above:
                yield from _lines(inner, other, above=(*above, other))
        elif (beside := _BESIDE.match(line)) and "://" not in beside[2]:
            yield Line(text=f"{beside[1]} {(file.parent / beside[2]).resolve()}")
        elif line and not line.startswith("#"):
            yield _line(line, file.parent)


def _text(file: Path) -> str | None:
    """None where there is no such file, or nobody lets us read it: a list may name any path."""
    try:
        found = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    except OSError:
        return None
    return found


def _line(text: str, folder: Path) -> Line:
    plain = _EDITABLE.sub("", text)
    named = _NAMED.match(plain)
    word, _, rest = (named[1] if named else plain).partition(" ")
    path = _path(word, folder)
    if path is None:
        return Line(text=text)
    if os.path.isdir(path):  # noqa: PTH112 -- pathlib raises where others' folders are closed
        return Line(text=str(path), local=path)
    return Line(text=f"{path.as_uri()} {rest}".rstrip())


def _path(word: str, folder: Path) -> Path | None:
    """What a word means as a path; None if it is a name or an address."""
    if word.startswith("file:"):
        return Path(unquote(urlsplit(word).path)).resolve()
    word = word.partition("[")[0]
    local = word.startswith((".", "/")) or ("/" in word and "://" not in word)
    return (folder / word).resolve() if local else None


def _of_project(file: Path) -> Iterator[Line]:
    told = _toml(file)
    project, tool = told.get("project", {}), told.get("tool", {})
    if "dependencies" not in project and set(_poetrys(tool)) - {"python"}:
        raise site_error(
            "JAM-FUNCTION-DEPENDENCIES",
            f"{file.parent.name}/{file.name} names its packages for Poetry alone",
            hint="Name them under [project] dependencies, or write a requirements.txt beside it.",
        )
    sources = {_plain(name): one for name, one in tool.get("uv", {}).get("sources", {}).items()}
    for text in project.get("dependencies", ()):
        named = _NAME.match(text)
        yield _from_source(text, sources.get(_plain(named[1])) if named else None, file)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8", errors="replace"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))  # its `lineno` is new in Python 3.14
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise _unreadable(file, int(place[1]) if place else 1, message=message) from None


def _unreadable(file: Path, line: int, *, message: str) -> JamError:
    return site_error(
        "JAM-FUNCTION-DEPENDENCIES",
        "a list of Python packages cannot be read",
        hint="Correct the line, or take the file away if no function needs it.",
        problems=(Problem(where=f"{file.parent.name}/{file.name}:{line}", message=message),),
    )


def _from_source(text: str, source: Any, file: Path) -> Line:
    if source is None or "index" in source:
        return Line(text=text)
    if "path" in source:
        return _line(str((file.parent / source["path"]).resolve()), file.parent)
    name = re.split(r"[^A-Za-z0-9._-]", text)[0]
    if "url" in source:
        return Line(text=f"{name} @ {source['url']}")
    raise site_error(
        "JAM-FUNCTION-DEPENDENCIES",
        "a package comes from where only a lock file can tell",
        hint="Run `uv lock` and commit uv.lock.",
        problems=(Problem(where=f"{file.parent.name}/{file.name}", message=name),),
    )


def _poetrys(tool: Any) -> dict[str, Any]:
    found: dict[str, Any] = tool.get("poetry", {}).get("dependencies", {})
    return found


def _plain(name: str) -> str:
    """Names of packages are equal in this form. Source: PyPA, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()
