"""Everything that is wrong with the keys and values of `jam.toml`, at once. Pure.

msgspec stops at the first error, so the data is walked key by key and msgspec judges each value.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from runner.config.functions import Function, Functions
from runner.config.kinds import NAMED, allowed, bare, is_secret, sections
from runner.config.settings import Settings
from runner.config.twins import twin

_SHOWN = 60  # characters of a wrong value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One wrong key or value; `at` is its path in `jam.toml`."""

    at: tuple[str, ...]
    message: str
    hint: str = ""


def arranged(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as `Settings` has it: single functions' sections under `named`."""
    return {key: _ARRANGE[key](part) if key in _ARRANGE else part for key, part in data.items()}


def _with_named(functions: object) -> object:
    if not isinstance(functions, dict):
        return functions
    known = {field.encode_name for field in fields(Functions)} - {NAMED}
    named = {k: v for k, v in functions.items() if k not in known and isinstance(v, dict)}
    shared = {k: v for k, v in functions.items() if k not in named}
    return {**shared, NAMED: named}


def _with_domains(production: object) -> object:
    if not isinstance(production, dict) or not isinstance(production.get("domain"), str):
        return production
    host = production["domain"]  # one alone has its twin with it, a list is just what is wanted
    other = twin(host) if re.fullmatch(r"[a-z0-9.-]+", host) else ""
    return {**production, "domain": [host, other] if other else [host]}


_ARRANGE = {"functions": _with_named, "production": _with_domains}


def wrongs(data: Mapping[str, Any]) -> Iterator[Wrong]:
    """All wrong keys and values of arranged data, in the order of the file."""
    return _table(dict(data), Settings, at=())


def settings(data: Mapping[str, Any], without: tuple[Wrong, ...]) -> Settings:
    """The settings without what is wrong, so that the rest can be checked further."""
    cleared = copy.deepcopy(dict(data))
    for wrong in without:
        _drop(cleared, _inner(wrong.at, data))
    _drop_parts(cleared, Settings)
    return msgspec.convert(cleared, Settings)


def _drop_parts(tree: dict[str, Any], shape: type[Struct]) -> None:
    """Takes away the tables in which a required key is missing, as it may be by now."""
    for field in fields(shape):
        inner = tree.get(field.encode_name)
        plain = bare(field.type)
        if not isinstance(inner, dict):
            continue
        if _is_struct(plain):
            _drop_parts(inner, plain)
            if _missing(inner, plain):
                del tree[field.encode_name]
        elif get_origin(plain) is dict and _is_struct(of := bare(get_args(plain)[1])):
            for key, value in [*inner.items()]:
                _drop_parts(value, of)
                if _missing(value, of):
                    del inner[key]


def _missing(found: Mapping[str, object], shape: type[Struct]) -> list[str]:
    names = (field.encode_name for field in fields(shape) if field.required)
    return [name for name in names if name not in found]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _table(found: object, shape: type[Struct], *, at: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(found, dict):
        yield Wrong(at=at, message=f"found {_shown(found)}, allowed: a table")
        return
    known = {field.encode_name: field for field in fields(shape)}
    for key, value in found.items():
        if key == NAMED and shape is Functions:
            yield from _functions(value)
        elif key in known and key != NAMED:
            yield from _value(value, known[key].type, at=(*at, key))
        else:
            yield _unknown(key, known, at=at)
    for name in _missing(found, shape):
        yield Wrong(at=at, message=f"`{name}` is missing")


def _functions(named: Mapping[str, object]) -> Iterator[Wrong]:
    """Sections of single functions; what looks like a misspelt table of `[functions]` is one."""
    tables = ("environment", "secrets")
    own = {field.encode_name for field in fields(Function)}
    for name, section in named.items():
        near = difflib.get_close_matches(name, tables, n=1)
        if near and isinstance(section, dict) and section and not own & set(section):
            hint = f"did you mean `{near[0]}`?"
            yield Wrong(at=("functions", name), message=f"unknown key `{name}`", hint=hint)
        else:
            yield from _entry(name, section, shape=Function, at=("functions",))


def _value(found: object, kind: Any, *, at: tuple[str, ...]) -> Iterator[Wrong]:
    """One value; those inside of lists and tables one by one."""
    plain = bare(kind)
    if _is_struct(plain):
        yield from _table(found, plain, at=at)
    elif get_origin(plain) is dict and isinstance(found, dict):
        key_kind, value_kind = get_args(plain)
        for key, value in found.items():
            yield from _entry(key, value, shape=value_kind, at=at, key_kind=key_kind)
    elif get_origin(plain) is tuple and isinstance(found, list):
        wrong = [it for one in found for it in _value(one, get_args(plain)[0], at=at)]
        yield from wrong or _judged(found, kind, at=at)
    else:
        yield from _judged(found, kind, at=at)


def _entry(
    key: str, value: object, *, shape: Any, at: tuple[str, ...], key_kind: Any = None
) -> Iterator[Wrong]:
    """One member of a table whose keys the user chooses."""
    if key_kind is None:
        key_kind = get_args(bare(_field(Functions, NAMED).type))[0]
    if not _fits(key, key_kind):
        message = f"the name {_shown(key)} is not possible, allowed: {allowed(key_kind)}"
        yield Wrong(at=(*at, key), message=message)
    else:
        yield from _value(value, shape, at=(*at, key))


def _judged(found: object, kind: Any, *, at: tuple[str, ...]) -> Iterator[Wrong]:
    if not _fits(found, kind):
        shown = "another value" if is_secret(kind) else _shown(found)
        hint = "write it in quotes" if _lacks_quotes(found, kind) else ""
        yield Wrong(at=at, message=f"found {shown}, allowed: {allowed(kind)}", hint=hint)


def _fits(found: object, kind: Any) -> bool:
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError:
        return False
    return True


def _lacks_quotes(found: object, kind: Any) -> bool:
    return isinstance(found, int | float) and _fits(json.dumps(found), kind)


def _unknown(key: str, known: Mapping[str, FieldInfo], *, at: tuple[str, ...]) -> Wrong:
    names = [name for name in known if name != NAMED]
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        hint = f"did you mean `{near[0]}`?"
    elif homes := [section for section, shape in sections() if key in _names(shape)]:
        hint = f"`{key}` belongs in [{homes[0]}]" if homes[0] else f"`{key}` belongs at the top"
    else:
        hint = f"allowed here: {', '.join(names)}"
    return Wrong(at=(*at, key), message=f"unknown key `{key}`", hint=hint)


def _names(shape: type[Struct]) -> set[str]:
    return {field.encode_name for field in fields(shape)}


def _field(shape: type[Struct], name: str) -> FieldInfo:
    return next(field for field in fields(shape) if field.name == name)


def _shown(found: object) -> str:
    text = json.dumps(found, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _inner(at: tuple[str, ...], data: Mapping[str, Any]) -> tuple[str, ...]:
    """A path of `jam.toml` in arranged data."""
    functions = data.get("functions")
    named = functions.get(NAMED) if isinstance(functions, dict) else None
    if at[:1] == ("functions",) and len(at) > 1 and isinstance(named, dict) and at[1] in named:
        return ("functions", NAMED, *at[1:])
    return at


def _drop(tree: dict[str, Any], at: tuple[str, ...]) -> None:
    *folders, name = at
    for folder in folders:
        inner = tree.get(folder)
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.pop(name, None)
