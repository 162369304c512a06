#!/usr/bin/env -S python3 -I -u
"""The GitHub action's entrypoint: hands the environment on, and ends with the status it gets back.

As `post-entrypoint` it is the same program; the runner tells the two apart by STATE_ variables.
What is slow to import is imported once the log has said what this run is about.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import time
from pathlib import Path

from runner import __version__
from runner.build.powers import hide
from runner.errors import Turn


def run() -> int:
    hide()
    gc.set_threshold(100_000, 20, 20)  # as the command line's: runner/cli
    environment = dict(os.environ)
    _greet(environment)
    from runner.action.cancelled import Cancellation
    from runner.action.console import Console
    from runner.action.job import Outside
    from runner.action.main import main
    from runner.build.apart import Apart, builder_here
    from runner.cli.times import times_of

    cancellation = Cancellation(time.sleep)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, cancellation.handle)
    times = times_of(environment)
    builder = builder_here(os.geteuid())
    outside = Outside(
        environment=environment,
        clock=time.monotonic,
        now=times.now,
        sleep=times.sleep,
        chance=random.random,
        cache=Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jam-deploy",
        apart=Apart(builder=builder, surrounding=environment) if builder else None,
    )
    return main(outside, Console(environment), cancellation)


def _greet(environment: dict[str, str]) -> None:
    """Nothing of it is of a stranger's making: it is printed before there is a console."""
    if "STATE_begun" not in environment:
        event, commit = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_SHA", "")
        print(f"jam-deploy {__version__}: {event} {commit[:7]}", flush=True)


if __name__ == "__main__":
    status = run()
    sys.stdout.flush()
    if status == Turn.CANCELLED:
        os._exit(status)  # threads may still wait for AWS: a cancelled run does not
    sys.exit(status)
