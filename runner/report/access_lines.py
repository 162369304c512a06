"""How requests of the access log are shown: one line each, nothing in it but text. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from runner.operate.access import request_of
from runner.operate.logs import Line
from runner.report.printable import printable

ReleasesOf = Callable[[str], tuple[str, ...]]

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_HUES = {"2": 32, "3": 36, "4": 33, "5": 31}  # ANSI colours by the status's first digit
_COUNTS = ("status", "bytes", "ms", "function", "lambda", "functionMs")


def shown_request(line: Line, releases: ReleasesOf, *, colour: bool) -> str:
    """`12:00:00.000 200 GET /.functions/notes 12 ms, release 1a2b3c4d`, and what went wrong."""
    at = datetime.fromtimestamp(line.event.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    told = request_of(line.event)
    if not told:
        return printable(f"{at} {line.event.message}")
    status, stage = str(told.get("status", "-")), str(told.get("stage", ""))
    path = _without_stage(str(told.get("path", "-")), stage)
    head = f"{told.get('method', '-')} {path} {told.get('ms', '-')} ms"
    faults = (str(told.get(name, "-")) for name in ("authorizer", "functionError", "error"))
    text = printable(
        ", ".join([head, _release(releases(stage)), *(each for each in faults if each != "-")])
    )
    if colour:
        hue = _HUES.get(status[:1], 0)
        return f"{_DIM}{at}{_RESET} \x1b[{hue}m{printable(status)}{_RESET} {text}"
    return f"{at} {printable(status)} {text}"


def request_document(line: Line, releases: ReleasesOf) -> dict[str, Any]:
    """One request as JSON; `releases` are those that it may have been for, the newest first."""
    told = request_of(line.event)
    at = datetime.fromtimestamp(line.event.at / 1000, UTC).isoformat(timespec="milliseconds")
    if not told:
        return {"at": at, "message": line.event.message}
    stage = str(told.get("stage", ""))
    counted = {name: _count(told[name]) for name in _COUNTS if name in told}
    path = _without_stage(str(told.get("path", "")), stage)
    return {**told, **counted, "at": at, "path": path, "releases": list(releases(stage))}


def _without_stage(path: str, stage: str) -> str:
    return path.removeprefix(f"/{stage}") if stage else path


def _release(releases: tuple[str, ...]) -> str:
    if not releases:
        return "release unknown"
    newest, *others = releases
    return f"release {newest[:8]}" + (f" or {len(others)} before it" if others else "")


def _count(value: Any) -> Any:
    return int(value) if str(value).isdigit() else None
