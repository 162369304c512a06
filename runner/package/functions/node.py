"""Node functions as bundles: the installed packages in, one file out, only where something changed.

The AWS SDK is bundled when the site installs it: a release then runs with what it was tested with,
today, after a rollback and on the embedded cloud. A site that does not install it gets the one of
Lambda's runtime. Source: Lambda developer guide, "Building Lambda functions with Node.js".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.errors import Problem, site_error
from runner.package.archive import Member
from runner.package.functions import external, npm
from runner.package.functions.bundles import Bundles
from runner.package.functions.esbuild import Bundle, Entry, Esbuild, Options, Shape
from runner.package.functions.foreign import NETLIFY
from runner.package.functions.judge import Asked, Judge
from runner.package.functions.pack import Built
from runner.package.functions.trace import Trace, trace
from runner.package.functions.variants import Variants
from runner.package.functions.workshop import Workshop
from runner.toolchain import Toolchain, install_packages

HANDLER = "index.handler"
# What loads a bundle that lies deeper, and its ending: a package.json among the included files may
# say that `.js` is something else.
_STARTS = {
    Shape.COMMON: ("module.exports=require(%s);", "cjs"),
    Shape.MODULE: ("export*from%s;", "mjs"),
}
_SDK = "@aws-sdk"
_ADAPTED = re.compile(rf"\bdefault\b|{NETLIFY.pattern}")
# Whatever may export a handler without saying its name is left to the run.
_EXPORTS = re.compile(r"\bhandler\b|\bdefault\b|\bexports\b|\bexport\s*\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A Node function: `path` from the site's root, runtime, packages that stay outside."""

    path: str
    runtime: str
    streams: bool = False
    external: tuple[str, ...] = ()
    source_map: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle, and what has to lie beside it: whole packages, and those that were `traced`."""

    path: str
    bundle: Bundle
    external: set[Asked]
    traced: set[Asked]
    trace: Trace


Echo = Callable[[str], None]
Ready = Callable[[Path], object]
"""Is told the file of a new bundle."""


def bundle_functions(
    wanted: Sequence[Wanted],
    *,
    root: Path,
    cache: Path,
    toolchain: Toolchain,
    environment: Mapping[str, str],
    echo: Echo,
    ready: Ready,
) -> dict[str, Made]:
    """A bundle for each function, by its path; `ready` is told of new ones while others are made.

    Raises JAM-FUNCTION-BUNDLE, JAM-FUNCTION-NATIVE, JAM-FUNCTION-HANDLER with every place at
    once, JAM-FUNCTION-DEPENDENCIES, JAM-TOOLCHAIN. `environment` is npm's alone.
    """
    if not wanted:
        return {}
    install_packages(toolchain, environment)
    files = [root / function.path for function in wanted]
    npm.install(files, root, toolchain=toolchain, environment=environment, echo=echo)
    jobs = {entry: _options(one, root) for entry, one in _entries(wanted, root)}
    known = Bundles(cache, root=root, version=toolchain.versions["esbuild"])
    judge = Judge(root=root)
    esbuild = Esbuild(toolchain.esbuild, root)
    workshop = Workshop(esbuild=esbuild, known=known, echo=echo, judge=judge, ready=ready)
    bundles = workshop.bundles(jobs)
    _refuse_native(bundles, judge)
    traces = _traces(bundles, root, toolchain=toolchain)
    for line in _told(bundles, root):
        echo(line)
    return {
        function.path: Made(
            path=function.path,
            bundle=bundles[function.path],
            external=_asked(function, root) | _left(bundles[function.path], root, "native"),
            traced=_left(bundles[function.path], root, "traced"),
            trace=traces[function.path],
        )
        for function in wanted
    }


def built(
    made: Made, *, architecture: str, builds: Variants, included: Mapping[str, Member]
) -> Built:
    """The function with the files of its archive; the source map stays outside, it would double it.

    Raises JAM-FUNCTION-CLASH, and what external.members raises.
    """
    beside = external.members(
        made.path,
        made.external,
        traced=made.traced,
        trace=made.trace,
        architecture=architecture,
        builds=builds,
    )
    return Built(
        handler=HANDLER,
        members=_members(made, beside, included=included),
        source_map=made.bundle.map.read_bytes() if made.bundle.map else b"",
    )


def _members(
    made: Made, beside: Mapping[str, Member], *, included: Mapping[str, Member]
) -> dict[str, Member]:
    """With files `included` the bundle lies where its source lies in the site, so that what is read
    from beside it is found.
    """
    bundled = made.bundle.code.read_bytes()
    if not included:
        return {f"index.{made.bundle.shape}": bundled, **beside}
    start, ending = _STARTS[made.bundle.shape]
    place = PurePosixPath(made.path).with_name(f"jam-function.{ending}").as_posix()
    code = start % json.dumps(f"./{place}")
    own = {f"index.{made.bundle.shape}": code.encode(), place: bundled}
    if clash := own.keys() & included.keys():
        raise site_error(
            "JAM-FUNCTION-CLASH",
            f"{made.path} includes {', '.join(clash)}, which is written for it",
            hint="Rename that file, or leave it out of `included_files`.",
        )
    return {**included, **beside, **own}


def _traces(
    bundles: Mapping[str, Bundle], root: Path, *, toolchain: Toolchain
) -> Mapping[str, Trace]:
    imports = {
        path: [one for one in made.outside if one.package in made.traced]
        for path, made in bundles.items()
    }
    return trace(imports, root=root, toolchain=toolchain)


def _told(bundles: Mapping[str, Bundle], root: Path) -> Iterator[str]:
    for path, made in bundles.items():
        if lambdas := _of_the_runtime(made, root):
            yield f"{path}: of Lambda's runtime, to be installed for `dev`: {', '.join(lambdas)}"
        if made.native:
            yield f"{path}: native, shipped as installed: {', '.join(made.native)}"
        if made.traced:
            yield f"{path}: cannot be bundled, traced: {', '.join(made.traced)}"


def _of_the_runtime(made: Bundle, root: Path) -> list[str]:
    """Packages of the AWS SDK that nobody installed: Lambda has them, this machine has not."""
    asked = {(one.package, one.folder) for one in made.outside if one.package.startswith(_SDK)}
    return sorted({name for name, at in asked if not npm.is_installed(name, root / at)})


def _left(made: Bundle, root: Path, kind: str) -> set[Asked]:
    """The packages of one kind that a bundle was made without."""
    names = made.native if kind == "native" else made.traced
    return {Asked(one.package, root / one.folder) for one in made.outside if one.package in names}


def _asked(function: Wanted, root: Path) -> set[Asked]:
    folder = (root / function.path).parent
    return {Asked(pattern, folder) for pattern in function.external}


def _refuse_native(bundles: Mapping[str, Bundle], judge: Judge) -> None:
    """A package's native module is shipped with its package; one of the site's own has none."""
    problems = tuple(
        Problem(where=path, message=f"loads {name}")
        for path, one in bundles.items()
        for name in one.inputs
        if name.endswith(".node") and not judge.owner(name)
    )
    if problems:
        raise site_error(
            "JAM-FUNCTION-NATIVE",
            "a function loads a native module that belongs to no package",
            hint="Put it into an npm package of its own and install that.",
            problems=problems,
        )


def _entries(wanted: Sequence[Wanted], root: Path) -> list[tuple[Entry, Wanted]]:
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
        (
            Entry(
                path=function.path,
                adapted=function.streams or bool(_ADAPTED.search(text)),
                streams=function.streams,
                netlify=bool(NETLIFY.search(text)),
            ),
            function,
        )
        for function, text in texts
    ]


def _options(function: Wanted, root: Path) -> Options:
    installed = npm.is_installed(_SDK, (root / function.path).parent)
    outside = {*function.external, *(() if installed else (f"{_SDK}/*",))}
    target = function.runtime.removesuffix(".x").replace("nodejs", "node")
    return Options(target=target, external=tuple(sorted(outside)), maps=function.source_map)
