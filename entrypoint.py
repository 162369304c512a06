#!/usr/bin/env -S python3 -I -u
"""The GitHub action's entrypoint: hands the environment on, and ends with the status it gets back.

As `post-entrypoint` it is the same program; the runner tells the two apart by STATE_ variables.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from runner.action.cancelled import Cancellation
from runner.action.console import Console
from runner.action.job import Outside
from runner.action.main import main
from runner.build.apart import Apart, builder_here
from runner.build.powers import hide
from runner.cli.times import times_of
from runner.errors import Turn


def run() -> int:
    hide()
    environment = dict(os.environ)
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


if __name__ == "__main__":
    status = run()
    sys.stdout.flush()
    if status == Turn.CANCELLED:
        os._exit(status)  # threads may still wait for AWS: a cancelled run does not
    sys.exit(status)
