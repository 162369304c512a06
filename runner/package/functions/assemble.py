"""From a functions folder to `Function` values: found, configured, built, packed.

The same input gives the same digests and the same bytes in any folder on any day. Nothing is
written before everything that can be known from names and settings alone is in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from runner.errors import Problem, site_error
from runner.model import Function
from runner.package.archive import Member, Packer
from runner.package.functions import environment as variables
from runner.package.functions import node, python
from runner.package.functions import settings as wishes
from runner.package.functions.discover import Language, Source, Tree, discover
from runner.package.functions.pack import Built, check_size, function_of
from runner.package.functions.requirements import Installer, nearest
from runner.package.functions.settings import Configuration, FunctionsSettings
from runner.package.functions.variants import Variants
from runner.toolchain import Toolchain

Echo = Callable[[str], None]
_AGEING = {"nodejs20.x": "AWS ended its support on April 30, 2026; set runtime to nodejs24.x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where everything lies, and what everything needs."""

    root: Path
    directory: str
    work: Path
    toolchain: Toolchain
    environment: Mapping[str, str] = field(repr=False)
    echo: Echo
    source_maps: bool

    @property
    def folder(self) -> Path:
        return self.root / self.directory

    @property
    def cache(self) -> Path:
        return self.work / "cache"


_Configured = Mapping[Source, Configuration]


def package_functions(
    *,
    root: Path,
    directory: str,
    settings: FunctionsSettings,
    toolchain: Toolchain,
    work: Path,
    environment: Mapping[str, str],
    echo: Echo,
    source_maps: bool = False,
    only: str | None = None,
) -> tuple[Function, ...]:
    """The functions of the site at `root`, by name; their archives lie in `work/functions`.

    `work` (`.jam`) also holds caches; `environment` is what npm and uv run with, and reaches no
    function. With `source_maps`, which change no function, a Node function's map lies beside its
    archive under the same name with `.map`. `only` names the one function to package. Raises
    JAM-FUNCTION-*, JAM-ENV, JAM-TOOLCHAIN.
    """
    site = _Site(
        root=root.resolve(),
        directory=PurePosixPath(directory).as_posix(),
        work=work.resolve(),
        toolchain=toolchain,
        environment=environment,
        echo=echo,
        source_maps=source_maps,
    )
    tree = discover(site.folder)
    configured = {
        source: configuration
        for source, configuration in _configure(tree, site, settings=settings).items()
        if only in (None, source.name)
    }
    built = {**_node(configured, site), **_python(configured, site, tree=tree)}
    for source, one in built.items():
        check_size(source, one)
    packer = Packer()
    return tuple(
        function_of(
            source,
            configured[source],
            built=built[source],
            folder=site.work / "functions",
            packer=packer,
        )
        for source in configured
    )


def _configure(tree: Tree, site: _Site, *, settings: FunctionsSettings) -> _Configured:
    """Every function with its configuration and environment; every problem at once."""
    environments = variables.Environments(site.folder)
    found, problems = {}, [*wishes.unknown(settings, tree.sources)]
    too_large: list[Problem] = []
    for source in tree.sources:
        wanted = wishes.configure(source, settings)
        merged = environments.of(source.path, dict(wanted.environment))
        found[source] = wishes.with_environment(wanted, merged)
        problems += wishes.problems(source, wanted)
        too_large += variables.size_problems(source.path, merged)
        if wanted.runtime in _AGEING:
            site.echo(f"warning: {source.path}: {_AGEING[wanted.runtime]}")
    if problems:
        raise site_error(
            "JAM-FUNCTION-SETTINGS",
            "functions have settings that cannot be",
            hint="Correct them in jam.toml.",
            problems=tuple(problems),
        )
    names = [
        problem
        for where, section in wishes.sections(settings)
        for problem in variables.key_problems(dict(section.environment), f"{where}.environment")
    ]
    if in_environment := [*environments.problems, *names, *too_large]:
        raise site_error(
            "JAM-ENV",
            "functions have an environment that Lambda refuses",
            hint="Correct the `.env` files or `environment` in jam.toml.",
            problems=tuple(in_environment),
        )
    return found


def _node(configured: _Configured, site: _Site) -> dict[Source, Built]:
    wanted = {
        source: node.Wanted(
            path=f"{site.directory}/{source.path}",
            runtime=configuration.runtime,
            external=configuration.external,
            source_map=site.source_maps,
        )
        for source, configuration in configured.items()
        if source.language is Language.NODE
    }
    made = node.bundle_functions(
        list(wanted.values()),
        root=site.root,
        cache=site.cache / "bundles",
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    builds = Variants(
        cache=site.cache / "native",
        root=site.root,
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    return {
        source: Built(
            handler=node.HANDLER,
            members=node.members(
                made[one.path], architecture=configured[source].architecture, builds=builds
            ),
            source_map=made[one.path].bundle.map,
        )
        for source, one in wanted.items()
    }


def _python(configured: _Configured, site: _Site, *, tree: Tree) -> dict[Source, Built]:
    ours = {
        source: configuration
        for source, configuration in configured.items()
        if source.language is Language.PYTHON
    }
    handlers = _python_handlers(ours, site)
    installer = Installer(
        cache=site.cache / "python",
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    return {
        source: Built(
            handler=python.HANDLER,
            members=python.members(
                site.folder,
                source.path,
                files=tree.files,
                packages=_packages(source, configuration, site=site, installer=installer),
                handler=handlers[source],
            ),
        )
        for source, configuration in ours.items()
    }


def _packages(
    source: Source, configuration: Configuration, *, site: _Site, installer: Installer
) -> Mapping[str, Member]:
    file = nearest(site.folder, source.path)
    if file is None:
        return {}
    return installer.packages(file, configuration.runtime, architecture=configuration.architecture)


def _python_handlers(ours: _Configured, site: _Site) -> dict[Source, str]:
    handlers, problems = {}, []
    for source, configuration in ours.items():
        handlers[source], problem = python.handler_of(
            (site.folder / source.path).read_bytes(),
            f"{site.directory}/{source.path}",
            runtime=configuration.runtime,
        )
        problems += [problem] if problem else []
    if problems:
        raise site_error(
            "JAM-FUNCTION-PYTHON",
            "Python functions cannot run",
            hint="`def handler(event, context):`; a file that is no function begins with `_`.",
            problems=tuple(problems),
        )
    return handlers
