"""Answers in GitHub's shape: what we know, and neutral values for what the shape demands beside it.

Pure. GitHub's values have dozens of members that nothing here has a meaning for (`gists_url`); they
are empty, zero or null, never invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.local.github.description import Description


def shaped(described: Description, schema: Mapping[str, Any], known: Any) -> Any:
    """`known` with every member that the schema requires, at any depth."""
    schema = described.resolved(schema)
    if isinstance(known, list):
        items = schema.get("items", {})
        return [shaped(described, items, each) for each in known]
    if not isinstance(known, Mapping):
        return known
    members = _members(described, schema)
    required = {name: _neutral(described, members[name]) for name in _required(described, schema)}
    filled = {
        name: shaped(described, members[name], value) if name in members else value
        for name, value in known.items()
    }
    return {**required, **filled}


def _parts(described: Description, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A schema that is made of several, or the first of several that it may be."""
    whole = [described.resolved(each) for each in schema.get("allOf", ())]
    for choice in ("oneOf", "anyOf"):
        whole += [described.resolved(each) for each in schema.get(choice, ())[:1]]
    return [schema, *(deep for each in whole for deep in _parts(described, each))]


def _members(described: Description, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: member
        for part in _parts(described, schema)
        for name, member in part.get("properties", {}).items()
    }


def _required(described: Description, schema: Mapping[str, Any]) -> list[str]:
    return [name for part in _parts(described, schema) for name in part.get("required", ())]


def _neutral(described: Description, schema: Mapping[str, Any]) -> Any:
    schema = described.resolved(schema)
    kinds = _parts(described, schema)
    if any(part.get("nullable") for part in kinds):
        return None
    if values := next((part["enum"] for part in kinds if "enum" in part), None):
        return values[0]
    kind = next((part["type"] for part in kinds if "type" in part), "object")
    if kind == "object":
        return shaped(described, schema, {})
    return {"array": [], "boolean": False, "integer": 0, "number": 0, "string": ""}[kind]
