"""From a functions folder to `Function` values: found, configured, built, packed.

The same input gives the same digests and the same bytes in any folder on any day. Nothing is
written before everything that can be known from names and settings alone is in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath

from runner.errors import Problem, site_error
from runner.model import Function
from runner.package.archive import Member, Packer
from runner.package.functions import environment as variables
from runner.package.functions import foreign, node, runtimes
from runner.package.functions import settings as wishes
from runner.package.functions.discover import Language, Source, Tree, discover, placed
from runner.package.functions.exported import Exported
from runner.package.functions.included import Included
from runner.package.functions.pack import Built, check_size, function_of
from runner.package.functions.python_build import build_python
from runner.package.functions.requirements import Installer
from runner.package.functions.secrets import wrapped
from runner.package.functions.settings import Configuration, FunctionsSettings
from runner.package.functions.streams import stream_problems
from runner.package.functions.variants import Variants
from runner.toolchain import Toolchain

Echo = Callable[[str], None]


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
    today: date | None

    @property
    def folder(self) -> Path:
        return self.root / self.directory

    @property
    def cache(self) -> Path:
        return self.work / "cache"


_Build = Callable[[], Built]
_Configured = Mapping[Source, Configuration]
_Files = Mapping[Source, dict[str, Member]]


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
    today: date | None = None,
) -> tuple[Function, ...]:
    """The functions of the site at `root`, by name; their archives lie in `work/functions`.

    `work` (`.jam`) also holds caches; `environment` is what npm and uv run with, and reaches no
    function. With `source_maps`, which change no function, a Node function's map lies beside its
    archive under the same name with `.map`. `only` names the one function to package.
    `today` is the day by which AWS's end of a runtime is judged; without it, none is. Raises
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
        today=today,
    )
    tree = discover(site.folder, site.directory)
    settings = _exported(site).added(settings, tree.sources)
    configured = {
        source: configuration
        for source, configuration in _configure(tree, site, settings=settings).items()
        if only in (None, source.name)
    }
    _tell(configured, tree, site)
    return tuple(_packed(configured, site, files=tree.files))


def _packed(configured: _Configured, site: _Site, *, files: tuple[str, ...]) -> Iterator[Function]:
    """The functions, one by one, so that the content of one at a time is in memory.

    Bundles are deflated while others are made: libdeflate leaves Python's lock to others.
    """
    included = _included(configured, site)
    packer = Packer()
    with ThreadPoolExecutor(max_workers=1) as beside:
        built = _node(
            configured,
            site,
            included=included,
            ready=lambda file: beside.submit(lambda: packer.pack(file.read_bytes())),
        )
        built |= _python(configured, site, files=files, included=included)
    for source, configuration in configured.items():
        one = wrapped(built[source](), source.language, secrets=configuration.grants.secrets)
        check_size(source, one)
        yield function_of(
            source, configuration, built=one, folder=site.work / "functions", packer=packer
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
        problems += wishes.without_effect(source, settings, wanted)
        too_large += variables.size_problems(source.path, merged)
        problems += _ended(source, wanted, site)
    problems += stream_problems(found)
    if problems:
        raise site_error(
            "JAM-FUNCTION-SETTINGS",
            "functions have settings that cannot be",
            hint="Correct them in jam.toml, or in the `config` that a function exports.",
            problems=tuple(problems),
        )
    names = [
        problem
        for where, section in wishes.sections(settings)
        for problem in variables.key_problems(dict(section.environment), f"{where}.environment")
    ]
    in_files = [placed(one, site.directory) for one in (*environments.problems, *too_large)]
    if in_environment := [*in_files, *names]:
        raise site_error(
            "JAM-ENV",
            "functions have an environment that Lambda refuses",
            hint="Correct the `.env` files or `environment` in jam.toml.",
            problems=tuple(in_environment),
        )
    return found


def _ended(source: Source, wanted: Configuration, site: _Site) -> Iterable[Problem]:
    """What there is to say of the end of the function's runtime."""
    if site.today is None or wanted.runtime not in runtimes.RUNTIMES:
        return ()
    if told := runtimes.warning(wanted.runtime, site.today):
        site.echo(f"warning: {source.path}: {told}")
    return runtimes.refused(wanted.runtime, site.today, where=f"functions.{source.name}.runtime")


def _tell(configured: _Configured, tree: Tree, site: _Site) -> None:
    """What has no effect here, of functions and of files that are none."""
    for source, one in configured.items():
        text = (site.folder / source.path).read_text(encoding="utf-8", errors="replace")
        for remark in foreign.remarks(source, one, text):
            site.echo(f"warning: {site.directory}/{source.path}: {remark}")
    for path, remark in foreign.passed_over(tree.files):
        site.echo(f"warning: {site.directory}/{path}: {remark}")


def _exported(site: _Site) -> Exported:
    return Exported(
        folder=site.folder,
        directory=site.directory,
        cache=site.cache / "config",
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )


def _included(configured: _Configured, site: _Site) -> dict[Source, dict[str, Member]]:
    """The files that each function includes; every pattern that is wrong at once."""
    files, problems = Included(root=site.root), []
    found = {}
    for source, one in configured.items():
        where = f"functions.{source.name}.included_files"
        found[source], faults = files.files(one.included_files, where=where)
        problems += faults
    if problems:
        raise site_error(
            "JAM-FUNCTION-SETTINGS",
            "functions include files that cannot be",
            hint="Correct `included_files`: paths from the site's root, such as `templates/**`.",
            problems=tuple(problems),
        )
    return found


def _node(
    configured: _Configured, site: _Site, *, included: _Files, ready: node.Ready
) -> dict[Source, _Build]:
    wanted = {
        source: node.Wanted(
            path=f"{site.directory}/{source.path}",
            runtime=configuration.runtime,
            streams=configuration.stream,
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
        ready=ready,
    )
    builds = Variants(
        cache=site.cache / "native",
        root=site.root,
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    return {
        source: partial(
            node.built,
            made[one.path],
            architecture=configured[source].architecture,
            builds=builds,
            included=included[source],
        )
        for source, one in wanted.items()
    }


def _python(
    configured: _Configured, site: _Site, *, files: tuple[str, ...], included: _Files
) -> dict[Source, _Build]:
    installer = Installer(
        root=site.root,
        cache=site.cache / "python",
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    built = build_python(
        {source: one for source, one in configured.items() if source.language is Language.PYTHON},
        folder=site.folder,
        directory=site.directory,
        files=files,
        included=included,
        installer=installer,
    )
    return {source: partial(_same, one) for source, one in built.items()}


def _same(built: Built) -> Built:
    return built
