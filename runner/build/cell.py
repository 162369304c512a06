"""The program in which a site is built and packaged apart: root starts it, and it is root no more.

Everything that comes from the site is run, read and parsed here, with the builder's rights, so
that a link to what the builder may not read leads nowhere. It hears one order and answers with
lines; who gave the order trusts none of the files that it names (runner/build/apart.py).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec

from runner.build.powers import adopt_orphans, become, die_with_parent
from runner.errors import JamError, Problem, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from runner.config.load import Config

from runner.model import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build. `variables` are the build's, `tools` those of npm and uv; `known` and
    `parameters` are what functions' environments refer to. Nothing of `closed` may be reached."""

    uid: int
    gid: int
    config: Config
    commands: tuple[str, ...]
    environment: str
    variables: Mapping[str, str] = field(repr=False)
    tools: Mapping[str, str] = field(repr=False)
    known: Mapping[str, str] = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    cache: Path
    today: date | None
    closed: tuple[Path, ...]


class Line(msgspec.Struct, frozen=True, tag=True):
    """What a command printed, or packaging has to say."""

    text: str


class Built(msgspec.Struct, frozen=True, tag=True):
    """The build is over; packaging begins."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A `JamError`."""

    code: str
    message: str
    hint: str
    turn: int
    problems: tuple[Problem, ...]


class Defect(msgspec.Struct, frozen=True, tag=True):
    """Any other exception, as Python tells it."""

    text: str


class Packaged(msgspec.Struct, frozen=True, tag=True):
    """The release; its files lie below the order's `config.work`."""

    release: Release


class Reachable(msgspec.Struct, frozen=True, tag=True):
    """Nothing was run, for the builder could reach this."""

    path: str


Told = Line | Built | Failed | Defect | Packaged | Reachable


def main() -> None:
    # From our own parent, over a pipe that nobody else has.
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301 -- as said above
    become(order.uid, order.gid)
    die_with_parent(signal.SIGKILL)
    adopt_orphans()
    signal.signal(signal.SIGTERM, _interrupted)
    os.umask(0o022)
    with _telling() as tell:
        if found := next((each for each in order.closed if _reached(each)), None):
            tell(Reachable(str(found)))
            return
        try:
            for told in _done(order, tell):
                tell(told)
        except JamError as error:
            tell(Failed(error.code, error.message, error.hint, int(error.turn), error.problems))
        except PermissionError as error:  # a path of the site's that leads to others' files
            tell(_closed(error))
        except Exception:  # noqa: BLE001 -- a border: whoever gave the order hears of a defect
            tell(Defect(traceback.format_exc()))


def _closed(error: PermissionError) -> Failed:
    return Failed(
        code="JAM-UNSAFE-FILE",
        message=f"{error.filename} is closed to builds: {error.strerror}",
        hint="name files of the site's own, and let builds leave them readable",
        turn=int(Turn.SITE),
        problems=(),
    )


def _reached(path: Path) -> bool:
    """Whether anything but passing through is granted."""
    return os.access(path, os.R_OK) or os.access(path, os.W_OK)


def _done(order: Order, tell: Any) -> Iterator[Told]:
    from runner.build.run import build
    from runner.package.site import Surroundings, package

    config = order.config

    def echo(line: str) -> None:
        tell(Line(line))

    built = build(
        order.commands,
        config.root,
        publish=config.publish,
        environment=order.variables,
        echo=echo,
    )
    yield Built()
    around = Surroundings(
        environment=order.known,
        tools=order.tools,
        cache=order.cache,
        echo=echo,
        parameter=order.parameters.__getitem__,
        today=order.today,
    )
    yield Packaged(package(config, built.publish, around, order.environment))


@contextlib.contextmanager
def _telling() -> Iterator[Any]:
    """The way to our parent alone: what anything else prints goes nowhere."""
    encoder = msgspec.json.Encoder(enc_hook=str)
    descriptor = os.dup(1)  # is closed where another program begins
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nowhere, each)
    with open(descriptor, "wb", buffering=0) as way:  # noqa: PTH123 -- of a descriptor

        def tell(told: Told) -> None:
            data = memoryview(encoder.encode(told) + b"\n")
            while data:
                data = data[way.write(data) or 0 :]

        yield tell


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
