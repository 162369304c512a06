"""What the site's build may not read of us: the environment and the memory of this process.

A build runs beside us as the same user. In a container, which lacks CAP_SYS_PTRACE, a process that
is not dumpable is closed to it, to root as well.
Sources: prctl(2), PR_SET_DUMPABLE; proc(5), `/proc/pid/environ`; ptrace(2), access mode checking;
docs.docker.com, "Runtime privilege and Linux capabilities".
"""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def hide() -> None:
    """From here on; programs that we start decide for themselves."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
