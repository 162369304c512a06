"""What Node functions export as `config`, read from their syntax: nothing of the site runs.

`[functions.NAME]` of jam.toml wins over it, and it over `[functions]`: the nearer word counts.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from runner.config.functions import Authorizer, Function
from runner.config.kinds import NAMED
from runner.config.rules import broken_rules
from runner.config.settings import Table
from runner.config.shape import Wrong, wrongs
from runner.config.shape import settings as without
from runner.errors import Problem, site_error
from runner.package.functions.discover import Language, Source
from runner.package.functions.sections import settings_of
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.toolchain import Toolchain, install_packages

_SCRIPT = Path(__file__).with_name("config.mjs")
_SECONDS = 60
_MAY_EXPORT = re.compile(rb"\b(?:config|schedule)\b")
# What belongs to who deploys, not into the code: its references are resolved elsewhere.
_OUTSIDE = ("environment", "secrets")
# As Netlify's functions spell them. Source: Netlify docs, "Get started with functions", config.
_OTHER_WORDS: Mapping[str, str] = {
    "background": "async",
    "includedFiles": "included_files",
    "method": "methods",
}
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
            section, found = self._section(source.name, told, where=where, settings=settings)
            problems += found
            named[source.name] = _under(named.get(source.name, FunctionSettings()), section)
        if problems:
            raise site_error(
                "JAM-FUNCTION-CONFIG",
                "functions export a `config` that cannot be",
                hint="Plain values, as in [functions.NAME] of jam.toml; the rest goes there.",
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

    def _section(
        self, name: str, told: Any, *, where: str, settings: FunctionsSettings
    ) -> tuple[FunctionSettings, list[Problem]]:
        if "fault" in told or not isinstance(told["value"], dict):
            message = f"{told.get('of', '`config`')} {told.get('fault', 'is no object')}"
            return FunctionSettings(), [Problem(where=f"{where}:{told['line']}", message=message)]
        values: dict[str, object] = {}
        for key, value in told["value"].items():
            if key in _NOT_OURS:
                line = _line(told, key)
                self.echo(f"warning: {where}:{line}: config.{key} has no effect here")
            else:
                values[_OTHER_WORDS.get(key, key)] = _plain(value, key)
        section, found = _judged(name, values, settings)
        return section, [_problem(each, told, where) for each in found]


def _judged(
    name: str, values: dict[str, object], known: FunctionsSettings
) -> tuple[FunctionSettings, list[Wrong]]:
    """The section, and what is wrong with it: by the same rules as one of jam.toml."""
    data = {"functions": {NAMED: {name: values}}}
    wrong = list(wrongs(data))
    wrong += [
        Wrong(at=("functions", name, key), message="belongs into jam.toml")
        for key in _OUTSIDE
        if key in values
    ]
    sound = without(data, tuple(wrong))
    around = structs.replace(
        sound,
        tables={table: Table() for table in known.tables},
        authorizers={
            each.name: Authorizer(issuer=each.issuer, audience=each.audience)
            for each in known.authorizers.values()
        },
    )
    if not wrong:
        wrong += broken_rules(around)
    return settings_of(sound.functions.named.get(name, Function())), wrong


def _problem(wrong: Wrong, told: Any, where: str) -> Problem:
    key = ".".join(wrong.at[2:])
    place = f"{where}:{_line(told, wrong.at[2] if key else '')}"
    said = f"config.{key}: {wrong.message}" if key else f"config: {wrong.message}"
    return Problem(where=place, message=said, hint=wrong.hint)


def _line(told: Any, key: str) -> int:
    """Of a key as settings or as Netlify spells it."""
    spelled = {key, *(other for other, word in _OTHER_WORDS.items() if word == key)}
    lines: Mapping[str, int] = told["lines"]
    return next((line for each, line in lines.items() if each in spelled), int(told["line"]))


def _plain(value: object, key: str) -> object:
    """Netlify's `method` may be one alone, and in small letters."""
    if key == "method" and isinstance(value, str):
        value = [value]
    if isinstance(value, list) and key in ("method", "methods"):
        return [one.upper() if isinstance(one, str) else one for one in value]
    return value


def _under(own: FunctionSettings, exported: FunctionSettings) -> FunctionSettings:
    """The section of jam.toml, with what it leaves open taken from the function."""
    open_ = [each.name for each in fields(own) if getattr(own, each.name) is None]
    return replace(own, **{name: getattr(exported, name) for name in open_})
