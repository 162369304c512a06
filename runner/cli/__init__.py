"""The command line: reads arguments and the environment, hands everything on as parameters.

The front door: nothing else reads `os.environ`. What is slow to import is imported by the command
that needs it, so that `--help` and `--version` are instant.
"""

from __future__ import annotations

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


def main() -> None:
    """The console script."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    cli(prog_name="jam-deploy")
