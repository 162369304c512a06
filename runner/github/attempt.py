"""What may fail without harm: the deploy counts, and what GitHub was not told is told later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from runner.errors import JamError

Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Missed:
    """GitHub was not told; a warning for the run's log. `error` says why, and whose turn it is."""

    what: str
    error: JamError

    def __str__(self) -> str:
        return f"{self.what}: {self.error.message}. {self.error.hint}"


def attempt(what: str, do: Callable[[], Got]) -> Got | Missed:
    """What `do` gets, or what was missed. Only GitHub's errors are: others are raised."""
    try:
        return do()
    except JamError as error:
        if not error.code.startswith("JAM-GITHUB-"):
            raise
        return Missed(what, error)
