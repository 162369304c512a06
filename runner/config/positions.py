"""On which line of a TOML text a key stands. Pure; a light search, for text that parses.

tomllib keeps no positions. What looks like a key inside a multi-line string can only make a line
number wrong, never a value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

_HEADER = re.compile(r"\s*\[\[?(?P<path>.+?)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(?P<path>(?:"[^"]*"|'[^']*'|[A-Za-z0-9_.\s-])+?)\s*=""")

Path = tuple[str, ...]


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of every table header and of every key at a line's beginning."""
    found: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _path(header["path"])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_path(key["path"])), number)
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The key's line, else that of the nearest table or key around it."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[part] for part in around if part in lines), None)


def _path(dotted: str) -> Path:
    """`functions."notes/[id]"` as its parts: TOML's own grammar reads them."""
    try:
        tree: object = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return (dotted,)
    parts: list[str] = []
    while isinstance(tree, dict):
        part, tree = next(iter(tree.items()))
        parts.append(part)
    return tuple(parts)
