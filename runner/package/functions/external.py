"""npm packages that are shipped as they are: native ones, and those that no bundler understands.

Each with all that it depends on, laid out so that Node finds the same versions as in the site.
What Lambda's runtime brings itself (`@aws-sdk/*`) is left to it.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from runner.errors import Problem, site_error
from runner.package.archive import Member

# Source: Lambda developer guide, "Building Lambda functions with Node.js", SDK versions.
_RUNTIMES_OWN = "@aws-sdk/"
_MODULES = "node_modules"
_PLATFORM = re.compile(r"(linux|darwin|win32).*(x64|arm64)")
# npm's word and ELF's number for a machine. Source: npm docs, "package.json", cpu; System V ABI.
_MACHINES = {"x86_64": ("x64", 62), "arm64": ("arm64", 183)}


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """Packages by name or pattern (`sharp`, `@img/*`) and the folder that Node looks from."""

    pattern: str
    folder: Path


def members(wanted: Iterable[Asked], *, architecture: str) -> dict[str, Member]:
    """The files of what is `wanted`, with all that it depends on.

    Raises JAM-FUNCTION-NATIVE for a package without a build for `architecture`, and
    JAM-FUNCTION-DEPENDENCIES for one that is not installed.
    """
    found = {
        asked: list(_matching(asked.pattern, asked.folder))
        for asked in sorted(wanted)
        if not asked.pattern.startswith(_RUNTIMES_OWN)
    }
    if missing := [asked.pattern for asked, names in found.items() if not names]:
        raise site_error(
            "JAM-FUNCTION-DEPENDENCIES",
            f"external packages are not installed: {', '.join(missing)}",
            hint="Add them to package.json, install, commit the lock file.",
        )
    layout = _Layout(architecture=architecture)
    layout.place_all((name, asked.folder) for asked, names in found.items() for name in names)
    if layout.problems:
        raise site_error(
            "JAM-FUNCTION-NATIVE",
            f"native packages have no build for Linux on {architecture}",
            hint="`npm install --os=linux --cpu=x64` (or arm64) installs one beside your own.",
            problems=tuple(layout.problems),
        )
    return layout.files()


def native(inputs: Mapping[str, Iterable[str]], root: Path) -> dict[str, set[Asked]]:
    """Of each function, the packages in its bundle that load a native module, as far as one sees.

    `inputs` are the files of each bundle, as paths from `root`.
    """
    judged: dict[Asked, bool] = {}
    found: dict[str, set[Asked]] = {}
    for function, paths in inputs.items():
        owners = {path: owner for path in paths if (owner := _owner(path, root))}
        for asked in set(owners.values()) - set(judged):
            judged[asked] = _is_native(asked.folder / _MODULES / asked.pattern)
        found[function] = {
            asked for path, asked in owners.items() if judged[asked] or path.endswith(".node")
        }
    return found


def _owner(path: str, root: Path) -> Asked | None:
    above, slash, rest = path.rpartition(f"{_MODULES}/")
    if not slash:
        return None
    name = "/".join(rest.split("/")[: 2 if rest.startswith("@") else 1])
    return Asked(name, Path(os.path.normpath(root / above)))


@dataclass(slots=True, kw_only=True)
class _Layout:
    """Packages by their place in the archive, `node_modules/a/node_modules/b`."""

    architecture: str
    problems: list[Problem] = field(default_factory=list)
    _placed: dict[str, Path] = field(default_factory=dict)

    def place_all(self, asked: Iterable[tuple[str, Path]]) -> None:
        """Breadth first: what the function itself asks for lies at the top, as in npm's layout."""
        waiting = deque((name, folder, "") for name, folder in dict.fromkeys(asked))
        while waiting:
            name, asking, parent = waiting.popleft()
            source = _find(name, asking)
            place = self._place(name, source, parent) if source else None
            if source and place and self._runs(source):
                self._placed[place] = source
                waiting += ((other, source, f"{place}/") for other in _needed(source))

    def _place(self, name: str, source: Path, parent: str) -> str | None:
        """Where a package goes that `parent` asks for; None if it finds it already.

        The function itself, whose parent is '', can have one of a name only: the first.
        """
        seen = self._seen_from(parent, name)
        if seen is None:
            return f"{_MODULES}/{name}"
        return f"{parent}{_MODULES}/{name}" if parent and self._placed[seen] != source else None

    def files(self) -> dict[str, Member]:
        return {
            f"{place}/{path}": member
            for place, source in sorted(self._placed.items())
            for path, member in _files(source)
        }

    def _seen_from(self, parent: str, name: str) -> str | None:
        """The place where Node, in `parent`, finds a package of this name, if there is one."""
        above = parent
        while True:
            if f"{above}{_MODULES}/{name}" in self._placed:
                return f"{above}{_MODULES}/{name}"
            if not above:
                return None
            above = above[: above.rindex(f"{_MODULES}/")]

    def _runs(self, source: Path) -> bool:
        """False for another platform's variant; a problem if binaries are of other machines."""
        cpu, machine = _MACHINES[self.architecture]
        package = _package(source)
        if not (_allows(package.get("os"), "linux") and _allows(package.get("cpu"), cpu)):
            return False
        if not _allows(package.get("libc"), "glibc"):  # Amazon Linux's
            return False
        binaries = [file for _, file in _walk(source) if file.suffix == ".node"]
        built = not binaries or machine in map(_machine, binaries)
        variants = [name for name in _variants(package) if "linux" in name and cpu in name]
        if not built or (variants and not any(_find(name, source) for name in variants)):
            message = f"is not built for Linux on {self.architecture}"
            self.problems.append(Problem(where=source.name, message=message))
        return True


def _is_native(source: Path) -> bool:
    built = ("binding.gyp", "prebuilds", "build/Release")
    return any((source / name).exists() for name in built) or bool(_variants(_package(source)))


def _variants(package: Mapping[str, Any]) -> list[str]:
    """Packages of which npm installs the one for its platform; Lambda has glibc, not musl."""
    names = package.get("optionalDependencies", {})
    return [name for name in names if _PLATFORM.search(name) and "musl" not in name]


def _matching(pattern: str, folder: Path) -> Iterator[str]:
    if "*" not in pattern:
        yield from [pattern] if _find(pattern, folder) else []
        return
    scope, _, _ = pattern.rpartition("/")
    for above in (folder, *folder.parents):
        there = above / _MODULES / scope
        names = sorted(path.name for path in there.iterdir()) if there.is_dir() else []
        found = [f"{scope}/{name}" if scope else name for name in names]
        if matching := [name for name in found if fnmatchcase(name, pattern)]:
            yield from matching
            return


def _find(name: str, folder: Path) -> Path | None:
    """The package's real folder: pnpm links to it, and its dependencies lie beside the real one."""
    for above in (folder, *folder.parents):
        if (above / _MODULES / name / "package.json").is_file():
            return (above / _MODULES / name).resolve()
    return None


def _needed(source: Path) -> list[str]:
    kinds = ("dependencies", "optionalDependencies", "peerDependencies")
    return sorted({name for kind in kinds for name in _package(source).get(kind, {})})


def _package(source: Path) -> Mapping[str, Any]:
    try:
        read = json.loads((source / "package.json").read_bytes())
    except (OSError, ValueError):
        return {}  # whoever needs it says so
    return read if isinstance(read, dict) else {}


def _allows(values: object, wanted: str) -> bool:
    """npm's rule for `os`, `cpu` and `libc`: a list of names, or of `!name`."""
    if not isinstance(values, list) or not values:
        return True
    refused = {str(value)[1:] for value in values if str(value).startswith("!")}
    allowed = {str(value) for value in values if not str(value).startswith("!")}
    return wanted not in refused and (not allowed or wanted in allowed)


def _machine(file: Path) -> int:
    """The machine of an ELF binary; 0 for any other file."""
    with file.open("rb") as opened:
        head = opened.read(20)
    return int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" else 0


def _walk(source: Path) -> Iterator[tuple[str, Path]]:
    for above, folders, names in os.walk(source):
        folders[:] = sorted(folder for folder in folders if folder != _MODULES)
        for name in sorted(names):
            file = Path(above) / name
            yield file.relative_to(source).as_posix(), file


def _files(source: Path) -> Iterator[tuple[str, Member]]:
    for path, file in _walk(source):
        if not path.endswith((".d.ts", ".d.mts", ".d.cts", ".map")):
            yield path, (file.read_bytes(), bool(file.stat().st_mode & 0o100))
