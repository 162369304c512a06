"""IAM's documents and their statements. Pure."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
_VERSION = "2012-10-17"


def allow(actions: str | list[str], resources: str | list[str]) -> Document:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def document(*statements: Document) -> Document:
    return {"Version": _VERSION, "Statement": list(statements)}
