"""Finds the rules that a visit may match, in their order, without trying all of them. Pure.

Sources lie in a tree by their segments, so that a visit costs what its own path has, not what the
site has: ten thousand rules below one folder are no more work than one. Rules that share a source
and differ by a parameter (`/article id=7`) lie by its value as well. What is found may still not
match; what is not found never does. Runs inside entry's zip: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from runner.entry.rules import Rule, given_by, spelled

# Keys of a node beside segments: a placeholder's child, and the rules that end here. Those with
# parameters lie under `(end, name, value)`; `(end,)` says that there are such.
_ANY = None
_END, _SPLAT = 0, 1
_Node = dict[Any, Any]


class Rules:
    """The rules of one release; `raw` are the manifest's. Nothing is read of them before it must,
    for a cold start is a visitor who waits."""

    def __init__(self, raw: Sequence[Mapping[str, Any]] = ()) -> None:
        self._raw = raw
        self._root: _Node = {}

    def about(self, path: str, query: str = "") -> Iterator[Rule]:
        """In their order, those that may match a raw path.

        Of rules with one source that ask for other parameters than `query` gives, the first stays,
        so that whoever goes through them sees that the answer depends on the query.
        """
        return (rule_of(self._raw[number]) for number in self.numbers(path, query))

    def numbers(self, path: str, query: str = "") -> list[int]:
        """The same by their places among all rules."""
        if self._raw and not self._root:
            self._root = _tree(self._raw)
        ends = [end for each in spelled(path) for end in _ends(self._root, _segments(each))]
        found = {number for node, kind in ends for number in node.get(kind, ())}
        for node, kind in ends:
            if (kind,) in node:
                for name, value in given_by(query).items():
                    found.update(node.get((kind, name, value), ()))
                    found.update(node.get((kind, name, _ANY), ()))
        return sorted(found)


def rule_of(raw: Mapping[str, Any]) -> Rule:
    """A rule as the manifest has it."""
    return Rule(
        source=raw["source"],
        target=raw["target"],
        status=raw["status"],
        force=bool(raw.get("force")),
        query=tuple((name, value) for name, value in raw.get("query", [])),
        countries=tuple(raw.get("countries", [])),
        languages=tuple(raw.get("languages", [])),
    )


def _tree(raw: Sequence[Mapping[str, Any]]) -> _Node:
    root: _Node = {}
    for number, rule in enumerate(raw):
        segments, kind = _segments(rule["source"], decoded=False), _END
        if segments and segments[-1] == "*":
            segments.pop()
            kind = _SPLAT
        node = root
        for segment in segments:
            key = _ANY if segment[0] == ":" else _decoded(segment)
            node = node.setdefault(key, {})
        _end(node, kind, number, rule)
    return root


def _end(node: _Node, kind: int, number: int, rule: Mapping[str, Any]) -> None:
    query = rule.get("query")
    if not query:
        node.setdefault(kind, []).append(number)
        return
    name, value = min(query, key=lambda pair: pair[1].startswith(":"))  # a value tells more
    node.setdefault((kind, name, _ANY if value[:1] == ":" else value), []).append(number)
    seen = node.setdefault((kind,), set())
    force = bool(rule.get("force"))
    if force not in seen:  # one for each: a page's own file hides those without
        seen.add(force)
        node.setdefault(kind, []).append(number)


def _ends(root: _Node, segments: list[str]) -> Iterator[tuple[_Node, int]]:
    nodes = [root]
    for segment in segments:
        yield from ((node, _SPLAT) for node in nodes)
        nodes = [node[key] for node in nodes for key in (segment, _ANY) if key in node]
        if not nodes:
            return
    for node in nodes:
        yield from ((node, _SPLAT), (node, _END))


def _segments(path: str, *, decoded: bool = True) -> list[str]:
    found = [segment for segment in path.split("/") if segment]
    return [_decoded(segment) for segment in found] if decoded else found


def _decoded(segment: str) -> str:
    """One text for all spellings of a segment, escaped or not."""
    if "%" not in segment:
        return segment
    return unquote_to_bytes(segment).decode("utf-8", "surrogateescape")
