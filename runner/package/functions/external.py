"""npm packages that are shipped as they are: native ones, and those that no bundler understands.

Each with all that it depends on, laid out so that Node finds the same versions as in the site.
What Lambda's runtime brings itself (`@aws-sdk/*`) is left to it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from runner.errors import Problem, site_error
from runner.package.archive import Member
from runner.package.functions.judge import MODULES, Asked, is_native, manifest, variants
from runner.package.functions.trace import Trace
from runner.package.functions.variants import CPUS, Variants

# Source: Lambda developer guide, "Building Lambda functions with Node.js", SDK versions.
_RUNTIMES_OWN = "@aws-sdk/"
# ELF's number for a machine. Source: System V ABI, processor supplements.
_MACHINES = {"x86_64": 62, "arm64": 183}
_PREBUILDS = "prebuilds/"
_UNUSED = (".d.ts", ".d.mts", ".d.cts", ".map")


def members(
    function: str,
    wanted: Iterable[Asked],
    *,
    traced: Iterable[Asked],
    trace: Trace,
    architecture: str,
    builds: Variants,
) -> dict[str, Member]:
    """The files of what `function` wants whole and of what is `traced`, with what they need.

    Raises JAM-FUNCTION-NATIVE for a package without a build for `architecture`, and
    JAM-FUNCTION-DEPENDENCIES for one that is not installed.
    """
    found = {
        asked: list(_matching(asked.pattern, asked.folder))
        for asked in sorted({*wanted, *traced})
        if not asked.pattern.startswith(_RUNTIMES_OWN)
    }
    if missing := [asked.pattern for asked, names in found.items() if not names]:
        raise site_error(
            "JAM-FUNCTION-DEPENDENCIES",
            f"external packages are not installed: {', '.join(missing)}",
            hint="Add them to package.json, install, commit the lock file.",
        )
    layout = _Layout(function=function, architecture=architecture, builds=builds, trace=trace)
    layout.whole |= {
        there
        for asked in wanted
        for name in found.get(asked, ())
        if (there := _find(name, asked.folder))
    }
    layout.place_all((name, asked.folder) for asked, names in found.items() for name in names)
    if layout.problems:
        raise site_error(
            "JAM-FUNCTION-NATIVE",
            f"native packages have no build for Linux on {architecture}",
            hint="Choose a version that has one, or the architecture that it is built for.",
            problems=tuple(layout.problems),
        )
    return layout.files()


@dataclass(slots=True, kw_only=True)
class _Layout:
    """Packages by their place in the archive, `node_modules/a/node_modules/b`."""

    function: str
    architecture: str
    builds: Variants
    trace: Trace
    whole: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _placed: dict[str, Path] = field(default_factory=dict)
    _fetched: dict[Path, Path] = field(default_factory=dict)

    def place_all(self, asked: Iterable[tuple[str, Path]]) -> None:
        """Breadth first: what the function itself asks for lies at the top, as in npm's layout."""
        waiting = deque((name, folder, "") for name, folder in dict.fromkeys(asked))
        while waiting:
            name, asking, parent = waiting.popleft()
            source = self._find(name, asking)
            place = self._place(name, source, parent) if source else None
            if source and place and self._runs(source):
                self._placed[place] = source
                waiting += ((other, source, f"{place}/") for other in self._needed(source))

    def files(self) -> dict[str, Member]:
        return {
            f"{place}/{path}": member
            for place, source in sorted(self._placed.items())
            for path, member in self._files(source)
        }

    def _find(self, name: str, folder: Path) -> Path | None:
        fetched = self._fetched.get(folder)
        return _find(name, folder) or (_find(name, fetched) if fetched else None)

    def _place(self, name: str, source: Path, parent: str) -> str | None:
        """Where a package goes that `parent` asks for; None if it finds it already.

        The function itself, whose parent is '', can have one of a name only: the first.
        """
        seen = self._seen_from(parent, name)
        if seen is None:
            return f"{MODULES}/{name}"
        return f"{parent}{MODULES}/{name}" if parent and self._placed[seen] != source else None

    def _seen_from(self, parent: str, name: str) -> str | None:
        """The place where Node, in `parent`, finds a package of this name, if there is one."""
        above = parent
        while True:
            if f"{above}{MODULES}/{name}" in self._placed:
                return f"{above}{MODULES}/{name}"
            if not above:
                return None
            above = above[: above.rindex(f"{MODULES}/")]

    def _needed(self, source: Path) -> list[str]:
        """What a package that is shipped whole declares; of a traced one, what it was seen to use.

        A native package is whole however it was come by: what it loads depends on the machine.
        """
        if source not in self.whole and not is_native(source) and source in self.trace.files:
            return sorted(self.trace.needs.get(source, ()))
        self.whole.add(source)
        kinds = ("dependencies", "optionalDependencies", "peerDependencies")
        names = sorted({name for kind in kinds for name in manifest(source).get(kind, {})})
        for name in names:
            if there := self._find(name, source):
                self.whole.add(there)
        return names

    def _files(self, source: Path) -> Iterator[tuple[str, Member]]:
        used = None if source in self.whole else self.trace.files.get(source)
        for path, file in _walk(source):
            wanted = used is None or path in used or path == "package.json"
            if wanted and not path.endswith(_UNUSED) and not self._foreign(path):
                yield path, (file.read_bytes(), bool(file.stat().st_mode & 0o100))

    def _foreign(self, path: str) -> bool:
        """Whether a file is a build for another machine, of those that a package brings along."""
        if not path.startswith(_PREBUILDS):
            return False
        platform = path.split("/")[1]
        return not ("linux" in platform and CPUS[self.architecture] in platform)

    def _runs(self, source: Path) -> bool:
        """False for another platform's variant; a problem if binaries are of other machines."""
        cpu, told = CPUS[self.architecture], manifest(source)
        if not (_allows(told.get("os"), "linux") and _allows(told.get("cpu"), cpu)):
            return False
        if not _allows(told.get("libc"), "glibc"):  # Amazon Linux's
            return False
        binaries = [path for path, _ in _walk(source) if path.endswith(".node")]
        machine = _MACHINES[self.architecture]
        if binaries and machine not in (_machine(source / path) for path in binaries):
            self._problem(source, f"{binaries[0]} is not built for Linux on {self.architecture}")
        missing = self._missing(source)
        if missing and not self._fetch(source, missing):
            names = ", ".join(sorted(missing))
            self._problem(source, f"is not built for Linux on {self.architecture}: no {names}")
        return True

    def _missing(self, source: Path) -> dict[str, str]:
        """The variants for the function's machine that are not installed."""
        cpu = CPUS[self.architecture]
        return {
            name: version
            for name, version in variants(source).items()
            if "linux" in name and cpu in name and not _find(name, source)
        }

    def _fetch(self, source: Path, missing: dict[str, str]) -> bool:
        folder = self.builds.folder(missing, self.architecture)
        if folder:
            self._fetched[source] = folder
        return folder is not None

    def _problem(self, source: Path, message: str) -> None:
        told = str(manifest(source).get("name", source.name))
        self.problems.append(Problem(where=self.function, message=f"{told}: {message}"))


def _matching(pattern: str, folder: Path) -> Iterator[str]:
    if "*" not in pattern:
        yield from [pattern] if _find(pattern, folder) else []
        return
    scope, _, _ = pattern.rpartition("/")
    for above in (folder, *folder.parents):
        there = above / MODULES / scope
        names = sorted(path.name for path in there.iterdir()) if there.is_dir() else []
        found = [f"{scope}/{name}" if scope else name for name in names]
        if matching := [name for name in found if fnmatchcase(name, pattern)]:
            yield from matching
            return


def _find(name: str, folder: Path) -> Path | None:
    """The package's real folder: pnpm links to it, and its dependencies lie beside the real one."""
    for above in (folder, *folder.parents):
        if (above / MODULES / name / "package.json").is_file():
            return (above / MODULES / name).resolve()
    return None


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
        folders[:] = sorted(folder for folder in folders if folder != MODULES)
        for name in sorted(names):
            file = Path(above) / name
            yield file.relative_to(source).as_posix(), file
