"""Node functions as bundles: the installed packages in, one file out, only where something changed.

The AWS SDK is bundled when the site installs it: a release then runs with what it was tested with,
today, after a rollback and on the embedded cloud. A site that does not install it gets the one of
Lambda's runtime. Source: Lambda developer guide, "Building Lambda functions with Node.js".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from runner.errors import Problem, site_error
from runner.package.archive import Member
from runner.package.functions import external, npm
from runner.package.functions.bundles import Bundles
from runner.package.functions.esbuild import (
    NO_TOP_LEVEL_AWAIT,
    Bundle,
    Entry,
    Options,
    Outcome,
    Shape,
    bundle,
)
from runner.toolchain import Toolchain, install_packages

HANDLER = "index.handler"
_BATCH = 25  # entries a process: more take more memory than time they save
_SDK = "@aws-sdk"
_DEFAULT_EXPORT = re.compile(r"\bdefault\b")
# Whatever may export a handler without saying its name is left to the run.
_EXPORTS = re.compile(r"\bhandler\b|\bdefault\b|\bexports\b|\bexport\s*\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A Node function: `path` from the site's root, runtime, packages that stay outside."""

    path: str
    runtime: str
    external: tuple[str, ...] = ()
    source_map: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle, and the packages that have to lie beside it."""

    bundle: Bundle
    external: set[external.Asked]


Echo = Callable[[str], None]
_Jobs = Mapping[Entry, Options]


def bundle_functions(
    wanted: Sequence[Wanted],
    *,
    root: Path,
    cache: Path,
    toolchain: Toolchain,
    environment: Mapping[str, str],
    echo: Echo,
) -> dict[str, Made]:
    """A bundle for each function, by its path.

    Raises JAM-FUNCTION-BUNDLE, JAM-FUNCTION-NATIVE, JAM-FUNCTION-HANDLER with every place at
    once, JAM-FUNCTION-DEPENDENCIES, JAM-TOOLCHAIN. `environment` is npm's alone.
    """
    if not wanted:
        return {}
    install_packages(toolchain, environment)
    files = [root / function.path for function in wanted]
    npm.install(files, root, toolchain=toolchain, environment=environment, echo=echo)
    options = [_options(function, root) for function in wanted]
    jobs = dict(zip(_entries(wanted, root), options, strict=True))
    known = Bundles(cache, root=root, version=toolchain.versions["esbuild"])
    workshop = _Workshop(root=root, known=known, esbuild=toolchain.esbuild, echo=echo)
    bundles = workshop.bundles(jobs)
    found = external.native({path: one.inputs for path, one in bundles.items()}, root)
    loose = dict(_loosened(jobs, found, echo=echo))
    bundles |= workshop.bundles(loose)
    _refuse_native(bundles)
    return {
        function.path: Made(
            bundle=bundles[function.path], external=_asked(function, root) | found[function.path]
        )
        for function in wanted
    }


def _loosened(
    jobs: _Jobs, native: Mapping[str, set[external.Asked]], *, echo: Echo
) -> Iterator[tuple[Entry, Options]]:
    """The functions with native packages, to be bundled without these."""
    for entry, options in jobs.items():
        if names := sorted({asked.pattern for asked in native[entry.path]}):
            echo(f"{entry.path}: native, shipped as installed: {', '.join(names)}")
            yield entry, replace(options, external=tuple(sorted({*options.external, *names})))


def members(made: Made, *, architecture: str) -> dict[str, Member]:
    """The files of the archive: the source map stays outside, it would double it."""
    return {
        f"index.{made.bundle.shape}": made.bundle.code,
        **external.members(made.external, architecture=architecture),
    }


def _asked(function: Wanted, root: Path) -> set[external.Asked]:
    folder = (root / function.path).parent
    return {external.Asked(pattern, folder) for pattern in function.external}


def _refuse_native(bundles: Mapping[str, Bundle]) -> None:
    """A package's native module is shipped with its package; one of the site's own has none."""
    problems = tuple(
        Problem(where=path, message=f"loads {name}")
        for path, one in bundles.items()
        for name in one.inputs
        if name.endswith(".node")
    )
    if problems:
        raise site_error(
            "JAM-FUNCTION-NATIVE",
            "a function loads a native module that belongs to no package",
            hint="Put it into an npm package of its own and install that.",
            problems=problems,
        )


def _entries(wanted: Sequence[Wanted], root: Path) -> list[Entry]:
    texts = [
        (function, (root / function.path).read_text(encoding="utf-8", errors="replace"))
        for function in wanted
    ]
    silent = tuple(
        Problem(where=function.path, message="exports no handler")
        for function, text in texts
        if not _EXPORTS.search(text)
    )
    if silent:
        raise site_error(
            "JAM-FUNCTION-HANDLER",
            "a function does not say what to run",
            hint="`export const handler = async (event) => …`; other files begin with `_`.",
            problems=silent,
        )
    return [
        Entry(path=function.path, adapted=bool(_DEFAULT_EXPORT.search(text)))
        for function, text in texts
    ]


def _options(function: Wanted, root: Path) -> Options:
    installed = npm.is_installed(_SDK, (root / function.path).parent)
    outside = {*function.external, *(() if installed else (f"{_SDK}/*",))}
    target = function.runtime.removesuffix(".x").replace("nodejs", "node")
    return Options(target=target, external=tuple(sorted(outside)), maps=function.source_map)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workshop:
    root: Path
    known: Bundles
    esbuild: Path
    echo: Echo

    def bundles(self, jobs: _Jobs) -> dict[str, Bundle]:
        """Remembered ones, and the others made and remembered."""
        found = {entry: self.known.get(entry, options) for entry, options in jobs.items()}
        missing = {entry: jobs[entry] for entry, bundle in found.items() if bundle is None}
        made = self._make(missing)
        for entry, options in missing.items():
            self.known.put(entry, options, bundle=made[entry.path])
        return {entry.path: kept or made[entry.path] for entry, kept in found.items()}

    def _make(self, jobs: _Jobs) -> dict[str, Bundle]:
        outcomes = [
            outcome
            for entries, options in _calls(jobs)
            for outcome in _call(entries, options, root=self.root, esbuild=self.esbuild)
        ]
        for warning in dict.fromkeys(chain.from_iterable(one.warnings for one in outcomes)):
            self.echo(f"warning: {warning}")
        errors = tuple(dict.fromkeys(chain.from_iterable(one.errors for one in outcomes)))
        if errors:
            raise site_error(
                "JAM-FUNCTION-BUNDLE",
                "functions cannot be bundled",
                hint="A package that is not found: add it to package.json, commit the lock file.",
                problems=errors,
            )
        return {path: made for one in outcomes for path, made in one.bundles.items()}


def _calls(jobs: _Jobs) -> Iterator[tuple[tuple[Entry, ...], Options]]:
    groups: dict[Options, list[Entry]] = defaultdict(list)
    for entry, options in jobs.items():
        groups[options].append(entry)
    for options, entries in groups.items():
        for start in range(0, len(entries), _BATCH):
            yield tuple(entries[start : start + _BATCH]), options


def _call(
    entries: tuple[Entry, ...], options: Options, *, root: Path, esbuild: Path
) -> Iterator[Outcome]:
    """One call; where top-level await turns up, one a function, and ESM for those that have it."""
    outcome = bundle(esbuild, entries, root=root, options=options)
    if not any(NO_TOP_LEVEL_AWAIT in error.message for error in outcome.errors):
        yield outcome
    elif len(entries) == 1:
        module = replace(options, shape=Shape.MODULE)
        yield bundle(esbuild, entries, root=root, options=module)
    else:
        for entry in entries:
            yield from _call((entry,), options, root=root, esbuild=esbuild)
