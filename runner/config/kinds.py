"""The types of settings, taken apart: limits, words for them, the sections. Pure."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

from runner.config.settings import Settings

NAMED = "named"  # the member of `Functions` whose members lie beside it in TOML


def sections() -> Iterator[tuple[str, type[Struct]]]:
    """Every section with the struct behind it, outermost first; NAME stands for a chosen name."""
    yield from _sections(Settings, at="")


def _sections(shape: type[Struct], *, at: str) -> Iterator[tuple[str, type[Struct]]]:
    yield at, shape
    for field in fields(shape):
        plain = bare(field.type)
        name = ".".join(part for part in (at, field.name) if part)
        if get_origin(plain) is dict:
            plain = bare(get_args(plain)[1])
            name = f"{at if field.name == NAMED else name}.NAME"
        if isinstance(plain, type) and issubclass(plain, Struct):
            yield from _sections(plain, at=name)


def bare(kind: Any) -> Any:
    """The type without its limits and without `None`, where only one remains."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        some = [part for part in get_args(kind) if part is not type(None)]
        return bare(some[0]) if len(some) == 1 else kind
    return kind


def limits(kind: Any) -> Iterator[Meta]:
    """All limits on the type itself, outermost first."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        yield from (note for note in notes if isinstance(note, Meta))
        yield from limits(inner)
    elif get_origin(kind) in (Union, types.UnionType):
        for part in get_args(kind):
            yield from limits(part)


def allowed(kind: Any) -> str:
    """What a value of this type may be, in words."""
    metas = tuple(limits(kind))
    extra: dict[str, Any] = {}
    for meta in reversed(metas):
        extra |= meta.extra or {}
    plain = bare(kind)
    origin = get_origin(plain)
    if origin in (Union, types.UnionType):
        parts = [part for part in get_args(plain) if part is not type(None)]
        return ", or ".join(allowed(part) for part in parts)
    if "allowed" in extra:
        return str(extra["allowed"])
    if origin is Literal:
        return " | ".join(f'"{choice}"' for choice in get_args(plain))
    if origin is tuple:
        return f"list; each: {allowed(get_args(plain)[0])}"
    if origin is dict:
        return f"table; each value: {allowed(get_args(plain)[1])}"
    if plain in (int, float):
        low = next((it.ge for it in metas if it.ge is not None), "more than 0")
        high = next((it.le for it in metas if it.le is not None), "")
        return f"{low} to {high} {extra.get('unit', '')}".strip()
    return {bool: "true or false", str: "text in quotes"}.get(plain, "a table")


def is_secret(kind: Any) -> bool:
    """Whether a value of this type must never be shown."""
    return any((meta.extra or {}).get("secret") for meta in limits(kind))
