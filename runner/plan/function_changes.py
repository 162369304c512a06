"""How functions differ between two releases, as `runner.package.summary` tells them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.plan.changes import NO_NAMES, Changes, Names, Size, Some, between, names_of

_Told = Mapping[str, Any]
Functions = Mapping[str, _Told]
# How a function is set up, with the unit of each; what a preview never has comes last.
_SETTINGS = {
    "runtime": "",
    "architecture": "",
    "memory": " MB",
    "timeout": " s",
    "authorizer": "",
    "requests": "",
}
_NEVER_IN_PREVIEWS = {"schedule": "", "stream": ""}
_CALLED = {"requests": "answers 202 at once", "stream": "streams its answer"}


def code(was: Functions, now: Functions) -> Changes:
    """Functions that are new, have other code, or are gone."""
    return Changes(
        added=names_of(now.keys() - was.keys()),
        changed=names_of(
            name for name in now.keys() & was.keys() if _differs(was[name], now[name])
        ),
        removed=names_of(was.keys() - now.keys()),
    )


def settings(was: Functions, now: Functions, *, preview: bool) -> Names:
    """A line for each setting that is another, of functions that were there before."""
    both = sorted(was.keys() & now.keys())
    return Some(
        first=tuple(
            line for name in both for line in _lines(name, was[name], now[name], preview=preview)
        )
    )


def routes(was: Functions, now: Functions) -> Changes:
    return between(_routes(was), _routes(now))


def rights(was: Functions, now: Functions, *, preview: bool) -> Changes:
    """Of tables, other functions and secrets."""
    return _of_preview(_held(was, _rights), _held(now, _rights), preview=preview)


def variables(was: Functions, now: Functions, *, preview: bool) -> Changes:
    return _of_preview(_held(was, _variables), _held(now, _variables), preview=preview)


def packages(was: Functions, now: Functions) -> tuple[Size, ...]:
    """The archives whose size is another."""
    sizes = (
        Size(name=name, before=was.get(name, {}).get("size"), after=now.get(name, {}).get("size"))
        for name in sorted(was.keys() | now.keys())
    )
    return tuple(each for each in sizes if each.before != each.after)


def _differs(was: _Told, now: _Told) -> bool:
    """By the code alone where both tell it: a digest covers what a preview has of its own."""
    if was.get("code") and now.get("code"):
        return bool(was["code"] != now["code"])
    return bool(was["digest"] != now["digest"])


def _lines(name: str, was: _Told, now: _Told, *, preview: bool) -> Iterator[str]:
    compared = _SETTINGS if preview else {**_SETTINGS, **_NEVER_IN_PREVIEWS}
    for member, unit in compared.items():
        if was.get(member) != now.get(member):
            told = _CALLED.get(member, member)
            yield f"{name}: {told} {_said(was.get(member))} → {_said(now.get(member))}{unit}"
    for member in ("log_days", "reserved"):
        old, new = was["upkeep"].get(member), now["upkeep"].get(member)
        if old != new:
            yield f"{name}: {member.replace('_', ' ')} {_said(old)} → {_said(new)}"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


def _routes(functions: Functions) -> dict[str, str]:
    """Routes with what may come to them; functions may share one by methods."""
    found: dict[str, str] = {}
    for name in sorted(functions):
        if route := functions[name]["route"]:
            let_in = _let_in(functions[name])
            found[route] = f"{found[route]}; {let_in}" if route in found else let_in
    return found


def _let_in(told: _Told) -> str:
    methods = " ".join(sorted(told["methods"]))
    return methods + (f", token of {told['authorizer']}" if told["authorizer"] else "")


def _held(functions: Functions, things: Callable[[_Told], Iterable[str]]) -> dict[str, str]:
    """What functions have, each with the functions that have it."""
    holders: dict[str, list[str]] = {}
    for name in sorted(functions):
        for thing in things(functions[name]):
            holders.setdefault(thing, []).append(name)
    return {thing: _some(names) for thing, names in holders.items()}


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _rights(told: _Told) -> Iterator[str]:
    yield from (f"table {name} {access}" for name, access in told["tables"])
    yield from (f"invoke {name}" for name in told["invoke"])
    yield from (f"secret {name}" for name in told["secrets"])


def _variables(told: _Told) -> Iterator[str]:
    """Those of ours follow from tables and rights."""
    return (name for name in told["variables"] if not name.startswith("JAM_"))


def _of_preview(was: Mapping[str, str], now: Mapping[str, str], *, preview: bool) -> Changes:
    changes = between(was, now)
    return replace(changes, removed=NO_NAMES) if preview else changes
