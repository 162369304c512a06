"""Splits a line of `_redirects` into its parts; judges nothing but their order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule as it was written. `malformed` are (message, hint) about the line's form."""

    number: int
    source: str
    query: Pairs = ()
    target: str = ""
    status: str = "301"
    force: bool = False
    conditions: Pairs = ()
    malformed: tuple[tuple[str, str], ...] = ()


def split(text: str, number: int) -> Line | None:
    """The parts of a line; None for an empty one or a comment."""
    source, *words = [*takewhile(lambda word: not word.startswith("#"), text.split())] or [""]
    if not source:
        return None
    if words and _is_status(words[0]):  # "/gone 410": the site's own page for that status
        return _line(number, source, status=words[0], rest=words[1:])
    place = next((place for place, word in enumerate(words) if _is_target(word)), None)
    if place is None:
        return _broken(number, source, "has no target", "a path that begins with /, or a URL")
    query = tuple(map(_pair, words[:place]))
    target, *rest = words[place:]
    status = rest.pop(0) if rest and "=" not in rest[0] else "301"
    line = _line(number, source, status=status, rest=rest, query=query, target=target)
    stray = [word for word in (*words[:place], *rest) if "=" not in word]
    if stray:
        return _broken(number, source, f"has {stray[0]!r} where parameters are written name=value")
    return line


def _line(
    number: int,
    source: str,
    *,
    status: str,
    rest: list[str],
    query: Pairs = (),
    target: str = "",
) -> Line:
    return Line(
        number=number,
        source=source,
        query=query,
        target=target,
        status=status.removesuffix("!"),
        force=status.endswith("!"),
        conditions=tuple(map(_pair, rest)),
        malformed=() if target else _without_target(source, status),
    )


def _without_target(source: str, status: str) -> tuple[tuple[str, str], ...]:
    if status.removesuffix("!") in ("404", "410"):
        return ()
    return ((f"the rule for {source} has no target", "a path that begins with /, or a URL"),)


def _broken(number: int, source: str, message: str, hint: str = "") -> Line:
    return Line(
        number=number, source=source, malformed=((f"the rule for {source} {message}", hint),)
    )


def _is_target(word: str) -> bool:
    return word.startswith(("/", "http:", "https:"))


def _is_status(word: str) -> bool:
    return word.removesuffix("!").isdecimal()


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value
