"""One request as the operations see it, and what they answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runner.local.github.shapes import Shapes
from runner.local.github.state import Pull, RefusedError, Repository, State, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """All of a list, to be told page by page; `within` names it in an object with a count.

    `among` are that object's other members.
    """

    items: Sequence[Any]
    within: str = ""
    among: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`path` are the parameters in the path; `now` is the second of the epoch."""

    state: State
    shapes: Shapes
    token: Token
    repository: Repository
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    now: float

    def number(self, name: str) -> int:
        """A number in the path. Raises 404 for anything else."""
        text = self.path[name]
        if not text.isdigit():
            raise RefusedError(404, "Not Found")
        return int(text)

    def pull(self, number: int) -> Pull:
        found = self.repository.pulls.get(number)
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    def sha(self, ref: str) -> str:
        """Raises 422 for what is no commit."""
        found = self.state.resolve(self.repository, ref)
        if found is None:
            raise RefusedError(422, f"No commit found for SHA: {ref}")
        return found


Key = TypeVar("Key")
Record = TypeVar("Record")
Handler = Callable[[Asked], Answer | Listed]


def found_in(records: Mapping[Key, Record], key: Key) -> Record:
    """Raises 404 where there is none."""
    if key not in records:
        raise RefusedError(404, "Not Found")
    return records[key]
