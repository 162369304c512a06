"""What a container action sees, made of namespaces: no engine, no image, a tenth of a second.

A command runs as PID 1 of its own processes, with the capabilities that Docker leaves root, with
the user of our Dockerfile and the runner's mounts below /mnt/github. Needs root with CAP_SYS_ADMIN.
Sources: unshare(1); docs.docker.com, "Runtime privilege and Linux capabilities".
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILDER = 61001  # the Dockerfile's
GITHUB = Path("/mnt/github")
# Docker's default set, without those that nothing here needs.
_KEPT = "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,sys_chroot"
_OPEN = 0o005


@functools.cache
def missing() -> str:
    """What there is not here; empty where this works."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    for program in ("unshare", "setpriv", "mount"):
        if not shutil.which(program):
            return f"needs {program}"
    tried = subprocess.run(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "mount",
            "-t",
            "tmpfs",
            "t",
            "/mnt",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"namespaces are refused: {tried.stderr.strip()}" if tried.returncode else ""


needs_namespaces = pytest.mark.skipif(bool(missing()), reason=f"a build apart: {missing()}")


def inside(command: Iterable[str], mounts: Mapping[Path, Path], scratch: Path) -> list[str]:
    """`command` in such a container, as a command; `mounts` are folders by their new places."""
    scratch.mkdir(exist_ok=True)
    (scratch / "passwd").write_text(
        f"{Path('/etc/passwd').read_text()}jam-build:x:{BUILDER}:{BUILDER}::/nonexistent:/bin/false\n"
    )
    drop = ["setpriv", f"--bounding-set=-all,+{_KEPT.replace(',', ',+')}", "--inh-caps=-all"]
    script = "\n".join(
        [
            "set -e",
            *_revealed(scratch / "hold"),
            f"mount --bind {_q(scratch / 'passwd')} /etc/passwd",
            "mount -t tmpfs -o mode=755 t /mnt",
            *(f"mkdir -p {_q(to)} && mount --bind {_q(of)} {_q(to)}" for to, of in mounts.items()),
            f"exec {shlex.join([*drop, *command])}",
        ]
    )
    return [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        script,
    ]


def _revealed(hold: Path) -> Iterator[str]:
    """Our program for everybody, as in an image, where a folder above it is closed here."""
    needed = {ROOT, Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent}
    by_top: dict[Path, list[Path]] = {}
    for path in needed:
        if top := next((it for it in reversed(path.parents) if _closed(it)), None):
            by_top.setdefault(top, []).append(path)
    for number, (top, paths) in enumerate(by_top.items()):
        held = hold / str(number)
        yield f"mkdir -p {_q(held)} && mount --bind {_q(top)} {_q(held)}"
        yield f"mount -t tmpfs -o mode=755 t {_q(top)}"
        for path in sorted(paths):
            inner = held / path.relative_to(top)
            yield f"mkdir -p {_q(path)} && mount --bind {_q(inner)} {_q(path)}"


def _closed(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) & _OPEN != _OPEN


def _q(path: Path) -> str:
    return shlex.quote(str(path))
