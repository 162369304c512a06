"""Remembers bundles between runs; a function is bundled again when anything that it read changed.

Goes by content, never by time: a fresh checkout has new times on old files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from runner.package.functions.esbuild import ADAPTER, Bundle, Entry, Options, Shape

# Files above a function that decide how imports are resolved, without being imported themselves:
# settings that esbuild reads, and what npm, pnpm and yarn noted of their last installation. Of the
# folders above each file that was read it is package.json.
_PACKAGE = "package.json"
_SETTINGS = (
    _PACKAGE,
    "tsconfig.json",
    "jsconfig.json",
    "node_modules/.package-lock.json",
    "node_modules/.modules.yaml",
    "node_modules/.yarn-integrity",
    "node_modules/.yarn-state.yml",
)


class Bundles:
    """The bundles of one site, one record a function, in `folder`."""

    def __init__(self, folder: Path, *, root: Path, version: str) -> None:
        self._folder = folder
        self._root = root
        self._tool = f"{version} {_sha(ADAPTER.read_bytes())}"
        self._seen: dict[Path, str] = {}

    def get(self, entry: Entry, options: Options) -> Bundle | None:
        """What is remembered, if all that it was made of is unchanged."""
        stem = self._stem(entry)
        try:
            record = json.loads(stem.with_suffix(".json").read_bytes())
            code = stem.with_suffix(".code").read_bytes()
            source_map = stem.with_suffix(".map").read_bytes()
            current = record["code"] == _sha(code) and record["map"] == _sha(source_map)
            if not current or record["made_of"] != self._made_of(entry, options, record["inputs"]):
                return None
            shape, inputs = Shape(record["shape"]), tuple(record["inputs"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # never made, or torn by a killed run: made again
        return Bundle(shape=shape, code=code, map=source_map, inputs=inputs)

    def put(self, entry: Entry, options: Options, *, bundle: Bundle) -> None:
        stem = self._stem(entry)
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix(".code").write_bytes(bundle.code)
        stem.with_suffix(".map").write_bytes(bundle.map)
        record = {
            "code": _sha(bundle.code),
            "map": _sha(bundle.map),
            "shape": bundle.shape,
            "inputs": bundle.inputs,
            "made_of": self._made_of(entry, options, bundle.inputs),
        }
        stem.with_suffix(".json").write_text(json.dumps(record))

    def _stem(self, entry: Entry) -> Path:
        return self._folder / _sha(entry.path.encode())[:32]

    def _made_of(self, entry: Entry, options: Options, inputs: Iterable[str]) -> str:
        """The digest of tool, flags, files, and names beside the files: `a.ts` shadows `a.js`."""
        inputs = sorted(inputs)
        folders = {(self._root / path).parent for path in inputs if "node_modules/" not in path}
        around = PurePosixPath(entry.path).parents
        above = {str(parent) for path in inputs for parent in PurePosixPath(path).parents}
        parts: list[Any] = [self._tool, entry.path, entry.adapted, asdict(options)]
        parts += [[path, self._digest(self._root / path)] for path in inputs]
        parts += [self._names(folder) for folder in sorted(folders)]
        parts += [self._digest(self._root / parent / _PACKAGE) for parent in sorted(above)]
        parts += [self._digest(self._root / up / name) for up in around for name in _SETTINGS]
        return _sha(json.dumps(parts).encode())

    def _digest(self, path: Path) -> str:
        if path not in self._seen:
            try:
                self._seen[path] = _sha(path.read_bytes())
            except OSError:
                self._seen[path] = ""
        return self._seen[path]

    def _names(self, folder: Path) -> str:
        if folder not in self._seen:
            names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
            self._seen[folder] = _sha("\0".join(names).encode("utf-8", "surrogateescape"))
        return self._seen[folder]


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
