"""What is wrong with a policy document's form, as the services check it before they store it. Pure.

Source: IAM user guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from runner.local.policy import NEGATED, OPERATORS, VERSIONS

_TOP = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
     "Condition"}
)  # fmt: skip


class Kind(Enum):
    IDENTITY = "identity"  # no principal, needs a resource
    RESOURCE = "resource"  # needs a principal and a resource
    TRUST = "trust"  # needs a principal, no resource


def problem(text: str, kind: Kind) -> str:
    """The first thing wrong with the document, or an empty text."""
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict):
        return "Syntax errors in policy."
    if unknown := sorted(set(document) - _TOP):
        return f"Unknown field {unknown[0]}"
    if document.get("Version", VERSIONS[1]) not in VERSIONS:
        return "The policy must contain a valid version string"
    statements = document.get("Statement")
    listed: list[Any] = statements if isinstance(statements, list) else [statements]
    if not listed or not all(isinstance(each, dict) for each in listed):
        return "Missing required field Statement"
    return next((found for each in listed if (found := _statement(each, kind))), "")


def _statement(statement: Mapping[str, Any], kind: Kind) -> str:
    if unknown := sorted(set(statement) - _ELEMENTS):
        return f"Unknown field {unknown[0]}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Missing required field Effect"
    return (
        _one_of(statement, "Action", needed=True)
        or _one_of(statement, "Principal", needed=kind is not Kind.IDENTITY)
        or _one_of(statement, "Resource", needed=kind is not Kind.TRUST)
        or _actions(statement)
        or _resources(statement)
        or _conditions(statement.get("Condition", {}))
    )


def _one_of(statement: Mapping[str, Any], element: str, *, needed: bool) -> str:
    present = [name for name in (element, f"Not{element}") if name in statement]
    if needed and len(present) != 1:
        return f"Missing required field {element}"
    if not needed and present:
        return f"Has prohibited field {element}"
    return ""


def _actions(statement: Mapping[str, Any]) -> str:
    named = statement.get("Action", statement.get("NotAction"))
    for action in named if isinstance(named, list) else [named]:
        if not isinstance(action, str) or (action != "*" and action.count(":") != 1):
            return f"Policy has invalid action: {action}"
    return ""


def _resources(statement: Mapping[str, Any]) -> str:
    named = statement.get("Resource", statement.get("NotResource", []))
    for resource in named if isinstance(named, list) else [named]:
        text = resource if isinstance(resource, str) else ""
        if text != "*" and (not text.startswith("arn:") or text.count(":") < 5):
            return f'Resource {resource} must be in ARN format or "*".'
    return ""


def _conditions(conditions: Any) -> str:
    if not isinstance(conditions, dict):
        return "Syntax errors in policy."
    for name in conditions:
        base = name.rpartition(":")[2].removesuffix("IfExists")
        if base not in OPERATORS and base not in NEGATED and base != "Null":
            return f"Invalid Condition type : {name}"
    return ""
