"""Remembers bundles between runs; a function is bundled again when anything that it read changed.

Goes by content, never by time: a fresh checkout has new times on old files.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple
from functools import cache
from pathlib import Path

import msgspec

from runner.package.functions.esbuild import ADAPTERS, Bundle, Entry, Options, Shape
from runner.package.functions.metafile import Outside

# What npm, pnpm and yarn noted of their last installation, above a function.
_INSTALLED = (
    "node_modules/.package-lock.json",
    "node_modules/.modules.yaml",
    "node_modules/.yarn-integrity",
    "node_modules/.yarn-state.yml",
)
_SETTINGS = re.compile(r"[tj]sconfig.*\.json")


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle as it is kept, beside its files; `digests` are theirs."""

    digests: tuple[str, ...]
    made_of: str
    shape: Shape
    inputs: tuple[str, ...]
    outside: tuple[Outside, ...]
    native: tuple[str, ...]
    traced: tuple[str, ...]

    def bundle(self, stem: Path, *, maps: bool) -> Bundle:
        return Bundle(
            shape=self.shape,
            code=stem.with_suffix(".code"),
            map=stem.with_suffix(".map") if maps else None,
            inputs=self.inputs,
            outside=self.outside,
            native=self.native,
            traced=self.traced,
        )


_RECORD = msgspec.json.Decoder(_Record)


class Bundles:
    """The bundles of one site, one record a function, in `folder`."""

    def __init__(self, folder: Path, *, root: Path, version: str) -> None:
        self._folder = folder
        self._root = root
        self._tool = f"{version} {_sha(b''.join(each.read_bytes() for each in ADAPTERS))}"
        self._seen: dict[str, str] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        self._facts: dict[str, bytes] = {}

    @contextmanager
    def workbench(self) -> Iterator[Path]:
        """A folder for bundles that are being made: from there to here they need not be copied."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=self._folder) as folder:
            yield Path(folder).resolve()

    def get(self, entry: Entry, options: Options) -> Bundle | None:
        """What is remembered, if all that it was made of is unchanged."""
        stem = self._stem(entry, options)
        try:
            record = _RECORD.decode(stem.with_suffix(".json").read_bytes())
            kept = record.bundle(stem, maps=options.maps)
            current = record.digests == _digests(kept)
        except (OSError, msgspec.MsgspecError):
            return None  # never made, or torn by a killed run: made again
        return kept if current and record.made_of == self._made_of(entry, options, kept) else None

    def put(self, entry: Entry, options: Options, *, bundle: Bundle) -> Bundle:
        """Moves the files of `bundle` here; returns it as it is from now on."""
        stem = self._stem(entry, options)
        record = _Record(
            digests=_digests(bundle),
            made_of=self._made_of(entry, options, bundle),
            shape=bundle.shape,
            inputs=bundle.inputs,
            outside=bundle.outside,
            native=bundle.native,
            traced=bundle.traced,
        )
        kept = record.bundle(stem, maps=options.maps)
        bundle.code.replace(kept.code)
        if bundle.map and kept.map:
            bundle.map.replace(kept.map)
        stem.with_suffix(".json").write_bytes(msgspec.json.encode(record))
        return kept

    def _stem(self, entry: Entry, options: Options) -> Path:
        """One record for each set of options: `dev` and `deploy` take turns."""
        return self._folder / _sha(json.dumps([entry.path, _told(options)]).encode())[:32]

    def _made_of(self, entry: Entry, options: Options, bundle: Bundle) -> str:
        """The digest of tool, flags, files, and of what decides where an import leads."""
        installed = [
            self._digest(folder + name) for folder in _folders(entry.path) for name in _INSTALLED
        ]
        asked = [self._tool, astuple(entry), _told(options), installed]
        return _sha(json.dumps(asked).encode() + b"".join(map(self._fact, bundle.inputs)))

    def _fact(self, path: str) -> bytes:
        """The digest of a file, and of what decides where its imports lead."""
        if path not in self._facts:
            folders = _folders(path)
            told = [path, self._digest(path), self._names(folders[-1])]
            settings = [self._settings(folder) for folder in folders]
            self._facts[path] = hashlib.sha256(json.dumps([told, settings]).encode()).digest()
        return self._facts[path]

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


def _digests(bundle: Bundle) -> tuple[str, ...]:
    return tuple(_sha(file.read_bytes()) for file in (bundle.code, bundle.map) if file)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
