"""Builds and packages a site as another user than the one who holds the credentials.

For who is root in a container of ours. The builder lives in a copy of the workspace
(runner/build/house.py), is alone in it with a program that packages (runner/build/cell.py), and
nothing of its stays alive; what it leaves is taken back only if it is what was told of it.
"""

from __future__ import annotations

import base64
import pickle
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import IO, TypeVar, assert_never

import msgspec

from runner.build.cell import (
    Built,
    Defect,
    Failed,
    Line,
    Order,
    Packaged,
    Reachable,
    Told,
)
from runner.build.evicted import evict
from runner.build.house import Builder, House, closed, furnished, leave, open_error, take_back
from runner.build.store import Place
from runner.config.load import Config
from runner.errors import JamError, Turn, site_error
from runner.model import Release, Source

USER = "jam-build"  # whom the Dockerfile makes
SOCKET = Path("/var/run/docker.sock")
# Files that the runner reads or wrote for this run; their folders are closed.
# Source: docs.github.com, "Variables reference", default environment variables.
_FILES = (
    *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),
    *("GITHUB_EVENT_PATH", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS"),
)
_FOLDERS = ("HOME", "RUNNER_TEMP", "GITHUB_WORKSPACE")
_GRACE = 1.5  # seconds: an interrupted run has seven in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be built: `variables` are the build's, `tools` those of npm and uv.

    `known` and `parameters` are what functions' environments refer to, resolved. `source` makes
    of the workspace what is copied into the house; `commands` are those that are left to run.
    """

    config: Config
    commands: tuple[str, ...]
    source: Callable[[Path], AbstractContextManager[Path]]
    environment: str
    variables: Callable[[House], Mapping[str, str]]
    tools: Mapping[str, str] = field(repr=False)
    known: Mapping[str, str] = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    today: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Of one run. `surrounding` is its environment: it names what has to be closed.

    `close` when all that was packaged has been read.
    """

    builder: Builder
    surrounding: Mapping[str, str] = field(repr=False)
    _houses: list[House] = field(default_factory=list)

    def packaged(
        self,
        wish: Wish,
        *,
        echo: Callable[[str], None],
        stage: Callable[[str], AbstractContextManager[None]],
    ) -> Release:
        """The release, its files root's own. Raises what building and packaging raise, and
        JAM-BUILD-APART, before anything is run, where the builder could reach what it must not."""
        with ExitStack() as open_:
            with stage("build"):
                house, order = self._moved_in(wish)
                told = open_.enter_context(self._cell(order))
                _until(told, Built, echo)
            with stage("package"):
                release = _until(told, Packaged, echo).release
        take_back(house.work, _files(release))
        return release

    def close(self) -> None:
        while self._houses:
            leave(self._houses.pop())

    def _moved_in(self, wish: Wish) -> tuple[House, Order]:
        config = wish.config
        root = config.root.resolve()
        workspace = workspace_of(root, self.surrounding)
        with wish.source(workspace) as source:
            house = furnished(source, self.builder, known_as=workspace)
        self._houses.append(house)
        below = house.site / root.relative_to(workspace)
        return house, Order(
            uid=self.builder.uid,
            gid=self.builder.gid,
            config=replace(config, root=below, work=house.work),
            commands=wish.commands,
            environment=wish.environment,
            variables={**wish.variables(house), **house.variables()},
            tools={**wish.tools, **house.variables()},
            known=wish.known,
            parameters=wish.parameters,
            cache=house.cache,
            today=wish.today,
            closed=(*self._closed(workspace), SOCKET),
        )

    def _closed(self, workspace: Path) -> tuple[Path, ...]:
        around = self.surrounding
        named = [Path(around[name]).parent for name in _FILES if around.get(name)]
        named += [Path(around[name]) for name in _FOLDERS if around.get(name)]
        if SOCKET.exists() and SOCKET.stat().st_mode & stat.S_IWOTH:
            named.append(SOCKET.parent)  # in a container of ours it is the container's alone
        found = {each.resolve() for each in (*named, workspace) if each.is_dir()}
        return tuple(sorted(found))

    @contextmanager
    def _cell(self, order: Order) -> Iterator[Iterator[Told]]:
        """What the cell tells; when that is over nobody of its user is left."""
        with closed(each for each in order.closed if each != SOCKET):
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "runner.build.cell"],
                cwd="/",
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with suppress(BrokenPipeError), process.stdin:
                    pickle.dump(order, process.stdin)
                yield _told(process.stdout)
            finally:
                process.terminate()  # its own commands it ends kindly
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE)
                evict(self.builder)
                process.kill()
                process.wait()
                process.stdout.close()


def workspace_of(root: Path, surrounding: Mapping[str, str]) -> Path:
    """What is copied: all that was checked out, for a site may use what lies beside it."""
    workspace = Path(surrounding.get("GITHUB_WORKSPACE") or root).resolve()
    return workspace if root.is_relative_to(workspace) else root


def builder_here(effective: int) -> Builder | None:
    """Who builds where we are: the image's own user, for root in a container of the image."""
    if effective != 0:
        return None
    try:
        found = pwd.getpwnam(USER)
    except KeyError:
        return None
    return Builder(uid=found.pw_uid, gid=found.pw_gid)


def _told(stream: IO[bytes]) -> Iterator[Told]:
    decoder = msgspec.json.Decoder(Told, dec_hook=_place)
    for line in stream:
        yield decoder.decode(line)


def _place(kind: type, value: object) -> object:
    if kind in (Path, Source) and isinstance(value, str):
        return Path(value)
    if kind is Source:
        return msgspec.convert(value, Place)
    raise NotImplementedError(kind)


_Awaited = TypeVar("_Awaited", Built, Packaged)


def _until(told: Iterator[Told], awaited: type[_Awaited], echo: Callable[[str], None]) -> _Awaited:
    """Hands on what is said until then; raises what the cell raised."""
    for each in told:
        if isinstance(each, awaited):
            return each
        match each:
            case Line(text):
                echo(text)
            case Failed(code, message, hint, turn, problems):
                raise JamError(code, message, hint=hint, turn=Turn(turn), problems=problems)
            case Reachable(path):
                raise open_error(f"{path} is open to it")
            case Defect(text):
                raise RuntimeError(text)
            case Built() | Packaged():
                break
            case _:
                assert_never(each)
    raise site_error(
        "JAM-BUILD",
        "The build ended the program that it ran in.",
        hint="Most often the machine ran out of memory: give the build less to do at a time.",
    )


def _files(release: Release) -> Iterator[tuple[Path, str]]:
    """What of it is read later, with its sha256 in hex."""
    for file in release.files:
        yield Path(file.source), file.digest
    for function in release.functions:
        yield function.archive, base64.b64decode(function.code_sha256).hex()
