"""Remembers bundles between runs; a function is bundled again when anything that it read changed.

Goes by content, never by time: a fresh checkout has new times on old files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from runner.package.functions.esbuild import ADAPTERS, Bundle, Entry, Options, Outside, Shape

# What npm, pnpm and yarn noted of their last installation, above a function.
_INSTALLED = (
    "node_modules/.package-lock.json",
    "node_modules/.modules.yaml",
    "node_modules/.yarn-integrity",
    "node_modules/.yarn-state.yml",
)
_SETTINGS = re.compile(r"[tj]sconfig.*\.json")


class Bundles:
    """The bundles of one site, one record a function, in `folder`."""

    def __init__(self, folder: Path, *, root: Path, version: str) -> None:
        self._folder = folder
        self._root = root
        self._tool = f"{version} {_sha(b''.join(each.read_bytes() for each in ADAPTERS))}"
        self._seen: dict[str, str] = {}
        self._listed: dict[str, tuple[str, ...]] = {}

    def get(self, entry: Entry, options: Options) -> Bundle | None:
        """What is remembered, if all that it was made of is unchanged."""
        stem = self._stem(entry, options)
        try:
            record = json.loads(stem.with_suffix(".json").read_bytes())
            code = stem.with_suffix(".code").read_bytes()
            source_map = stem.with_suffix(".map").read_bytes() if options.maps else b""
            current = record["code"] == _sha(code) and record["map"] == _sha(source_map)
            if not current or record["made_of"] != self._made_of(entry, options, record["inputs"]):
                return None
            return Bundle(
                shape=Shape(record["shape"]),
                code=code,
                map=source_map,
                inputs=tuple(record["inputs"]),
                outside=tuple(Outside(*one) for one in record["outside"]),
                native=tuple(record["native"]),
                traced=tuple(record["traced"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # never made, or torn by a killed run: made again

    def put(self, entry: Entry, options: Options, *, bundle: Bundle) -> None:
        stem = self._stem(entry, options)
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix(".code").write_bytes(bundle.code)
        if options.maps:
            stem.with_suffix(".map").write_bytes(bundle.map)
        record = {
            "code": _sha(bundle.code),
            "map": _sha(bundle.map),
            "shape": bundle.shape,
            "inputs": bundle.inputs,
            "outside": [[one.specifier, one.folder, one.required] for one in bundle.outside],
            "native": bundle.native,
            "traced": bundle.traced,
            "made_of": self._made_of(entry, options, bundle.inputs),
        }
        stem.with_suffix(".json").write_text(json.dumps(record))

    def _stem(self, entry: Entry, options: Options) -> Path:
        """One record for each set of options: `dev` and `deploy` take turns."""
        return self._folder / _sha(json.dumps([entry.path, _told(options)]).encode())[:32]

    def _made_of(self, entry: Entry, options: Options, inputs: Iterable[str]) -> str:
        """The digest of tool, flags, files, and of what decides where an import leads."""
        inputs = sorted(inputs)
        above = sorted({folder for path in inputs for folder in _folders(path)})
        parts: list[Any] = [self._tool, entry.path, entry.adapted, entry.streams]
        parts += [entry.netlify, _told(options)]
        parts += [[path, self._digest(path)] for path in inputs]
        parts += [self._settings(folder) for folder in above]
        parts += [self._names(_folders(path)[-1]) for path in inputs]
        for folder in _folders(entry.path):
            parts += [self._digest(folder + name) for name in _INSTALLED]
        return _sha(json.dumps(parts).encode())

    def _digest(self, path: str) -> str:
        if path not in self._seen:
            try:
                self._seen[path] = _sha((self._root / path).read_bytes())
            except OSError:
                self._seen[path] = ""
        return self._seen[path]

    def _settings(self, folder: str) -> list[str]:
        """package.json and, in folders of our own, whatever a tsconfig.json may extend."""
        settings = [name for name in self._names(folder) if _SETTINGS.fullmatch(name)]
        return [self._digest(folder + name) for name in ("package.json", *settings)]

    def _names(self, folder: str) -> tuple[str, ...]:
        """What lies beside a file of our own: `a.ts` takes the place of `a.js`."""
        if folder not in self._listed:
            path = self._root / folder
            ours = "node_modules/" not in folder and path.is_dir()
            self._listed[folder] = tuple(sorted(one.name for one in path.iterdir())) if ours else ()
        return self._listed[folder]


@cache
def _told(options: Options) -> str:
    return json.dumps(asdict(options))


@cache
def _folders(path: str) -> tuple[str, ...]:
    """The folders above a file, from the root on, each with a slash at its end; the root is ''."""
    parts = path.split("/")
    return tuple("".join(f"{part}/" for part in parts[:end]) for end in range(len(parts)))


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
