"""What uv says when packages cannot be had: the line that it is about, and what there is to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from runner.errors import JamError, Problem, busy_error, site_error

# uv's own words; the first that fits counts. What it concludes, it always says.
_CASES = (
    (
        r"no usable wheels|building from source is disabled|no wheels? with a matching",
        "Only wheels for {platform} will do, nothing is compiled: choose a version that has one, "
        "or another `runtime` or `architecture`.",
    ),
    (
        r"not found in the package registry|was not found in",
        "No index knows the name: correct it, or name your own index with --index-url.",
    ),
    (r"HTTP status client error", "The index refuses: look at its address and credentials."),
    (r"there (?:is|are) no versions? of", "Choose a version that has been published."),
    (r"requires? .?python|Python>=|Requires-Python", "Choose another version or `runtime`."),
    (r"uv\.lock|lockfile", "Run `uv lock` there and commit uv.lock."),
    (r"Distribution not found at|No such file", "The path counts from the file that names it."),
    (r"unsatisfiable", "These requirements contradict each other: loosen one of them."),
    (r"Unexpected|Expected|Couldn't parse", "One requirement a line, as pip reads them."),
)
_OTHERWISE = "Correct the requirements; `uv pip install -r` says the same on your machine."
_NETWORK = re.compile(r"error sending request|dns error|[Cc]onnection (?:refused|reset)|timed out")
# The list that we write for uv: line by line what the user's files ask for.
_OURS = re.compile(r"`?[^\s`]*/installing-\w+/requirements\.txt(?::(\d+):\d+)?`?")
# How it begins, and advice on options that only we give it.
_AROUND = re.compile(r"\A(?:error|warning): |\n\nhint: .*", re.DOTALL)


def failed(file: Path, said: str, *, where: str, platform: str, asked: Sequence[str]) -> JamError:
    """The error for `file`, told as `where`, after uv `said` why; `asked` are the lines it got."""
    message = _OURS.sub(file.name, _AROUND.sub("", said)).strip()
    if _NETWORK.search(said):
        return busy_error(
            "JAM-FUNCTION-INDEX",
            f"{where}: the index of Python packages does not answer: {message}",
            hint="Nothing is lost: run again once it can be reached.",
        )
    line = _line(file, said, asked)
    hint = next((hint for words, hint in _CASES if re.search(words, said)), _OTHERWISE)
    return site_error(
        "JAM-FUNCTION-DEPENDENCIES",
        f"Python packages cannot be installed for {platform}",
        hint=hint.format(platform=platform),
        problems=(Problem(where=f"{where}:{line}" if line else where, message=message),),
    )


def _line(file: Path, said: str, asked: Sequence[str]) -> int:
    """The line that uv counts, else the first whose package it names; 0 if there is none."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    ours = _OURS.search(said)
    if ours and ours[1] and int(ours[1]) <= len(asked):
        text = asked[int(ours[1]) - 1]
        return next((number for number, line in enumerate(lines, 1) if text in line), 0)
    for number, line in enumerate(lines, start=1):
        name = re.match(r"\W*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if name and re.search(rf"(?<![\w-]){re.escape(name[1])}(?![\w-])", said, re.IGNORECASE):
            return number
    return 0
