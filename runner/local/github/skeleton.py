"""Answers in GitHub's shape: what we know, and neutral values for what the shape demands beside it.

Pure. GitHub's values have dozens of members that nothing here has a meaning for (`gists_url`); they
are empty, zero or null, never invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from runner.local.github.description import Description, description

_BLANK: Mapping[str, Any] = {"array": [], "boolean": False, "integer": 0, "number": 0, "string": ""}


@dataclass(frozen=True, slots=True)
class _Form:
    """An object's members by name, and the blank of each that is required."""

    members: Mapping[str, Mapping[str, Any]]
    required: Mapping[str, Any]


def shaped(schema: Mapping[str, Any], known: Any) -> Any:
    """`known` with every member that the schema of GitHub's description requires, at any depth."""
    if isinstance(known, list):
        items = description().resolved(schema).get("items", {})
        return [shaped(items, each) for each in known]
    if not isinstance(known, Mapping):
        return known
    form = _form(_Same(description().resolved(schema)))
    filled = {
        name: shaped(form.members[name], value) if name in form.members else value
        for name, value in known.items()
    }
    missing = {name: deepcopy(blank) for name, blank in form.required.items() if name not in known}
    return {**missing, **filled}


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A part of the description, told from others by identity: it never changes."""

    schema: Mapping[str, Any]

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.schema is self.schema


@cache
def _form(same: _Same) -> _Form:
    described, parts = description(), _parts(description(), same.schema)
    members = {
        name: member for part in parts for name, member in part.get("properties", {}).items()
    }
    required = {name for part in parts for name in part.get("required", ())}
    return _Form(members, {name: _neutral(described, members[name]) for name in sorted(required)})


def _parts(described: Description, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A schema that is made of several, or the first of several that it may be."""
    whole = [described.resolved(each) for each in schema.get("allOf", ())]
    for choice in ("oneOf", "anyOf"):
        whole += [described.resolved(each) for each in schema.get(choice, ())[:1]]
    return [schema, *(deep for each in whole for deep in _parts(described, each))]


def _neutral(described: Description, schema: Mapping[str, Any]) -> Any:
    schema = described.resolved(schema)
    kinds = _parts(described, schema)
    if any(part.get("nullable") for part in kinds):
        return None
    if values := next((part["enum"] for part in kinds if "enum" in part), None):
        return values[0]
    kind = next((part["type"] for part in kinds if "type" in part), "object")
    return shaped(schema, {}) if kind == "object" else _BLANK[kind]
