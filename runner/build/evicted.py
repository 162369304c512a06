"""Ends every process of the builder: what is packaged next nobody can change any more.

As that user, for `kill(-1)` reaches all that the caller may signal at once, so that nothing can
fork faster than it is found. Source: kill(2), `pid` -1.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from runner.build.house import Builder, open_error

_KILL = "import os; os.kill(-1, 9)"
_TRIES = 50


def evict(builder: Builder) -> None:
    """Raises JAM-BUILD-APART where somebody stays alive."""
    for _ in range(_TRIES):
        if not _tenants(builder.uid):
            return
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _KILL],
            user=builder.uid,
            group=builder.gid,
            extra_groups=[],
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    raise open_error("processes of the build do not end")


def _tenants(uid: int) -> list[int]:
    """The builder's processes that run; of those that ended the ones that are our children go."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            status = (folder / "status").read_text(errors="replace")
            told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if str(uid) not in told["Uid"].split():
                continue
            if told["State"].split()[0] not in "ZX":
                found.append(int(folder.name))
            elif int(told["PPid"]) == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(int(folder.name), os.WNOHANG)
    return found
