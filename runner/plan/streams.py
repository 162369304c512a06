"""Functions that send their answers as they make them, as the distribution knows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.model import Function


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Stream:
    """A streaming function's name and its route, which is the path of its own behaviour."""

    name: str
    route: str


def streams_of(functions: Iterable[Function]) -> tuple[Stream, ...]:
    """Those of `functions` that stream, by name."""
    found = (Stream(name=each.name, route=each.route) for each in functions if each.stream)
    return tuple(sorted(found))
