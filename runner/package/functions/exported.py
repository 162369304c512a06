"""What Node functions export as `config`, read from their syntax: nothing of the site runs.

`[functions.NAME]` of jam.toml wins over it, and it over `[functions]`: the nearer word counts.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runner.errors import Problem, site_error
from runner.package.functions.discover import Language, Source
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.toolchain import Toolchain, install_packages

_SCRIPT = Path(__file__).with_name("config.mjs")
_SECONDS = 60
_MAY_EXPORT = re.compile(rb"\bconfig\b")
_KINDS: Mapping[str, tuple[type, str]] = {
    "timeout": (int, "whole seconds"),
    "memory": (int, "whole MB"),
    "architecture": (str, "text"),
    "runtime": (str, "text"),
    "methods": (list, "a list of text"),
    "external": (list, "a list of text"),
    "included_files": (list, "a list of text"),
}
# As Netlify's functions spell them. Source: Netlify docs, "Get started with functions", config.
_OTHER_WORDS: Mapping[str, str] = {"method": "methods", "includedFiles": "included_files"}
# Netlify's own, without a counterpart here: said, and left.
_NOT_OURS = frozenset({
    "displayName", "excludedPath", "generator", "nodeBundler", "path", "preferStatic", "rateLimit",
    "region",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Reads the functions of `folder`; what was read is kept in `cache`, by content."""

    folder: Path
    directory: str
    cache: Path
    toolchain: Toolchain
    environment: Mapping[str, str] = field(repr=False)
    echo: Callable[[str], None]

    def added(self, settings: FunctionsSettings, sources: Iterable[Source]) -> FunctionsSettings:
        """`settings` with what functions export; raises JAM-FUNCTION-CONFIG with every fault."""
        read = {source: told for source, told in self._read(sources).items() if told}
        named, problems = dict(settings.named), []
        for source, told in read.items():
            where = f"{self.directory}/{source.path}"
            section, found = self._section(where, told)
            problems += found
            named[source.name] = _under(named.get(source.name, FunctionSettings()), section)
        if problems:
            raise site_error(
                "JAM-FUNCTION-CONFIG",
                "functions export a `config` that cannot be",
                hint=f"Plain values for: {', '.join(_KINDS)}; the rest goes into jam.toml.",
                problems=tuple(problems),
            )
        return replace(settings, named=named)

    def _read(self, sources: Iterable[Source]) -> dict[Source, Any]:
        kept: dict[Source, Path] = {}
        for source in sources:
            content = (self.folder / source.path).read_bytes()
            if source.language is Language.NODE and _MAY_EXPORT.search(content):
                name = hashlib.sha256(_SCRIPT.read_bytes() + source.path.encode() + content)
                kept[source] = self.cache / f"{name.hexdigest()[:32]}.json"
        if fresh := [source for source, file in kept.items() if not file.is_file()]:
            found = self._parse([self.folder / source.path for source in fresh])
            self.cache.mkdir(parents=True, exist_ok=True)
            for source in fresh:
                told = found.get(str(self.folder / source.path))
                scratch = kept[source].with_suffix(".writing")
                scratch.write_text(json.dumps(told))
                scratch.replace(kept[source])
        return {source: json.loads(file.read_bytes()) for source, file in kept.items()}

    def _parse(self, files: list[Path]) -> Mapping[str, Any]:
        install_packages(self.toolchain, self.environment)
        asked = {"acorn": str(self.toolchain.packages), "files": [str(file) for file in files]}
        done = subprocess.run(
            [str(self.toolchain.node), "--disable-warning=ExperimentalWarning", str(_SCRIPT)],
            input=json.dumps(asked),
            env={},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        read: Mapping[str, Any] = json.loads(done.stdout)
        return read

    def _section(self, where: str, told: Any) -> tuple[FunctionSettings, list[Problem]]:
        if "fault" in told or not isinstance(told["value"], dict):
            message = told.get("fault", "is no object")
            problem = Problem(where=f"{where}:{told['line']}", message=f"`config` {message}")
            return FunctionSettings(), [problem]
        values: dict[str, Any] = {}
        problems = []
        config: dict[str, object] = told["value"]
        for key, value in config.items():
            place = f"{where}:{told['lines'].get(key, told['line'])}"
            if key in _NOT_OURS:
                self.echo(f"warning: {place}: config.{key} has no effect here")
            elif fault := _problem(key, value, place):
                problems.append(fault)
            else:
                values[_OTHER_WORDS.get(key, key)] = _plain(value, key)
        return FunctionSettings(**values), problems


def _problem(key: str, value: object, where: str) -> Problem | None:
    name = _OTHER_WORDS.get(key, key)
    if name not in _KINDS:
        near = difflib.get_close_matches(key, [*_KINDS, *_OTHER_WORDS], n=1)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        return Problem(where=where, message=f"config.{key} is not known", hint=hint)
    kind, words = _KINDS[name]
    value = _plain(value, key)
    texts = not isinstance(value, tuple) or all(isinstance(one, str) for one in value)
    fits = isinstance(value, tuple) if kind is list else type(value) is kind
    if fits and texts:
        return None
    return Problem(where=where, message=f"config.{key} must be {words}, not {json.dumps(value)}")


def _plain(value: object, key: str) -> object:
    """Lists as tuples; Netlify's `method` may be one alone, and in small letters."""
    if key == "method" and isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        upper = key in ("method", "methods")
        return tuple(one.upper() if upper and isinstance(one, str) else one for one in value)
    return value


def _under(own: FunctionSettings, exported: FunctionSettings) -> FunctionSettings:
    """The section of jam.toml, with what it leaves open taken from the function."""
    return replace(
        own,
        **{
            key: getattr(exported, key)
            for key in _KINDS
            if getattr(own, key) is None and getattr(exported, key) is not None
        },
    )
