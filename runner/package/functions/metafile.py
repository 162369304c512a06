"""What esbuild's metafile says of a call: which files each entry was made of, what it left outside.

Pure but for reading that one file. Format: esbuild's documentation, "API", Metafile.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import msgspec

_PACKAGES = "node_modules/"


@dataclass(frozen=True, slots=True, order=True)
class Outside:
    """An import that is no part of the bundle, and the folder, from the root, that it is in."""

    specifier: str
    folder: str
    required: bool  # by `require`, not by `import`

    @property
    def package(self) -> str:
        """The name of the package that it names."""
        return package_of(self.specifier)


@cache
def package_of(specifier: str) -> str:
    """`@a/b` of `@a/b/c`, `a` of `a/b`."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


class _Import(msgspec.Struct, frozen=True):
    path: str
    kind: str
    external: bool = False


class _Input(msgspec.Struct, frozen=True):
    bytes: int
    imports: tuple[_Import, ...]


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    entry_point: str = ""


class _Metafile(msgspec.Struct, frozen=True):
    inputs: dict[str, _Input]
    outputs: dict[str, _Output]


_DECODER = msgspec.json.Decoder(_Metafile)


@dataclass(frozen=True, slots=True)
class Ours:
    """Which of the files are no part of the site: `files`, and all in the folder `scratch`."""

    root: Path
    scratch: Path
    files: frozenset[str]

    def has(self, path: str | Path) -> bool:
        """Asked of every file that esbuild read: as text, which takes a tenth of the time."""
        plain = os.path.normpath(os.path.join(self.root, path))  # noqa: PTH118 -- see above
        return plain in self.files or plain.startswith(f"{self.scratch}{os.sep}")


class Graph:
    """Who imports what, of all the entries of a call: looked through once, walked by each.

    What lies below a package's file is the same for every entry, and is walked once.
    """

    def __init__(self, metafile: Path, ours: Ours) -> None:
        told = _DECODER.decode(metafile.read_bytes())
        self._starts = {
            Path(name).name: output.entry_point for name, output in told.outputs.items()
        }
        self._bytes = {path: each.bytes for path, each in told.inputs.items()}
        self._sites = {path for path in told.inputs if not ours.has(path)}
        self._imports = {
            path: [one.path for one in each.imports if one.path in told.inputs and not one.external]
            for path, each in told.inputs.items()
        }
        outside = {path: _outside(path, each.imports) for path, each in told.inputs.items()}
        self._outside = {path: left for path, left in outside.items() if left}
        self._packages: dict[str, set[str]] = {}

    def below(self, output: str) -> tuple[tuple[str, ...], tuple[Outside, ...]]:
        """Every file of the site's that was read for `output`, a name, and what they left out."""
        seen = self._below(self._starts[output])
        left = map(self._outside.__getitem__, seen & self._outside.keys())
        return tuple(sorted(seen & self._sites)), tuple(sorted(set(chain.from_iterable(left))))

    def size(self, inputs: Iterable[str]) -> int:
        """How many bytes were read of them."""
        return sum(map(self._bytes.__getitem__, inputs))

    def _below(self, start: str) -> set[str]:
        seen, open_ends = {start}, [start]
        while open_ends:
            for path in self._imports[open_ends.pop()]:
                if path in seen:
                    continue
                if _PACKAGES in path and _PACKAGES not in start:
                    seen |= self._package(path)
                else:
                    seen.add(path)
                    open_ends.append(path)
        return seen

    def _package(self, path: str) -> set[str]:
        if path not in self._packages:
            self._packages[path] = self._below(path)
        return self._packages[path]


def _outside(path: str, imports: Iterable[_Import]) -> tuple[Outside, ...]:
    folder = path.rpartition("/")[0]
    return tuple(
        Outside(one.path, folder, one.kind.startswith("require"))
        for one in imports
        if one.external and not one.path.startswith("node:")
    )
