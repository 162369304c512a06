"""The sources of the rehearsal's copy: as they were, and as each candidate has them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.rehearsal.candidates import Candidate, function_of, page_of

_NOT_SOURCES = frozenset({"node_modules", ".jam", ".git"})
_LANGUAGES = frozenset({".js", ".mjs", ".cjs", ".ts", ".py"})
CONFIG = "jam.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Pages and functions of a copy, by file, as its owner wrote them."""

    pages: Mapping[Path, str]
    functions: Mapping[Path, str]

    def write(self, candidate: Candidate, *, build: str, pause: int) -> None:
        """Puts the candidate's sources into the copy; `pause` as for `function_of`."""
        for file, text in self.pages.items():
            file.write_text(page_of(text, candidate, build=build))
        for file, text in self.functions.items():
            made = function_of(text, file.suffix, candidate, build=build, pause=pause)
            if made is not None:
                file.write_text(made)


def sources_of(site: Path) -> Sources:
    """What a candidate can change in the copy of a site: written HTML, and functions."""
    folder = _settings(site).get("functions", {}).get("directory", "functions")
    functions = {
        file: text
        for file in _files(site / folder)
        if file.suffix in _LANGUAGES and not file.name.startswith("_")
        if (text := file.read_text()) and "handler" in text
    }
    pages = {file: file.read_text() for file in _files(site) if file.suffix == ".html"}
    return Sources(pages=pages, functions=functions)


def tables_of(site: Path) -> tuple[str, ...]:
    """The names that the settings give to the site's own tables."""
    return tuple(_settings(site).get("tables", {}))


def set_rollout(site: Path, **rollout: Any) -> None:
    """Writes `[production.rollout]` of the copy's jam.toml.

    Nobody is told of a rehearsal, and alarms of the owner's account ring there alone.
    """
    settings = _settings(site)
    production = settings.get("production", {})
    changed = {**production.get("rollout", {}), "alarms": [], **rollout}
    quiet = {**production, "notify": [], "rollout": changed}
    _write(site, {**settings, "notify": [], "production": quiet})


def keep_installed(site: Path) -> None:
    """From now on builds of the copy take the packages that the first one installed."""
    settings = _settings(site)
    _write(site, {**settings, "build": {**settings.get("build", {}), "install": ""}})


def _write(site: Path, settings: Mapping[str, Any]) -> None:
    import tomli_w

    (site / CONFIG).write_text(tomli_w.dumps(settings))


def _settings(site: Path) -> dict[str, Any]:
    file = site / CONFIG
    return tomllib.loads(file.read_text()) if file.is_file() else {}


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not _NOT_SOURCES & set(file.relative_to(folder).parts):
            yield file
