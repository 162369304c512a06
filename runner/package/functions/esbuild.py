"""One call of esbuild's own binary: entry points in, isolated bundles out.

Its environment is empty (NODE_PATH would change what is found) and every path that it is told lies
below the site's root, so that a bundle is the same wherever the site lies.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from runner.errors import Problem

ADAPTERS = tuple(
    Path(__file__).with_name(name) for name in ("web.mjs", "stream.mjs", "netlify.mjs")
)
_ADAPTERS = frozenset(map(str, ADAPTERS))
_SECONDS = 300
# A bundler's memory is gone when it ends: collecting garbage on the way takes a third of the time.
# Source: Go documentation, "A Guide to the Go Garbage Collector", Memory limit.
_ENVIRONMENT = {"GOGC": "off", "GOMEMLIMIT": "400MiB"}
# Names stay readable in stack traces and in `error.constructor.name`; it costs a sixth in size.
_FLAGS = (
    "--bundle",
    "--platform=node",
    "--minify",
    "--keep-names",
    "--legal-comments=none",
    "--charset=utf8",
    "--loader:.node=empty",  # only to see, in the inputs, that there is one
    # What is loaded by a name that only the run knows: told in packages, too.
    "--log-override:unsupported-require-call=warning",
    "--log-override:unsupported-dynamic-import=warning",
    "--log-override:indirect-require=warning",
    "--log-override:require-resolve-not-external=warning",
    "--log-level=warning",
    "--log-limit=0",
    "--color=false",
)


class Shape(StrEnum):
    """The kind of module a bundle is, by the ending that Lambda's runtime loads it under."""

    COMMON = "js"
    MODULE = "mjs"  # only for top-level await, which CommonJS has not


# What the other kind of module would have given: esbuild leaves them undefined.
_SHAPES = {
    Shape.COMMON: (
        "--format=cjs",
        "--define:import.meta.url=jamUrl",
        "--define:import.meta.filename=__filename",
        "--define:import.meta.dirname=__dirname",
        '--banner:js=const jamUrl=require("node:url").pathToFileURL(__filename).href;',
    ),
    Shape.MODULE: (
        "--format=esm",
        "--out-extension:.js=.mjs",
        '--banner:js=import{createRequire as jamRequire}from"node:module";'
        "const require=jamRequire(import.meta.url),"
        "__filename=import.meta.filename,__dirname=import.meta.dirname;",
    ),
}
_MAPS = ("--sourcemap=external", "--sources-content=false")
NO_TOP_LEVEL_AWAIT = "Top-level await is currently not supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What decides over a bundle besides its sources: entries with equal ones share a call.

    Source maps change no byte of the bundle, and take almost as long as all the rest.
    """

    target: str  # "node24"
    external: tuple[str, ...] = ()
    maps: bool = False
    shape: Shape = Shape.COMMON

    def flags(self) -> tuple[str, ...]:
        external = (f"--external:{name}" for name in self.external)
        maps = _MAPS if self.maps else ()
        return (*_FLAGS, *_SHAPES[self.shape], *maps, f"--target={self.target}", *external)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`path` lies below the root, with `/`; `adapted`: the adapter finds out what it exports, for
    one that `streams` another adapter. One of Netlify's gets what it knows from there."""

    path: str
    adapted: bool
    streams: bool = False
    netlify: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """`code`, its source map if one was asked for, and `inputs`, as paths from the root.

    Of the imports `outside`, `native` names the packages that are shipped whole, `traced` those
    that are shipped as far as they are used.
    """

    shape: Shape
    code: bytes
    map: bytes
    inputs: tuple[str, ...]
    outside: tuple[Outside, ...] = ()
    native: tuple[str, ...] = ()
    traced: tuple[str, ...] = ()


def package_of(specifier: str) -> str:
    """`@a/b` of `@a/b/c`, `a` of `a/b`."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Bundles by the entries' paths, none if there are errors.

    `largest` is the most bytes that were read for one of them.
    """

    bundles: Mapping[str, Bundle]
    largest: int
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def bundle(esbuild: Path, entries: tuple[Entry, ...], *, root: Path, options: Options) -> Outcome:
    """Bundles `entries`, each by itself, in one process."""
    with tempfile.TemporaryDirectory(prefix="jam-bundle-") as folder:
        scratch = Path(folder).resolve()
        points = [
            f"{number}={_point(entry, number, root=root, scratch=scratch)}"
            for number, entry in enumerate(entries)
        ]
        done = subprocess.run(
            [
                str(esbuild),
                *points,
                *options.flags(),
                f"--outdir={scratch / 'out'}",
                f"--metafile={scratch / 'meta.json'}",
            ],
            cwd=root,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        errors = _problems(done.stderr, "ERROR")
        if done.returncode != 0:
            lost = Problem(where="esbuild", message=done.stderr.strip()[-500:] or "ended early")
            errors = errors or (lost,)
        bundles, largest = (
            ({}, 0) if errors else _bundles(entries, root, scratch=scratch, options=options)
        )
    warnings = _problems(done.stderr, "WARNING")
    return Outcome(bundles=bundles, largest=largest, errors=errors, warnings=warnings)


def _point(entry: Entry, number: int, *, root: Path, scratch: Path) -> str:
    if not entry.adapted:
        return f"./{entry.path}"
    file = scratch / f"entry{number}.mjs"
    made = "streaming" if entry.streams else "lambda"
    first, last = ("", f"{made}(module)")
    if entry.netlify:  # its global has to be there before the function's own code runs
        first = f"import {{ netlify }} from {json.dumps(str(ADAPTERS[2]))};\n"
        last = f"netlify({last})"
    file.write_text(
        f"{first}import * as module from {json.dumps(str(root / entry.path))};\n"
        f"import {{ {made} }} from {json.dumps(str(ADAPTERS[entry.streams]))};\n"
        f"export const handler = {last};\n",
        encoding="utf-8",
    )
    return str(file)


def _bundles(
    entries: tuple[Entry, ...], root: Path, *, scratch: Path, options: Options
) -> tuple[dict[str, Bundle], int]:
    meta, shape = json.loads((scratch / "meta.json").read_bytes()), options.shape
    starts = {
        Path(name).name: output["entryPoint"]
        for name, output in meta["outputs"].items()
        if "entryPoint" in output
    }
    graph = _Graph(meta["inputs"], root=root, scratch=scratch)
    found, largest = {}, 0
    for number, entry in enumerate(entries):
        inputs, outside = graph.below(starts[f"{number}.{shape}"])
        file = scratch / "out" / f"{number}.{shape}"
        found[entry.path] = Bundle(
            shape=shape,
            code=file.read_bytes(),
            map=_map(Path(f"{file}.map"), inputs, root=root, scratch=scratch)
            if options.maps
            else b"",
            inputs=inputs,
            outside=outside,
        )
        largest = max(largest, sum(meta["inputs"][path]["bytes"] for path in inputs))
    return found, largest


class _Graph:
    """Who imports what, of all the entries of a call: looked through once, walked by each."""

    def __init__(self, inputs: Any, *, root: Path, scratch: Path) -> None:
        self._below: dict[str, list[str]] = {}
        self._outside: dict[str, list[Outside]] = {}
        above = f"{scratch}{os.sep}"
        self._sites = {path for path in inputs if not _is_ours(root, path, above)}
        for path, told in inputs.items():
            inside = [one for one in told["imports"] if not one.get("external")]
            self._below[path] = [one["path"] for one in inside if one["path"] in inputs]
            self._outside[path] = [
                Outside(one["path"], path.rpartition("/")[0], one["kind"].startswith("require"))
                for one in told["imports"]
                if one.get("external") and not one["path"].startswith("node:")
            ]

    def below(self, start: str) -> tuple[tuple[str, ...], tuple[Outside, ...]]:
        """Every file of the site's that was read for one entry, and what they left outside."""
        seen, open_ends = {start}, [start]
        while open_ends:
            fresh = [path for path in self._below[open_ends.pop()] if path not in seen]
            seen.update(fresh)
            open_ends += fresh
        outside = set(chain.from_iterable(map(self._outside.__getitem__, seen)))
        return tuple(sorted(seen & self._sites)), tuple(sorted(outside))


INPUTS = "x_jam_inputs"  # a source map may have members of its own that begin with `x_`


def _map(file: Path, inputs: tuple[str, ...], *, root: Path, scratch: Path) -> bytes:
    """The source map with its sources told from the root instead of from our scratch folder, and
    with all files that were read: a constant's file may leave no trace but its value."""
    content = json.loads(file.read_bytes())
    found = [Path(os.path.normpath(file.parent / source)) for source in content["sources"]]
    above = f"{scratch}{os.sep}"
    content["sources"] = [
        f"jam-deploy/{source.name}"
        if _is_ours(root, source, above)
        else os.path.relpath(source, root)
        for source in found
    ]
    content[INPUTS] = inputs
    return json.dumps(content, separators=(",", ":")).encode()


def _is_ours(root: Path, path: str | Path, scratch: str) -> bool:
    """Asked of every file that esbuild read: as text, which takes a tenth of the time."""
    plain = os.path.normpath(os.path.join(root, path))  # noqa: PTH118 -- see above
    return plain in _ADAPTERS or plain.startswith(scratch)


# "✘ [ERROR] message", a blank line, then four spaces and "path:line:column:" if it has a place.
_MESSAGE = re.compile(r"^\S+ \[(ERROR|WARNING)\] (.*)$", re.MULTILINE)
_PLACE = re.compile(r"\s*\n {4}(\S.*?):(\d+):\d+:\n")


def _problems(text: str, kind: str) -> tuple[Problem, ...]:
    found = []
    for message in _MESSAGE.finditer(text):
        place = _PLACE.match(text, message.end())
        if message[1] == kind:
            where = f"{place[1]}:{place[2]}" if place else "esbuild"
            found.append(Problem(where=where, message=re.sub(r" \[[a-z-]+\]$", "", message[2])))
    return tuple(found)
