"""`new function`: a function from a template, and what it still needs to be told about.

Writes one file, never over another; changes no settings: it says what they lack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from runner.errors import JamError, site_error
from runner.names import function_variable, table_variable
from runner.package.functions.discover import Language, discover

TEMPLATES = ("basic", "html", "table", "invoke")
_FOLDER = Path(__file__).parent / "templates"
_ENDINGS = {Language.NODE: ".js", Language.PYTHON: ".py"}
# A comment that has a line of its own explains; code needs none to be understood.
_EXPLAINING = {
    Language.NODE: re.compile(r"^[ \t]*//.*\n", re.MULTILINE),
    Language.PYTHON: re.compile(r"^[ \t]*#.*\n", re.MULTILINE),
}
_PACKAGES = {
    "table": "@aws-sdk/client-dynamodb @aws-sdk/lib-dynamodb",
    "invoke": "@aws-sdk/client-lambda",
}
_TABLE, _OTHER = "JAM_TABLE_ITEMS", "JAM_FUNCTION_OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`name` is the path below the functions folder: `notes/[id]`."""

    name: str
    template: str
    language: Language
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """`path` from the site's root; `settings` has to be added to jam.toml, `commands` to be run."""

    path: str
    route: str
    settings: str
    commands: tuple[str, ...]


def new_function(wanted: Wanted, root: Path, directory: str) -> Written:
    """Writes the function. Raises JAM-FUNCTION-EXISTS, JAM-FUNCTION-NAME, JAM-FUNCTION-CLASH."""
    if {"", ".", ".."} & set(wanted.name.split("/")) or "\\" in wanted.name:
        raise _no_name(wanted.name)
    path = f"{directory}/{wanted.name}{_ENDINGS[wanted.language]}"
    others = discover(root / directory).sources
    taken = next((each.path for each in others if each.name == wanted.name), "")
    if taken or (root / path).exists():
        raise site_error(
            "JAM-FUNCTION-EXISTS",
            f"there is a function {wanted.name}: {directory}/{taken or Path(path).name}",
            hint="Take another name, or remove the file first.",
        )
    plain = [each.name for each in others if "[" not in each.name]
    other = plain[0] if plain else "hello"
    _write(root / path, text_of(wanted, other=other))
    route = _route(wanted.name, root, directory, file=root / path)
    return Written(
        path=path,
        route=route,
        settings=_settings(wanted, other=other),
        commands=_commands(wanted, directory, missing="" if plain else other),
    )


def text_of(wanted: Wanted, *, other: str) -> str:
    """The template's text for a function of this name; `other` is the one that it calls."""
    text = (_FOLDER / f"{wanted.template}{_ENDINGS[wanted.language]}").read_text()
    if not wanted.explained:
        text = _EXPLAINING[wanted.language].sub("", text)
    return text.replace(_TABLE, table_variable(_table(wanted.name))).replace(
        _OTHER, function_variable(other)
    )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as opened:
        opened.write(text)


def _route(name: str, root: Path, directory: str, *, file: Path) -> str:
    """Where it answers; what cannot be a function is taken back."""
    try:
        found = {each.name: each.route for each in discover(root / directory).sources}
    except BaseException:
        file.unlink()
        raise
    if name not in found:
        file.unlink()
        raise _no_name(name)
    return found[name]


def _no_name(name: str) -> JamError:
    return site_error(
        "JAM-FUNCTION-NAME",
        f"{name!r} is no name for a function",
        hint="Names begin with no `_`, lie in no `lib/` and end in no `.test` or `.config`.",
    )


def _settings(wanted: Wanted, *, other: str) -> str:
    key = wanted.name if re.fullmatch(r"[A-Za-z0-9_-]+", wanted.name) else f'"{wanted.name}"'
    if wanted.template == "table":
        table = _table(wanted.name)
        return f'[tables.{table}]\nhash = "id:S"\n\n[functions.{key}]\ntables = ["{table}:rw"]\n'
    if wanted.template == "invoke":
        return f'[functions.{key}]\ninvoke = ["{other}"]\n'
    return ""


def _commands(wanted: Wanted, directory: str, *, missing: str) -> tuple[str, ...]:
    commands = []
    packages = _PACKAGES.get(wanted.template)
    if packages and wanted.language is Language.NODE:
        commands.append(f"npm install --prefix {directory} {packages}")
    if missing and wanted.template == "invoke":
        commands.append(f"jam-deploy new function {missing}")
    return tuple(commands)


def _table(name: str) -> str:
    """A table called after the function: `notes/all` has `notes-all`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "items"
