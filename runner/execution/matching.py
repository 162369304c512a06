"""Which route of an HTTP API answers a request. Pure.

Source: API Gateway developer guide, "Create routes for HTTP APIs in API Gateway": the most specific
match, then greedy ones, then `$default`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`index` is the route's place in what was given; `parameters` are decoded."""

    index: int
    key: str
    parameters: dict[str, str]


class Table:
    """Route keys, looked at once: one without variables needs no search."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self._exact: dict[str, Match] = {}
        for index, key in enumerate(self._keys):
            if "{" not in key:
                self._exact.setdefault(key, Match(index=index, key=key, parameters={}))

    def match(self, method: str, path: str) -> Match | None:
        """The best of them for a raw path without its stage."""
        if "%" not in path:
            # No route is more specific than the path itself, and a named method goes before ANY.
            found = self._exact.get(f"{method} {path}") or self._exact.get(f"ANY {path}")
            if found:
                return found
        return match(self._keys, method, path)


def match(keys: Iterable[str], method: str, path: str) -> Match | None:
    """The best of the route keys for a raw path without its stage."""
    segments = tuple(unquote(each) for each in path.removeprefix("/").split("/"))
    best: tuple[tuple[int, ...], Match] | None = None
    for index, key in enumerate(keys):
        found = _matched(key, method, segments)
        if found and (best is None or found[0] < best[0]):
            best = found[0], Match(index=index, key=key, parameters=found[1])
    return best[1] if best else None


_STATIC, _VARIABLE, _GREEDY = 0, 1, 2
_LAST = (9,)  # behind every path


def _matched(
    key: str, method: str, segments: tuple[str, ...]
) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """(rank, parameters): ranks compare segment by segment, then a named method before ANY."""
    if key == "$default":
        return _LAST, {}
    wanted, _, pattern = key.partition(" ")
    if wanted not in (method, "ANY"):
        return None
    found = _fits(pattern.removeprefix("/").split("/"), segments)
    if found is None:
        return None
    ranks, parameters = found
    return (*ranks, int(wanted == "ANY")), parameters


def _fits(pattern: list[str], segments: tuple[str, ...]) -> tuple[list[int], dict[str, str]] | None:
    ranks: list[int] = []
    parameters: dict[str, str] = {}
    for place, part in enumerate(pattern):
        rest = segments[place:]
        if part.endswith("+}"):
            if not any(rest):
                return None
            return [*ranks, _GREEDY], {**parameters, part[1:-2]: "/".join(rest)}
        if not rest:
            return None
        if part.startswith("{"):
            if not rest[0]:
                return None
            ranks.append(_VARIABLE)
            parameters[part[1:-1]] = rest[0]
        elif part == rest[0]:
            ranks.append(_STATIC)
        else:
            return None
    return (ranks, parameters) if len(pattern) == len(segments) else None
