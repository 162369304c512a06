"""Python functions as what goes into their archives: handlers found, packages installed.

Every fault of all of them is told at once, kind by kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.errors import site_error
from runner.package.archive import Member
from runner.package.functions.discover import Source
from runner.package.functions.pack import Built
from runner.package.functions.python import HANDLER, handler_of, members
from runner.package.functions.python_imports import absent
from runner.package.functions.requirements import Installer, nearest
from runner.package.functions.settings import Configuration

_Configured = Mapping[Source, Configuration]


def build_python(
    configured: _Configured,
    *,
    folder: Path,
    directory: str,
    files: tuple[str, ...],
    included: Mapping[Source, Mapping[str, Member]],
    installer: Installer,
) -> dict[Source, Built]:
    """The Python functions below `folder`, which is `directory` of the site, with its `files`.

    Raises JAM-FUNCTION-PYTHON and JAM-FUNCTION-DEPENDENCIES.
    """
    handlers = _handlers(configured, folder, directory=directory)
    built = {
        source: Built(
            handler=HANDLER,
            members={
                **included[source],
                **members(
                    folder,
                    source.path,
                    directory=directory,
                    files=files,
                    packages=_packages(source, configuration, folder=folder, installer=installer),
                    handler=handlers[source],
                ),
            },
        )
        for source, configuration in configured.items()
    }
    _refuse_absent(built, configured, folder=folder, directory=directory)
    return built


def _packages(
    source: Source, configuration: Configuration, *, folder: Path, installer: Installer
) -> Mapping[str, Member]:
    file = nearest(folder, source.path)
    if file is None:
        return {}
    return installer.packages(file, configuration.runtime, architecture=configuration.architecture)


def _handlers(configured: _Configured, folder: Path, *, directory: str) -> dict[Source, str]:
    handlers, problems = {}, []
    for source, configuration in configured.items():
        handlers[source], problem = handler_of(
            (folder / source.path).read_bytes(),
            f"{directory}/{source.path}",
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


def _refuse_absent(
    built: Mapping[Source, Built], configured: _Configured, *, folder: Path, directory: str
) -> None:
    """What a layer brings nobody here can see."""
    problems = tuple(
        problem
        for source, one in built.items()
        if not configured[source].hosting.layers
        for problem in absent(
            (folder / source.path).read_bytes(),
            source.path,
            directory=directory,
            members=one.members,
        )
    )
    if problems:
        raise site_error(
            "JAM-FUNCTION-DEPENDENCIES",
            "Python functions import what will not be there",
            hint="Correct these places; all that is wrong is named.",
            problems=problems,
        )
