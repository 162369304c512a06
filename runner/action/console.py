"""What the action says to GitHub's runner: the one module that writes workflow commands.

Everything that is not a command goes through `harmless`; what a build prints stands between
stop-commands tokens as well. Writes outputs, state and summary, never GITHUB_ENV or GITHUB_PATH.
Source: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from actions_toolkit import core

from runner.action.harmless import harmless

# A step's summary is dropped whole above 1 MiB. Source: as above, "Step isolation and limits".
SUMMARY = 1_000_000  # bytes
_SHORTEST = 4  # characters: a mask on less would hide half of every log


class Console:
    """Of one step. `environment` names the files that the runner reads when it has ended."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.RLock()
        self._stopped = ""

    def mask(self, secret: str) -> None:
        """From here on the runner shows stars in its place."""
        for line in secret.splitlines():
            if len(line) >= _SHORTEST:
                self._command(partial(core.set_secret, line))

    def line(self, text: str) -> None:
        with self._lock:
            self._resume()
            for each in harmless(text):
                sys.stdout.write(f"{each}\n")
            sys.stdout.flush()

    def foreign(self, text: str) -> None:
        """What a build printed: until something else is said no command is taken from anybody."""
        with self._lock:
            if not self._stopped:
                self._stopped = secrets.token_hex(16)
                core.issue_command("stop-commands", {}, self._stopped)
            for each in harmless(text):
                sys.stdout.write(f"  │ {each}\n")
            sys.stdout.flush()

    def group(self, name: str) -> None:
        self._command(lambda: core.start_group(" ".join(harmless(name))))

    def end_group(self) -> None:
        self._command(core.end_group)

    def notice(self, message: str, *, title: str = "") -> None:
        self._remark("notice", message, {"title": title})

    def warning(self, message: str, *, title: str = "") -> None:
        self._remark("warning", message, {"title": title})

    def error(self, message: str, *, title: str = "", file: str = "", line: int = 0) -> None:
        place = {"file": file, "line": str(line) if line else ""}
        self._remark("error", message, {"title": title, **place})

    def output(self, name: str, value: str) -> None:
        if self._environment.get("GITHUB_OUTPUT"):
            core.set_output(name, value)

    def state(self, name: str, value: str) -> None:
        """For the step's own `post`, as STATE_<name>."""
        if self._environment.get("GITHUB_STATE"):
            core.save_state(name, value)

    def summary(self, markdown: str) -> None:
        """Adds to the page of the job."""
        file = self._environment.get("GITHUB_STEP_SUMMARY")
        if not file:
            return
        with Path(file).open("ab") as page:
            room = max(0, SUMMARY - page.tell())
            page.write(f"{markdown}\n\n".encode(errors="replace")[:room])

    def close(self) -> None:
        with self._lock:
            self._resume()

    def _remark(self, kind: str, message: str, properties: Mapping[str, str]) -> None:
        told = {name: value for name, value in properties.items() if value}
        text = "\n".join(harmless(message))
        self._command(lambda: core.issue_command(kind, told, text))

    def _command(self, issue: Callable[[], None]) -> None:
        with self._lock:
            self._resume()
            issue()
            sys.stdout.flush()

    def _resume(self) -> None:
        if self._stopped:
            core.issue(self._stopped)
            self._stopped = ""
