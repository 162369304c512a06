"""How log lines of functions are shown: who wrote them in front, nothing in them but text. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from runner.operate.logs import Line
from runner.report.printable import printable

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_HUES = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ANSI colours; red is left to the terminal
# Node's runtime writes `\r` where a text of several lines has a line end.
_ENDS = re.compile(r"\r\n|[\n\r]")


def shown(line: Line, *, width: int, colour: bool) -> str:
    """`12:00:00.000 notes/[id]@3 │ text`; a text of several lines stands below itself.

    `width` is that of the longest name with its version.
    """
    first, *rest = _ENDS.split(line.event.message.rstrip("\r\n"))
    label = label_of(line).ljust(width)
    head = f"{_time(line.event.at)} {label} │ "
    below = " " * (len(head) - 2) + "│ "
    texts = [printable(first), *map(printable, rest)]
    if colour:
        head = f"{_DIM}{_time(line.event.at)}{_RESET} {_hue(line.function)}{label} │{_RESET} "
    return "\n".join([head + texts[0], *(below + text for text in texts[1:])])


def label_of(line: Line) -> str:
    return printable(f"{line.function}@{line.event.version or '?'}")


def document(line: Line) -> dict[str, object]:
    """One line as JSON."""
    event = line.event
    return {
        "at": datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds"),
        "function": line.function,
        "version": event.version,
        "message": event.message.rstrip("\n"),
    }


def _hue(function: str) -> str:
    """The same for a function in every run."""
    return f"\x1b[{_HUES[sum(function.encode()) % len(_HUES)]}m"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
