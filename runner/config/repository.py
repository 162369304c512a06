"""Reads a repository's well-known files without running anything. No file is ever written.

Configuration written in JavaScript is only searched for plain values; what cannot be read that way
is told as such, never guessed silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

LARGEST = 1_000_000  # bytes of a file that a person wrote; a lock file's beginning is enough
_COMMENTS = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|/\*.*?\*/|//[^\n]*""", re.DOTALL
)
_FOLDER = r"(?:__dirname|import\.meta\.dirname|process\.cwd\(\))"
_HERE = rf"(?:(?:path\.)?(?:resolve|join)\(\s*{_FOLDER}\s*,\s*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What `package.json` says; `dependencies` are those of development too."""

    name: str = ""
    manager: str = ""
    scripts: Mapping[str, str]
    dependencies: Mapping[str, str]


@dataclass(frozen=True)
class Repository:
    """The files below `root`, by their path with `/`."""

    root: Path

    def has(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return (self.root / path).exists()

    def text(self, path: str) -> str:
        """The file's text, or nothing where it is missing or no text."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(LARGEST).decode("utf-8-sig", "replace")
        except OSError:
            return ""

    def first(self, paths: tuple[str, ...]) -> str:
        """The first of `paths` that exists, or nothing."""
        return next((path for path in paths if self.has(path)), "")

    def script(self, path: str) -> str:
        """A JavaScript or JSON file's text without its comments."""
        return _COMMENTS.sub(lambda found: found[1] or "", self.text(path))

    @cached_property
    def package(self) -> Package | None:
        """`package.json`, or None where it is missing or broken; `broken_package` says which."""
        data = _object(self.text("package.json"))
        if data is None:
            return None
        return Package(
            name=str(data.get("name") or ""),
            manager=str(data.get("packageManager") or ""),
            scripts=_strings(data.get("scripts")),
            dependencies={
                **_strings(data.get("devDependencies")),
                **_strings(data.get("dependencies")),
            },
        )

    @property
    def broken_package(self) -> bool:
        """Whether there is a `package.json` that is no JSON object."""
        return self.has("package.json") and self.package is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A value found in JavaScript: `unread` where it is there but no plain text."""

    value: str = ""
    unread: bool = False
    from_root: bool = False  # written as `resolve(__dirname, "...")`


def option(text: str, name: str) -> Option:
    """The option `name: "value"` in JavaScript without comments."""
    head = rf"(?<![\w.$-])[\"']?{name}[\"']?\s*:\s*"
    if found := re.search(
        rf"{head}(?P<here>{_HERE})?([\"'`])(?P<value>[^\"'`$\n]+)\2\s*[,)}}\n]", text
    ):
        return Option(value=found["value"], from_root=bool(found["here"]))
    return Option(unread=re.search(head, text) is not None)


def flag(command: str, *names: str) -> str:
    """The value of a command-line flag, `--name value` or `--name=value`."""
    for name in names:
        if found := re.search(rf"(?:^|\s){re.escape(name)}[=\s]+[\"']?([^\s\"';&|]+)", command):
            return found[1]
    return ""


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _strings(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}
