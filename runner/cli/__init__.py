"""The command line: reads arguments and the environment, hands everything on as parameters.

The front door: nothing else reads `os.environ`. What is slow to import is imported by the command
that needs it, so that `--help` and `--version` are instant.
"""

from __future__ import annotations

import gc
import signal

from runner.cli import (
    developing,
    drilling,
    looking,
    operating,
    previewing,
    releasing,
    returning,
    tidying,
)
from runner.cli.border import interrupt
from runner.cli.group import cli

__all__ = [
    "cli",
    "developing",
    "drilling",
    "looking",
    "main",
    "operating",
    "previewing",
    "releasing",
    "returning",
    "tidying",
]


# Objects made before garbage is looked for: by Python's own number that takes a seventh of a
# command's time, for next to nothing that is imported or planned ever becomes garbage.
_MADE = 100_000


def main() -> None:
    """The console script."""
    gc.set_threshold(_MADE, 20, 20)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    cli(prog_name="jam-deploy")
