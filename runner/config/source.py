"""`jam.toml` as it was written: its text, its data, and where its keys stand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.config.positions import line_of, lines_of
from runner.errors import JamError, Problem, site_error

FILE = "jam.toml"
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_FIX = "mend the places named above; docs/settings.md lists every key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The text of `jam.toml`, and where its keys stand."""

    path: Path | None
    text: str
    lines: Mapping[tuple[str, ...], int]

    @property
    def name(self) -> str:
        """The file's name, for a person."""
        return self.path.name if self.path else FILE

    def line(self, *at: str) -> int:
        """The line of a key, else of what is around it, else 0."""
        return line_of(at, self.lines) or 0

    def where(self, *at: str) -> str:
        """A key with its file and line, for a problem."""
        line = self.line(*at)
        place = f"{self.name}:{line}" if line else self.name
        return f"{place} {'.'.join(_quoted(part) for part in at)}"

    def provenance(self, *at: str) -> str:
        """File and line of a key that is there, else nothing."""
        return f"{self.name}:{self.lines[at]}" if at in self.lines else ""


def read(root: Path, file: Path | None) -> Source:
    """The file that was named, else the site's `jam.toml`, else an empty one."""
    path = file or root / FILE
    if file is None and not path.exists():
        return Source(path=None, text="", lines={})
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors begin files with a mark
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise site_error("JAM-SETTINGS", message, hint="name another --config") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(where=f"{path.name}:{line}", message="is not UTF-8")
        raise refused([problem]) from error
    return Source(path=path, text=text, lines=lines_of(text))


def parsed(source: Source) -> dict[str, Any]:
    """The file's data; raises JAM-SETTINGS with line and column where it is no TOML."""
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        place = _AT.search(str(error))
        line = int(place["line"]) if place and place["line"] else len(source.text.splitlines())
        column = f":{place['column']}" if place and place["column"] else ""
        message = _AT.sub("", str(error))
        problem = Problem(
            where=f"{source.name}:{line}{column}",
            message=f"is no valid TOML: {message}",
            hint='text stands in quotes: publish = "dist"',
        )
        raise refused([problem]) from error


def top_line(text: str, key: str) -> str:
    """What a key says above all sections, on a line of its own; also of a text that is no TOML."""
    top = re.split(r"(?m)^\s*\[", text, maxsplit=1)[0]
    found = re.search(rf"""(?m)^\s*{key}\s*=\s*(["'])([^"'\\\n]*)\1\s*(?:#.*)?$""", top)
    return found[2] if found else ""


def refused(problems: Iterable[Problem]) -> JamError:
    """The error that tells all problems at once."""
    told = tuple(problems)
    count = "1 problem" if len(told) == 1 else f"{len(told)} problems"
    message = f"The site's settings have {count}."
    return site_error("JAM-SETTINGS", message, hint=_FIX, problems=told)


def _quoted(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
