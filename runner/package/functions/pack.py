"""From what goes into a function's archive to the archive, its digests and the `Function`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from runner.errors import Problem, site_error
from runner.model import Function
from runner.package.archive import FORMAT, Member, Packer, content_of, lambda_digest, write
from runner.package.functions.discover import Source
from runner.package.functions.settings import Configuration

# Bytes, unpacked. Source: Lambda developer guide, "Lambda quotas", deployment package (.zip).
_UNPACKED = 250 * 1024 * 1024
_SHOWN = 10  # parts of an archive that is too large


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What goes into a function's archive, and the map that stays beside it."""

    handler: str
    members: Mapping[str, Member]
    source_map: bytes = b""


def check_size(source: Source, built: Built) -> None:
    """Raises JAM-FUNCTION-SIZE, with the largest parts, for more than Lambda unpacks."""
    sizes = {path: len(content_of(member)[0]) for path, member in built.members.items()}
    total = sum(sizes.values())
    if total > _UNPACKED:
        largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:_SHOWN]
        raise site_error(
            "JAM-FUNCTION-SIZE",
            f"{source.path} unpacks to {total // 2**20} MB; Lambda takes 250 MB",
            hint="Leave out what it does not need (`included_files`, dependencies), or keep what "
            "is large in S3 or a layer.",
            problems=tuple(
                Problem(where=path, message=f"{sizes[path] / 2**20:.1f} MB") for path in largest
            ),
        )


def function_of(
    source: Source,
    configuration: Configuration,
    *,
    built: Built,
    folder: Path,
    packer: Packer,
) -> Function:
    """The function, with its archive in `folder`, named after what is in it."""
    files = _files(built.members)
    path = folder / f"{_sha([FORMAT, files])}.zip"
    archive = _archive(path, built, packer=packer)
    return Function(
        name=source.name,
        route=source.route,
        methods=configuration.methods,
        runtime=configuration.runtime,
        handler=built.handler,
        architecture=configuration.architecture,
        memory=configuration.memory,
        timeout=configuration.timeout,
        digest=_digest(configuration, built.handler, files=files),
        code_sha256=lambda_digest(archive),
        size=len(archive),
        environment=configuration.environment,
        grants=configuration.grants,
        hosting=configuration.hosting,
        upkeep=configuration.upkeep,
        background=configuration.background,
        admission=configuration.admission,
        stream=configuration.stream,
        archive=path,
    )


def _files(members: Mapping[str, Member]) -> list[tuple[str, bool, str]]:
    found = []
    for path in sorted(members):
        content, executable = content_of(members[path])
        found.append((path, executable, hashlib.sha256(content).hexdigest()))
    return found


def _digest(
    configuration: Configuration, handler: str, *, files: list[tuple[str, bool, str]]
) -> str:
    """Over the files and the settings, never over the archive: its bytes are the compressor's."""
    settings = [
        handler,
        configuration.runtime,
        configuration.architecture,
        configuration.memory,
        configuration.timeout,
        configuration.methods,
        configuration.environment,
        astuple(configuration.grants)[1:],
        astuple(configuration.hosting),
        *(["stream"] if configuration.stream else []),
        # With the version goes what becomes of its failed events; not when it runs.
        configuration.background.retries if configuration.background else None,
    ]
    return _sha([1, files, settings])


def _sha(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def _archive(path: Path, built: Built, *, packer: Packer) -> bytes:
    """The archive named after its files and its format: what is there already is the same."""
    if built.source_map:
        _keep(path.with_suffix(".map"), built.source_map)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return _keep(path, write(built.members, packer))


def _keep(path: Path, content: bytes) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.writing")
    scratch.write_bytes(content)
    scratch.replace(path)
    return content
