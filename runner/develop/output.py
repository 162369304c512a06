"""What a developer reads of a function's log: its own lines, nothing of the platform's. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# The platform's own lines; of a REPORT only what ended badly is told elsewhere.
_PLATFORM = re.compile(r"(?:INIT_START|INIT_REPORT|(?:START|END|REPORT) RequestId)\b")
_NODE = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z\t[\w-]+\t(?P<level>[A-Z]+)\t(?P<message>.*)", re.DOTALL
)
_PYTHON = re.compile(r"\[(?P<level>[A-Z]+)\]\t?\s*\d{4}-[^\t]*\t[\w-]+\t(?P<message>.*)", re.DOTALL)
_FAULT = re.compile(r"(?P<title>[\w ]+?)\s*\t(?P<error>\{.*\})", re.DOTALL)
_TIMED_OUT = re.compile(r"\d{4}-\S+ \S+ (?P<message>Task timed out .*)")
_REQUEST = re.compile(r"RequestId: \S+ (?P<message>.*)", re.DOTALL)


# Frames of our runtime client and of Node itself say nothing about the function.
_FOREIGN = re.compile(
    r"\s+at .*(?:/execution/client\.mjs|node:internal/|new Promise \(<anonymous>\)).*"
)


def readable(text: str) -> Iterator[str]:
    """The lines to show of one log event; none for the platform's own."""
    if _PLATFORM.match(text):
        return
    for line in _shown(text).rstrip().split("\n"):
        if not _FOREIGN.fullmatch(line):
            yield line


def _shown(text: str) -> str:
    if found := _NODE.fullmatch(text) or _PYTHON.fullmatch(text):
        level, message = found["level"], _fault(found["message"])
        return message if level in ("INFO", "DEBUG", "TRACE") else f"{level} {message}"
    if found := _TIMED_OUT.fullmatch(text) or _REQUEST.fullmatch(text):
        return f"ERROR {found['message']}"
    return text.replace("\xa0", " ")  # how Lambda's Python client indents a traceback


def _fault(message: str) -> str:
    """An uncaught error as Node prints it: its stack, whose first line names it."""
    found = _FAULT.fullmatch(message)
    try:
        error = json.loads(found["error"]) if found else None
    except ValueError:
        return message
    if found is None or not isinstance(error, dict):
        return message
    stack = error.get("stack") or [f"{error.get('errorType')}: {error.get('errorMessage')}"]
    return f"{found['title']}: " + "\n".join(map(str, stack))
