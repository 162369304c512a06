"""From a functions folder to `Function` values: found, checked, built, packed, written.

The same input gives the same digests and the same bytes in any folder on any day. Nothing is
written before everything that can be known from names and settings alone is in order.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Problem, site_error
from runner.model import Function
from runner.package.archive import Member, Packer, content_of, write
from runner.package.functions import environment as variables
from runner.package.functions import node, python
from runner.package.functions import settings as wishes
from runner.package.functions.discover import Language, Source, Tree, discover
from runner.package.functions.requirements import Installer, nearest
from runner.package.functions.settings import Configuration, FunctionsSettings
from runner.toolchain import Toolchain

Echo = Callable[[str], None]
# Bytes, unpacked. Source: Lambda developer guide, "Lambda quotas", deployment package (.zip).
_UNPACKED = 250 * 1024 * 1024
_SHOWN = 10  # parts of an archive that is too large
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
) -> tuple[Function, ...]:
    """The functions of the site at `root`, by name; their archives lie in `work/functions`.

    `work` (`.jam`) also holds caches; `environment` is what npm and uv run with, and reaches no
    function. Raises JAM-FUNCTION-*, JAM-ENV, JAM-TOOLCHAIN.
    """
    site = _Site(
        root=root.resolve(),
        directory=directory,
        work=work.resolve(),
        toolchain=toolchain,
        environment=environment,
        echo=echo,
    )
    tree = discover(site.folder)
    configured = _configure(tree, site, settings=settings)
    contents = {**_node_members(configured, site), **_python_members(configured, site, tree=tree)}
    for source, members in contents.items():
        _check_size(source, members)
    packer = Packer()
    return tuple(
        _function(source, configured[source], members=contents[source], site=site, packer=packer)
        for source in tree.sources
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


def _node_members(configured: _Configured, site: _Site) -> dict[Source, Mapping[str, Member]]:
    wanted = {
        source: node.Wanted(
            path=f"{site.directory}/{source.path}",
            runtime=configuration.runtime,
            external=configuration.external,
        )
        for source, configuration in configured.items()
        if source.language is Language.NODE
    }
    bundles = node.bundle_functions(
        list(wanted.values()),
        root=site.root,
        cache=site.cache / "bundles",
        toolchain=site.toolchain,
        environment=site.environment,
        echo=site.echo,
    )
    return {source: node.members(bundles[one.path]) for source, one in wanted.items()}


def _python_members(
    configured: _Configured, site: _Site, *, tree: Tree
) -> dict[Source, Mapping[str, Member]]:
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
    found: dict[Source, Mapping[str, Member]] = {}
    for source, configuration in ours.items():
        file = nearest(site.folder, source.path)
        packages = (
            installer.packages(file, configuration.runtime, architecture=configuration.architecture)
            if file
            else {}
        )
        found[source] = python.members(
            site.folder,
            source.path,
            files=tree.files,
            packages=packages,
            handler=handlers[source],
        )
    return found


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


def _check_size(source: Source, members: Mapping[str, Member]) -> None:
    sizes = {path: len(content_of(member)[0]) for path, member in members.items()}
    total = sum(sizes.values())
    if total > _UNPACKED:
        largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:_SHOWN]
        raise site_error(
            "JAM-FUNCTION-SIZE",
            f"{source.path} unpacks to {total // 2**20} MB; Lambda takes 250 MB",
            hint="Leave out what the function does not need.",
            problems=tuple(
                Problem(where=path, message=f"{sizes[path] / 2**20:.1f} MB") for path in largest
            ),
        )


def _function(
    source: Source,
    configuration: Configuration,
    *,
    members: Mapping[str, Member],
    site: _Site,
    packer: Packer,
) -> Function:
    archive = write(members, packer)
    sha = hashlib.sha256(archive)
    handler = node.HANDLER if source.language is Language.NODE else python.HANDLER
    return Function(
        name=source.name,
        route=source.route,
        methods=configuration.methods,
        runtime=configuration.runtime,
        handler=handler,
        architecture=configuration.architecture,
        memory=configuration.memory,
        timeout=configuration.timeout,
        digest=_digest(configuration, handler, members=members),
        code_sha256=base64.b64encode(sha.digest()).decode(),
        size=len(archive),
        environment=configuration.environment,
        archive=_keep(site.work / "functions" / f"{sha.hexdigest()}.zip", archive),
    )


def _digest(configuration: Configuration, handler: str, *, members: Mapping[str, Member]) -> str:
    """Over the files and the settings, never over the archive: its bytes are the compressor's."""
    files = []
    for path in sorted(members):
        content, executable = content_of(members[path])
        files.append([path, executable, hashlib.sha256(content).hexdigest()])
    settings = [
        handler,
        configuration.runtime,
        configuration.architecture,
        configuration.memory,
        configuration.timeout,
        configuration.methods,
        configuration.environment,
    ]
    return hashlib.sha256(json.dumps([1, files, settings]).encode()).hexdigest()[:32]


def _keep(path: Path, content: bytes) -> Path:
    """Content under its own name: what is there already is the same."""
    if not path.is_file() or path.stat().st_size != len(content):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".writing")
        scratch.write_bytes(content)
        scratch.replace(path)
    return path
