"""What is run and what came of it, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One version of a function, unpacked in `folder`. `stream`: it may answer in parts.

    `identity` tells programs apart: equal identities may share execution environments. `memory` is
    in MB, `timeout` in seconds of real time.
    """

    identity: str
    name: str
    version: str
    runtime: str
    handler: str
    folder: Path
    memory: int
    timeout: float
    region: str
    log_group: str
    log_format: str = "Text"
    role: str = ""  # what it may do, where somebody judges that
    stream: bool = False
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One invocation: `arn` is what the caller asked for, its qualifier included."""

    payload: bytes
    request_id: str
    arn: str
    trace_id: str = ""
    client_context: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One log event: `at` in epoch seconds; may span several lines of text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an invocation gave. `error` is the error's type (`Runtime.ExitError`), empty if it is
    well; then `payload` is what the handler returned, else AWS's error object. A streamed answer
    that somebody heard leaves no payload.

    `log` holds the platform's and the function's lines, `seconds` the handler's time, `init` that
    of a cold start (None when warm), `memory` the peak in MB.
    """

    payload: bytes
    error: str
    log: tuple[Line, ...]
    seconds: float
    init: float | None
    memory: int
    content_type: str = "application/json"


class Listener(Protocol):
    """Hears a streamed answer while it is made; nothing of one that comes in one piece."""

    def began(self, content_type: str) -> None: ...

    def part(self, data: bytes) -> None: ...


Sink = Callable[[Program, str, tuple[Line, ...]], None]
"""Told a program's log lines with the name of their stream, as they appear."""

Now = Callable[[], float]
"""Epoch seconds, of real time: what runs here takes as long as it takes."""
