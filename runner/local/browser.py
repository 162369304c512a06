"""A real browser for rehearsals and tests: plays a script, says what was seen.

Chromium comes from npm (runner/browser) or from the machine; either way no root is needed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import JamError, Turn

FOLDER = Path(__file__).parent.parent / "browser"
ON_MACHINE = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 120  # seconds for a whole script; unpacking Chromium the first time takes three

Action = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a script saw: a result per action, and faults of the pages themselves."""

    results: tuple[Action, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Chromium driven by playwright-core; `path` is what programs are looked for on."""

    node: Path
    path: str | None = None

    def is_there(self) -> bool:
        return (FOLDER / "node_modules" / "playwright-core").is_dir()

    def play(
        self,
        script: Sequence[Action],
        *,
        width: int = 1000,
        height: int = 800,
        limit: float = LIMIT,
    ) -> Seen:
        """Plays `script` (see runner/browser/browse.mjs); raises JAM-BROWSER where it stopped.

        `limit` are seconds for the whole script.
        """
        order = {
            "executable": self._executable(),
            "script": list(script),
            "screen": {"width": width, "height": height},
        }
        done = subprocess.run(
            [str(self.node), str(FOLDER / "browse.mjs")],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
        results = tuple(json.loads(line) for line in done.stdout.splitlines())
        if done.returncode != 0:
            raise _stopped(results, done.stderr)
        return Seen(results=results[:-1], faults=tuple(results[-1]["faults"]))

    def _executable(self) -> str:
        if (FOLDER / "node_modules" / "@sparticuz" / "chromium").is_dir():
            return ""
        found = (shutil.which(name, path=self.path) for name in ON_MACHINE)
        return next((name for name in found if name), "")


def _stopped(results: Sequence[Action], log: str) -> JamError:
    wrong = [result for result in results if not result["ok"] and "error" in result]
    said = wrong[0]["error"] if wrong else log.strip()[-800:]
    at = json.dumps(wrong[0].get("argument")) if wrong else "start"
    faults = "; ".join(results[-1].get("faults", ())) if results else ""
    return JamError(
        "JAM-BROWSER",
        f"the browser stopped at {at}: {said}" + (f" ({faults})" if faults else ""),
        hint="Run with --keep and open the page yourself.",
        turn=Turn.US,
    )
