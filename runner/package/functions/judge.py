"""Which npm packages cannot go into a bundle: native ones, and those bound to their own folder.

Reads files of packages and runs none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODULES = "node_modules"
_PLATFORM = re.compile(r"(linux|darwin|win32).*(x64|arm64)")
# Where a file lies is another place in a bundle: what is read from beside it would be missing.
_BOUND = re.compile(
    rb"\b__dirname\b|\b__filename\b|\bimport\.meta\.(?:url|dirname|filename|resolve)\b"
)


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """Packages by name or pattern (`sharp`, `@img/*`) and the folder that Node looks from."""

    pattern: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Looks at each package and each file once."""

    root: Path
    _owners: dict[str, Asked | None] = field(default_factory=dict)
    _packages: dict[Asked, bool] = field(default_factory=dict)
    _native: dict[str, str] = field(default_factory=dict)  # by file: its package's name, or ''
    _bound: dict[str, str] = field(default_factory=dict)

    def owner(self, path: str) -> Asked | None:
        """The package that a file, told from the root, belongs to; None for the site's own."""
        if path not in self._owners:
            self._owners[path] = _owner(path, self.root)
        return self._owners[path]

    def names(self, paths: Iterable[str]) -> set[str]:
        """The packages of these files."""
        return {owner.pattern for path in paths if (owner := self.owner(path))}

    def native(self, paths: Iterable[str]) -> set[str]:
        """Those that load a native module, as far as one sees."""
        return self._named(paths, self._native, judge=self._is_native)

    def bound(self, paths: Iterable[str]) -> set[str]:
        """Those that look at where they lie."""
        return self._named(paths, self._bound, judge=self._is_bound)

    def _is_native(self, path: str, owner: Asked) -> bool:
        if owner not in self._packages:
            self._packages[owner] = is_native(owner.folder / MODULES / owner.pattern)
        return self._packages[owner] or path.endswith(".node")

    def _is_bound(self, path: str, _owner: Asked) -> bool:
        return bool(_BOUND.search((self.root / path).read_bytes()))

    def _named(
        self,
        paths: Iterable[str],
        known: dict[str, str],
        *,
        judge: Callable[[str, Asked], bool],
    ) -> set[str]:
        """The packages of the files that `judge` is true of; each file is judged once."""
        listed = list(paths)
        for path in listed:
            if path not in known:
                owner = self.owner(path)
                known[path] = owner.pattern if owner and judge(path, owner) else ""
        return {known[path] for path in listed} - {""}


def declared(asked: Asked) -> set[str]:
    """What a package cannot do without, by its own word."""
    told = manifest(asked.folder / MODULES / asked.pattern)
    return set(told.get("dependencies", {})) - set(told.get("optionalDependencies", {}))


def is_native(package: Path) -> bool:
    """Whether a package builds a native module, brings one, or has one for each platform."""
    built = ("binding.gyp", "prebuilds", "build/Release")
    return any((package / name).exists() for name in built) or bool(variants(package))


def variants(package: Path) -> dict[str, str]:
    """Packages, with their versions, of which npm installs the one for its platform.

    Lambda has glibc, not musl.
    """
    names: Mapping[str, str] = manifest(package).get("optionalDependencies", {})
    return {
        name: version
        for name, version in names.items()
        if _PLATFORM.search(name) and "musl" not in name
    }


def manifest(package: Path) -> Mapping[str, Any]:
    """A package's package.json; empty if there is none."""
    try:
        read = json.loads((package / "package.json").read_bytes())
    except (OSError, ValueError):
        return {}  # whoever needs it says so
    return read if isinstance(read, dict) else {}


def _owner(path: str, root: Path) -> Asked | None:
    above, slash, rest = path.rpartition(f"{MODULES}/")
    if not slash:
        return None
    name = "/".join(rest.split("/")[: 2 if rest.startswith("@") else 1])
    return Asked(name, Path(os.path.normpath(root / above)))
