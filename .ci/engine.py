"""Docker for CI: the engine that runs here, else one that is started and ended by this program.

`Skipped` says what this machine lacks, and is no failure; what ends the program ends the engine.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = {"docker": "docker.io", "dockerd": "docker.io", "debootstrap": "debootstrap"}
APT = (
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-q",
    "-o",
    "DPkg::Lock::Timeout=60",
    "-o",
    "Acquire::Retries=2",
)
NO_SERVICES = Path("/usr/sbin/policy-rc.d")  # 101 keeps packages from starting any
ROOM = {"overlay2": 5, "vfs": 20}  # GB: vfs copies every layer
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class Skipped(Exception):  # noqa: N818 -- it is none
    """What is to be played cannot be played here, and why."""


@dataclass(frozen=True)
class Shell:
    """Runs commands in groups of their own that end with them; what they say is in `log`."""

    log: Path
    until: float  # of time.monotonic: nothing that prepares goes on after that

    def run(
        self,
        *command: str,
        seconds: float,
        shown: bool = False,
        variables: Mapping[str, str] = {},  # never changed
    ) -> int:
        """The exit status; 124 for one that took longer."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=None if shown else log,
                stderr=None if shown else log,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            end(process)

    def prepare(self, *command: str, seconds: float) -> bool:
        """Whether it went well, in what is left of the time to prepare."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise Skipped("to prepare it takes too long on this machine")
        return self.run(*command, seconds=min(seconds, left)) == 0

    def told(self, *command: str, seconds: float = 30) -> str:
        """What it says; nothing where it fails."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""


def end(process: subprocess.Popen[bytes], *, patience: float = 10) -> None:
    """Ends it and its group, kindly first; a group whose leader is gone at once."""
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(shell: Shell) -> bool:
    return bool(shell.told("docker", "info", "--format", "{{.ServerVersion}}").strip())


@contextmanager
def engine(shell: Shell, work: Path) -> Iterator[bool]:
    """One that answers; whether it is our own, which has no network but the machine's."""
    if answers(shell):
        yield False
        return
    if os.geteuid() != 0:
        raise Skipped("no engine answers, and only root can start one")
    install(shell, "docker", "dockerd")
    for driver in ROOM:
        with _started(shell, work / driver, driver) as is_up:
            if is_up:
                yield True
                return
            print((work / driver / "log").read_text(errors="replace")[-600:])
    raise Skipped("dockerd does not start here")


def install(shell: Shell, *programs: str) -> None:
    """The packages that give these programs, where they are missing."""
    missing = sorted({PACKAGES[each] for each in programs if not shutil.which(each)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Skipped(f"{' '.join(missing)} cannot be installed: no root, or no apt")
    print(f"image: installing {' '.join(missing)}", flush=True)
    with _no_services():
        shell.prepare(*APT, "update", seconds=90)  # one broken source is not all of them
        words = (*APT, "install", "-y", "--no-install-recommends", *missing)
        if not twice(lambda: shell.prepare(*words, seconds=180)):
            raise Skipped(f"{' '.join(missing)} cannot be installed by apt")


def twice(act: Callable[[], bool]) -> bool:
    if act():
        return True
    time.sleep(5)
    return act()


@contextmanager
def _no_services() -> Iterator[None]:
    if NO_SERVICES.exists():
        yield
        return
    NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
    NO_SERVICES.chmod(0o755)
    try:
        yield
    finally:
        NO_SERVICES.unlink(missing_ok=True)


@contextmanager
def _started(shell: Shell, folder: Path, driver: str) -> Iterator[bool]:
    folder.mkdir()
    if shutil.disk_usage(folder).free < ROOM[driver] << 30:
        raise Skipped(f"less than {ROOM[driver]} GB are free in {folder}")
    words = (
        *("dockerd", "--host", f"unix://{folder}/sock", "--pidfile", f"{folder}/pid"),
        *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
        *("--iptables=false", "--bridge=none", "--storage-driver", driver),
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_mortal,  # noqa: PLW1509 -- nothing here has threads
        )
    os.environ["DOCKER_HOST"] = f"unix://{folder}/sock"
    try:
        yield _waited(shell, process)
    finally:
        _end(shell, process, folder)
        del os.environ["DOCKER_HOST"]


def _mortal() -> None:
    """A killed program leaves no engine behind."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def _waited(shell: Shell, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 40
    while process.poll() is None and time.monotonic() < until:
        if answers(shell):
            return True
        time.sleep(0.3)
    return False


def _end(shell: Shell, process: subprocess.Popen[bytes], folder: Path) -> None:
    left = shell.told("docker", "ps", "--quiet", seconds=10).split()
    if left:
        shell.told("docker", "kill", *left)
    end(process, patience=20)
    for each in _named(folder):  # what a killed engine leaves: containers' keepers
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    for mounted in _mounts(folder):
        shell.told("umount", "-l", mounted)


def _named(folder: Path) -> Iterator[int]:
    """Processes that have a file of this folder in their command."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if int(each.parent.name) != os.getpid() and f"{folder}/".encode() in each.read_bytes():
                yield int(each.parent.name)


def _mounts(folder: Path) -> Sequence[str]:
    lines = Path("/proc/mounts").read_text().splitlines()
    found = (line.split()[1] for line in lines)
    return sorted((each for each in found if each.startswith(f"{folder}/")), reverse=True)
