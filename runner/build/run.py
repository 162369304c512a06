"""Runs the site's install and build commands and says where the result lies.

Everything comes in by parameters; the commands are the site's own and run with the environment
that runner/build/environment.py makes. Reads no file of the result: see runner/build/publish.py.
"""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.build import child, worktree
from runner.build.child import Echo
from runner.errors import JamError, Problem, site_error

KEPT = 200  # lines of output that an error or a report may show
SHOWN = 30  # last lines in the error itself
HEAD = (
    15  # first lines of a failed command in it: npm says there what is wrong, then how it is used
)
USUAL = ("dist", "build", "out", "public", "_site", ".output/public", ".vitepress/dist")
LISTED = 20  # files in the error about writing elsewhere
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # what a shell answers (POSIX, "Exit Status for Commands")


class Run(Protocol):
    """Runs a shell command in a folder and hands on its lines; its exit status."""

    def __call__(
        self, command: str, root: Path, /, *, environment: Mapping[str, str], echo: Echo
    ) -> int: ...


@dataclass(slots=True)
class _Heard:
    """What the commands printed: the last lines of all, the first of the one that runs."""

    last: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    first: list[str] = field(default_factory=list)
    count: int = 0  # lines of the one that runs

    def begin(self) -> None:
        self.first, self.count = [], 0

    def hear(self, line: str) -> None:
        self.last.append(line)
        self.count += 1
        if self.count <= HEAD:
            self.first.append(line)

    def shown(self) -> tuple[str, ...]:
        last = tuple(self.last)[-SHOWN:]
        if self.count <= SHOWN:
            return last
        hidden = self.count - SHOWN - HEAD
        gap = (f"... {hidden} lines",) if hidden > 0 else ()
        return (*self.first[: self.count - SHOWN], *gap, *last)


@dataclass(frozen=True, slots=True)
class Built:
    """The publish folder, resolved, and the last lines that the commands printed."""

    publish: Path
    lines: tuple[str, ...]


def build(
    commands: tuple[str, ...],
    root: Path,
    *,
    publish: str,
    environment: Mapping[str, str],
    echo: Echo,
    may_write: tuple[str, ...] = (),
    runs: Run = child.run,
    watched: bool = True,
) -> Built:
    """Runs `commands` (install first) one after another in `root`; none is fine for plain HTML.

    `publish` is relative to `root`; `may_write` are further folders that a build may fill. `runs`
    runs a command; unless it is `watched`, nobody looks what else was written. Raises
    JAM-BUILD for a failed command, JAM-PUBLISH for a missing, empty or foreign publish folder,
    JAM-BUILD-OUTSIDE when the build changed or made other files of the repository.
    """
    heard = _Heard()
    before = worktree.snapshot(root, environment) if commands and watched else None
    for command in commands:
        _run(command, root, environment=environment, echo=echo, heard=heard, runs=runs)
    after = worktree.snapshot(root, environment) if before else None
    folder = root / publish
    stray: tuple[str, ...] = ()
    if before and after:
        inside = (folder, *(root / name for name in may_write))
        stray = worktree.written(before, after, inside=inside)
    _check_publish(folder, root, stray=stray)
    if stray:
        raise _wrote_outside(stray, publish, tuple(heard.last)[-SHOWN:])
    return Built(folder.resolve(), tuple(heard.last))


def _run(
    command: str,
    root: Path,
    *,
    environment: Mapping[str, str],
    echo: Echo,
    heard: _Heard,
    runs: Run,
) -> None:
    heard.begin()

    def hear(line: str) -> None:
        heard.hear(line)
        echo(line)

    status = runs(command, root, environment=environment, echo=hear)
    if status != 0:
        raise _failed(command, status, heard.shown())


def _failed(command: str, status: int, lines: tuple[str, ...]) -> JamError:
    return site_error(
        "JAM-BUILD",
        _with_lines(f"`{command}` {_ending(status)}.", lines),
        hint=_remedy(command, status),
    )


def _ending(status: int) -> str:
    number = -status if status < 0 else status - 128
    if status < 0 or (status > 128 and number in set(signal.Signals)):
        return f"was ended by {signal.Signals(number).name}"
    return f"ended with status {status}"


def _remedy(command: str, status: int) -> str:
    if status == _NOT_FOUND:
        return (
            "the shell did not find the command: name it in build.install's dependencies, or set "
            "build.install and build.command in jam.toml"
        )
    if status == _NOT_EXECUTABLE:
        return "the file is not executable: chmod +x it and commit that"
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return "most often the machine ran out of memory: give the build less to do at a time"
    return f"run `{command}` on your own machine with a clean checkout; the lines above say why"


def _check_publish(folder: Path, root: Path, *, stray: tuple[str, ...]) -> None:
    name = folder.relative_to(root) if folder.is_relative_to(root) else folder
    if not folder.resolve().is_relative_to(root.resolve()):
        raise site_error(
            "JAM-PUBLISH",
            f"The publish folder `{name}` lies outside the site.",
            hint="set build.publish in jam.toml to a folder below the site's own",
        )
    if not folder.is_dir():
        fault = "is not a folder" if folder.exists() else "does not exist after the build"
    elif next(folder.iterdir(), None) is None:
        fault = "is empty after the build"
    else:
        return
    raise site_error(
        "JAM-PUBLISH", f"The publish folder `{name}` {fault}.", hint=_likely_folder(root, stray)
    )


def _likely_folder(root: Path, stray: tuple[str, ...]) -> str:
    """Where the build did write, if that can be seen."""
    counted = Counter(name.split("/")[0] for name in stray if "/" in name)
    known = [name for name in USUAL if (root / name / "index.html").is_file()]
    found = [*known, *(name for name, _ in counted.most_common(1))]
    if not found:
        return "set build.publish in jam.toml to the folder that your build writes to"
    return f'there are files in `{found[0]}`: set build.publish = "{found[0]}" in jam.toml'


def _wrote_outside(stray: tuple[str, ...], publish: str, lines: tuple[str, ...]) -> JamError:
    more = f" (the first {LISTED} of them below)" if len(stray) > LISTED else ""
    count = "1 file" if len(stray) == 1 else f"{len(stray)} files"
    summary = f"The build wrote {count} outside its publish folder `{publish}`{more}."
    return site_error(
        "JAM-BUILD-OUTSIDE",
        _with_lines(summary, lines),
        hint="write to the publish folder, name generated files in .gitignore, or commit them as "
        "the build leaves them",
        problems=tuple(Problem(where=name, message="changed") for name in stray[:LISTED]),
    )


def _with_lines(summary: str, lines: tuple[str, ...]) -> str:
    return "\n".join([summary, *(f"  | {line}" for line in lines)])
