"""An error where it can be mended: on the line of the file, in the pull request's own view."""

from __future__ import annotations

import re
from pathlib import Path

from runner.action.console import Console
from runner.errors import JamError, Problem

_LINE = re.compile(r"(?P<file>[^:\n]+):(?P<line>[0-9]+)\b.*")


def annotate(console: Console, error: JamError, workspace: Path) -> None:
    """One remark on the step, and one on each line that is wrong."""
    for problem in error.problems:
        file, line = place_of(problem, workspace)
        if file:
            console.error(_said(problem), title=error.code, file=file, line=line)
    console.error(f"{error}\n{error.hint}", title=error.code)


def place_of(problem: Problem, workspace: Path) -> tuple[str, int]:
    """File below the repository and line; nothing for a problem that is on none."""
    found = _LINE.fullmatch(problem.where)
    if not found or not (workspace / found["file"]).is_file():
        return "", 0
    return found["file"], int(found["line"])


def _said(problem: Problem) -> str:
    return problem.message + (f" ({problem.hint})" if problem.hint else "")
