"""One call of esbuild's own binary: entry points in, isolated bundles out, as files.

Its environment is empty (NODE_PATH would change what is found) and every path that it is told lies
below the site's root, so that a bundle is the same wherever the site lies.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runner.errors import Problem
from runner.package.functions.messages import problems
from runner.package.functions.metafile import Graph, Ours, Outside
from runner.package.functions.source_map import retell

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """`code` and its source map, if one was asked for, as files; `inputs` as paths from the root.

    Of the imports `outside`, `native` names the packages that are shipped whole, `traced` those
    that are shipped as far as they are used.
    """

    shape: Shape
    code: Path
    map: Path | None
    inputs: tuple[str, ...]
    outside: tuple[Outside, ...] = ()
    native: tuple[str, ...] = ()
    traced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Bundles by the entries' paths, none if there are errors.

    `read` and `written` are the most bytes of sources and of code of one of them.
    """

    bundles: Mapping[str, Bundle]
    read: int
    written: int
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Esbuild:
    """The `program`, for the site at `root`."""

    program: Path
    root: Path

    def bundle(self, entries: tuple[Entry, ...], out: Path, *, options: Options) -> Outcome:
        """Bundles `entries`, each by itself, in one process, into the new folder `out`."""
        with tempfile.TemporaryDirectory(prefix="jam-bundle-") as folder:
            scratch = Path(folder).resolve()
            metafile = scratch / "meta.json"
            points = [
                f"{number}={_point(entry, number, root=self.root, scratch=scratch)}"
                for number, entry in enumerate(entries)
            ]
            done = self._run(*points, *options.flags(), f"--outdir={out}", f"--metafile={metafile}")
            warnings, errors = problems(done.stderr, "WARNING"), _errors(done)
            if errors:
                return Outcome(bundles={}, read=0, written=0, errors=errors, warnings=warnings)
            ours = Ours(self.root, scratch, _ADAPTERS)
            graph = Graph(metafile, ours)
            bundles = dict(_bundles(entries, out, options=options, graph=graph, ours=ours))
        return Outcome(
            bundles=bundles,
            read=max(graph.size(one.inputs) for one in bundles.values()),
            written=max(one.code.stat().st_size for one in bundles.values()),
            errors=(),
            warnings=warnings,
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=self.root,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )


def _errors(done: subprocess.CompletedProcess[str]) -> tuple[Problem, ...]:
    found = problems(done.stderr, "ERROR")
    if done.returncode == 0 or found:
        return found
    return (Problem(where="esbuild", message=done.stderr.strip()[-500:] or "ended early"),)


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
    entries: tuple[Entry, ...], out: Path, *, options: Options, graph: Graph, ours: Ours
) -> Iterator[tuple[str, Bundle]]:
    for number, entry in enumerate(entries):
        code = out / f"{number}.{options.shape}"
        inputs, outside = graph.below(code.name)
        source_map = Path(f"{code}.map") if options.maps else None
        if source_map:
            retell(source_map, inputs, ours=ours)
        yield (
            entry.path,
            Bundle(shape=options.shape, code=code, map=source_map, inputs=inputs, outside=outside),
        )
