"""What an import that leads nowhere asks of the site's author. Reads package.json, runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from runner.errors import Problem
from runner.package.functions.judge import manifest
from runner.package.functions.metafile import package_of

UNRESOLVED = re.compile(r'Could not resolve "([^"]+)"')
_ALIASES = ("@/", "~", "#", "$")
_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def explained(problem: Problem, root: Path) -> Problem:
    """The problem with a hint, if it is about an import; `root` is the site's."""
    missing = UNRESOLVED.search(problem.message)
    if missing is None:
        return problem
    folder = root / PurePosixPath(problem.where.rpartition(":")[0]).parent
    return replace(problem, hint=_hint(missing[1], folder, root=root))


def _hint(specifier: str, folder: Path, *, root: Path) -> str:
    if specifier.startswith((".", "/")):
        return "no such file; the path counts from the file that names it"
    if specifier.startswith(_ALIASES):
        return "name the alias under `paths` of tsconfig.json or `imports` of package.json"
    package = package_of(specifier)
    if package in _named(folder, root):
        return f"package.json names {package}: run `npm install`, commit package-lock.json"
    return f"run `npm install {package}`, commit package.json and package-lock.json"


def _named(folder: Path, root: Path) -> Iterable[str]:
    """The packages that the nearest package.json asks for."""
    for above in (folder, *folder.parents):
        if (above / "package.json").is_file():
            told = manifest(above)
            return {name for kind in _KINDS for name in told.get(kind, {})}
        if above == root:
            break
    return ()
