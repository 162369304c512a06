"""What esbuild says on its standard error, as problems with file and line. Pure."""

from __future__ import annotations

import re

from runner.errors import Problem

# "✘ [ERROR] message", a blank line, then four spaces and "path:line:column:" if it has a place.
_MESSAGE = re.compile(r"^\S+ \[(ERROR|WARNING)\] (.*)$", re.MULTILINE)
_PLACE = re.compile(r"\s*\n {4}(\S.*?):(\d+):\d+:\n")


def problems(text: str, kind: str) -> tuple[Problem, ...]:
    """Those of a kind, ERROR or WARNING; one without a place is `where` esbuild."""
    found = []
    for message in _MESSAGE.finditer(text):
        place = _PLACE.match(text, message.end())
        if message[1] == kind:
            where = f"{place[1]}:{place[2]}" if place else "esbuild"
            found.append(Problem(where=where, message=re.sub(r" \[[a-z-]+\]$", "", message[2])))
    return tuple(found)
