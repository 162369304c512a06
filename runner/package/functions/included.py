"""Files that functions read beside their code: `included_files`, globs from the site's root.

They lie in the archive where they lie in the site. `.env` files never do, nor does anything that
is not the site's own (`.git`, `.jam`; `node_modules` unless a pattern names it).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Problem
from runner.package.archive import Member

_NEVER = frozenset({".git", ".jam", "__pycache__"})
_MODULES = "node_modules"
_SECRET = re.compile(r"(^|/)\.env(\.[^/]*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """Looks through the site at `root` once for all functions."""

    root: Path
    _listed: dict[bool, tuple[str, ...]] = field(default_factory=dict)
    _matched: dict[str, frozenset[str]] = field(default_factory=dict)

    def files(
        self, patterns: Iterable[str], *, where: str
    ) -> tuple[dict[str, Member], list[Problem]]:
        """The files that `patterns` match, less those of patterns that begin with `!`."""
        chosen: set[str] = set()
        problems = []
        for pattern in patterns:
            plain = pattern.removeprefix("!").removeprefix("./")
            if plain.startswith("/") or ".." in plain.split("/"):
                problems.append(Problem(where=where, message=f"{pattern!r} leads out of the site"))
                continue
            found = self._matching(plain)
            if pattern.startswith("!"):
                chosen -= found
            elif found:
                chosen |= found
            else:
                problems.append(Problem(where=where, message=f"{pattern!r} matches no file"))
        problems += [
            problem for path in sorted(chosen) for problem in self._leading_out(path, where)
        ]
        if problems:
            return {}, problems
        return {path: self._member(path) for path in sorted(chosen)}, []

    def _matching(self, pattern: str) -> frozenset[str]:
        if pattern not in self._matched:
            rule = re.compile(f"{_expression(pattern)}(?:/.*)?")
            listed = self._files(modules=_MODULES in pattern)
            found = frozenset(
                path for path in listed if rule.fullmatch(path) and not _SECRET.search(path)
            )
            self._matched[pattern] = found
        return self._matched[pattern]

    def _files(self, *, modules: bool) -> tuple[str, ...]:
        if modules not in self._listed:
            left_out = _NEVER if modules else _NEVER | {_MODULES}
            self._listed[modules] = tuple(_walk(self.root, left_out))
        return self._listed[modules]

    def _leading_out(self, path: str, where: str) -> Iterator[Problem]:
        real = (self.root / path).resolve()
        if not real.is_relative_to(self.root) or not real.is_file() or _SECRET.search(str(real)):
            yield Problem(where=where, message=f"{path} is a link to what may not be shipped")

    def _member(self, path: str) -> Member:
        file = self.root / path
        return file.read_bytes(), bool(file.stat().st_mode & 0o100)


def _walk(root: Path, left_out: Iterable[str]) -> Iterator[str]:
    for above, folders, names in os.walk(root):
        folders[:] = sorted(folder for folder in folders if folder not in left_out)
        for name in sorted(names):
            yield (Path(above) / name).relative_to(root).as_posix()


_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}]*\}|.", re.DOTALL)


def _expression(pattern: str) -> str:
    """A glob as a regular expression: `**` over folders, `*`, `?`, `[a-z]`, `{a,b}`."""
    return "".join(_part(part) for part in _PARTS.findall(pattern.rstrip("/")))


def _part(part: str) -> str:
    simple = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in simple:
        return simple[part]
    if part.startswith("[") and len(part) > 1:
        inner = part[1:-1].replace("\\", r"\\")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    if part.startswith("{") and len(part) > 1:
        return f"(?:{'|'.join(_expression(one) for one in part[1:-1].split(','))})"
    return re.escape(part)
