"""A streamed answer on its way: from the thread that runs a function to the one that serves it.

The function runs to its end whether or not anybody still listens, as on AWS.
Source: Lambda developer guide, "Response streaming for Lambda functions".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue

from runner.execution.program import Listener, Outcome

Run = Callable[[Listener], Outcome]


class CutError(Exception):
    """A streamed answer ended before its end: its function failed or took too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A streamed answer whose first word is there; `parts` raises CutError where it is cut off."""

    content_type: str
    parts: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Head:
    content_type: str


def begin(run: Run) -> Begun | Outcome:
    """Runs a function in a thread of its own and waits for its first word.

    An Outcome is that of an answer in one piece, or of a failure before the first word. Raises
    what `run` raises before that.
    """
    relay = _Relay()
    threading.Thread(target=relay.carry, args=(run,), daemon=True, name="stream").start()
    first = relay.next()
    if isinstance(first, Outcome):
        return first
    assert isinstance(first, _Head)
    second = relay.next()
    if isinstance(second, Outcome) and second.error:
        return second
    return Begun(content_type=first.content_type, parts=_parts(second, relay))


class _Relay:
    """What the running function says, in order."""

    def __init__(self) -> None:
        self._said: SimpleQueue[_Head | bytes | Outcome | Exception] = SimpleQueue()

    def carry(self, run: Run) -> None:
        try:
            self._said.put(run(self))
        except Exception as error:  # noqa: BLE001 -- handed on to whoever waits for the answer
            self._said.put(error)

    def began(self, content_type: str) -> None:
        self._said.put(_Head(content_type))

    def part(self, data: bytes) -> None:
        self._said.put(data)

    def next(self) -> _Head | bytes | Outcome:
        said = self._said.get()
        if isinstance(said, Exception):
            raise said
        return said


def _parts(first: _Head | bytes | Outcome, relay: _Relay) -> Iterator[bytes]:
    said = first
    while not isinstance(said, Outcome):
        if isinstance(said, bytes) and said:
            yield said
        try:
            said = relay.next()
        except Exception as error:
            raise CutError(str(error)) from error
    if said.error:
        raise CutError(said.error)
