"""Which files of the functions folder are functions, and the route of each.

Reads names only, never a file's content. Everything wrong is told at once.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from runner.errors import Problem, site_error

ROUTES = "/.functions"


class Language(StrEnum):
    NODE = "node"
    PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One function as its author wrote it.

    `path` lies below the functions folder, with `/`; `name` is what it is called in settings,
    output and AWS's names (`notes/[id]`); `route` is `/.functions/notes/{id}`.
    """

    name: str
    route: str
    path: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The functions, and every file that may belong to one, as paths below the folder."""

    sources: tuple[Source, ...]
    files: tuple[str, ...]


_LANGUAGES = {
    ".js": Language.NODE,
    ".mjs": Language.NODE,
    ".cjs": Language.NODE,
    ".ts": Language.NODE,
    ".mts": Language.NODE,
    ".cts": Language.NODE,
    ".py": Language.PYTHON,
}
_FOREIGN = frozenset({"node_modules", "__pycache__"})
_LIBRARY = "lib"
# Tests, declarations, settings of tools: code beside functions, by the field's conventions.
_BESIDE = re.compile(r".\.(test|spec|config|d)\.[a-z]+$")
# What API Gateway takes in a path part; it names these characters itself when it refuses one.
# Source: API Gateway developer guide, "Amazon API Gateway important notes".
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# A parameter: `{id}`; greedy `{rest+}` must stand at the end of the route.
# Source: API Gateway developer guide, "Create routes for HTTP APIs in API Gateway".
_PARAMETER = re.compile(r"\[([A-Za-z_][A-Za-z0-9_]*)\]")
_GREEDY = re.compile(r"\[\.\.\.([A-Za-z_][A-Za-z0-9_]*)\]")
_LONGEST = 128  # characters of a name: a tag and a log line still hold it
_INDEX = "index"
_HINTS = {
    "JAM-FUNCTION-FILE": "Put the file itself there: what a link leads to may be anything.",
    "JAM-FUNCTION-NAME": "A file that is no function begins with `_` or lies in `lib/`.",
    "JAM-FUNCTION-CLASH": "A file that is no function begins with `_` or lies in `lib/`.",
}
_LINK = "is a symbolic link"


def discover(folder: Path, directory: str = "") -> Tree:
    """The functions below `folder`, by name; none if the folder does not exist.

    Raises JAM-FUNCTION-CLASH, JAM-FUNCTION-NAME or JAM-FUNCTION-FILE, with every problem found;
    they name files below `directory`, where the folder lies in the site.
    """
    faults: list[tuple[str, Problem]] = []
    if folder.is_symlink():
        faults.append(("JAM-FUNCTION-FILE", Problem(where=folder.name, message=_LINK)))
    files = tuple(_walk(folder, "", faults)) if folder.is_dir() and not faults else ()
    paths = [path for path in files if _is_function(path)]
    for path in paths:
        faults += (("JAM-FUNCTION-NAME", problem) for problem in _name_problems(path))
    sources = [] if faults else [_source(path) for path in paths]
    faults += (("JAM-FUNCTION-CLASH", problem) for problem in _clashes(sources, directory))
    if faults:
        raise site_error(
            faults[0][0],
            f"the folder {directory or folder.name} cannot be deployed as it is",
            hint=_HINTS[faults[0][0]],
            problems=tuple(placed(problem, directory) for _, problem in faults),
        )
    return Tree(sources=tuple(sorted(sources, key=lambda source: source.name)), files=files)


def placed(problem: Problem, directory: str) -> Problem:
    """A problem of a file in the functions folder, told from the site's root."""
    return replace(problem, where=f"{directory}/{problem.where}") if directory else problem


def _walk(folder: Path, below: str, faults: list[tuple[str, Problem]]) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{below}{entry.name}"
        if entry.name in _FOREIGN or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{path}/", faults)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            message = _LINK if entry.is_symlink() else "is no regular file"
            faults.append(("JAM-FUNCTION-FILE", Problem(where=path, message=message)))


def _is_function(path: str) -> bool:
    *folders, name = path.split("/")
    private = any(part == _LIBRARY or part.startswith("_") for part in folders)
    return (
        not private
        and not name.startswith("_")
        and not _BESIDE.search(name)
        and PurePosixPath(name).suffix in _LANGUAGES
    )


def _source(path: str) -> Source:
    name = _name(path)
    language = _LANGUAGES[PurePosixPath(path).suffix]
    return Source(name=name, route=route_of(name), path=path, language=language)


def route_of(name: str) -> str:
    """The route of the function of this name: `notes/[id]` answers at `/.functions/notes/{id}`."""
    return "/".join([ROUTES, *map(_routed, name.split("/"))])


def _name(path: str) -> str:
    """`a/b/index.js` is `a/b`; in the folder itself there is no name to inherit: `index`."""
    name = path.removesuffix(PurePosixPath(path).suffix)
    return name.removesuffix(f"/{_INDEX}")


def _routed(segment: str) -> str:
    if greedy := _GREEDY.fullmatch(segment):
        return f"{{{greedy[1]}+}}"
    if parameter := _PARAMETER.fullmatch(segment):
        return f"{{{parameter[1]}}}"
    return segment


def _name_problems(path: str) -> Iterator[Problem]:
    name = _name(path)
    segments = name.split("/")
    for segment in segments:
        if not any(rule.fullmatch(segment) for rule in (_PLAIN, _PARAMETER, _GREEDY)):
            yield Problem(
                where=path,
                message=f"{segment!r} is no part of a route",
                hint="Allowed: letters, digits, `.`, `_`, `-`; `[name]`; `[...name]`.",
            )
    if any(_GREEDY.fullmatch(segment) for segment in segments[:-1]):
        yield Problem(where=path, message="`[...name]` may only end a route")
    names = [_routed(segment).strip("{+}") for segment in segments if segment.startswith("[")]
    if len(names) != len(set(names)):
        yield Problem(where=path, message="two parameters of a route have the same name")
    if len(name) > _LONGEST:
        yield Problem(where=path, message=f"the name is longer than {_LONGEST} characters")


def _clashes(sources: list[Source], directory: str) -> Iterator[Problem]:
    """Two files for one route; `[id]` and `[slug]` at the same place match the same requests."""
    routes: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        routes[re.sub(r"\{\w+(\+?)\}", r"{\1}", source.route)].append(source)
    for same in routes.values():
        for other in same[1:]:
            path = (PurePosixPath(directory) / other.path).as_posix()
            yield Problem(
                where=same[0].path,
                message=f"answers at the same route as {path} ({other.route})",
                hint="Rename one of them.",
            )
