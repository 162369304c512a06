"""Runs one command, and tells its seconds and the most memory that it had.

`python -m bench.peak_once FILE COMMAND …`: a process of its own, and a small one, because Linux
counts to a process's peak what its parent had when it was forked from it. The JSON in FILE has
`seconds` and `mb`; the exit status is the command's. Source: getrusage(2), ru_maxrss; the kernel's
fs/exec.c, where a new program inherits the peak of the memory that it replaces.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

UNIT = 1024 if sys.platform == "linux" else 1024 * 1024  # of ru_maxrss in a MB


def main(file: str, *command: str) -> int:
    begun = time.perf_counter()
    _, status, usage = os.wait4(os.spawnvp(os.P_NOWAIT, command[0], command), 0)
    seconds = time.perf_counter() - begun
    told = {"seconds": round(seconds, 3), "mb": round(usage.ru_maxrss / UNIT, 1)}
    Path(file).write_text(json.dumps(told))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
