"""What a command costs: wall and CPU seconds, with every process that it leaves behind.

CPU seconds tell more than the wall's on a machine that is not idle.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans become ours, and so does their CPU time


@dataclass
class Cost:
    """`seconds` of the wall, `cpu` of all processors."""

    seconds: float = 0.0
    cpu: float = 0.0


def adopt_orphans() -> None:
    """Node does not wait for its esbuild: without this its time would be nobody's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


@contextlib.contextmanager
def costs() -> Iterator[Cost]:
    """Filled in at the end, for whatever was started and has ended inside."""
    cost = Cost()
    begun, used = time.perf_counter(), ended_cpu()
    yield cost
    cost.seconds, cost.cpu = time.perf_counter() - begun, ended_cpu() - used


def ended_cpu() -> float:
    """CPU seconds of every process that has ended below this one, orphans included."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    times = os.times()
    return times.children_user + times.children_system
