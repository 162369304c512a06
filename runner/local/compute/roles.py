"""Roles as services see them: may one assume this role, and what may it do with it?

Sources: IAM user guide, "Policy evaluation logic"; "Changes that I make are not always immediately
visible" (Troubleshoot IAM): a new role is refused for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from runner.local.policy import Context, Decision, allows, decide


class Roles:
    """`iam` gives moto's backend; `ready` says whether a service can assume a role by now."""

    def __init__(self, iam: Callable[[], Any], ready: Callable[[str, str], bool]) -> None:
        self._iam = iam
        self.assumable = ready

    def allows(self, arn: str, action: str, resource: str, context: Context | None = None) -> bool:
        """What the role's inline and attached policies say, and its boundary where it has one."""
        role = self._role(arn)
        if role is None:
            return False
        decided = {
            decide(text, action=action, resource=resource, context=context)
            for text in _policies(role)
        }
        if Decision.DENY in decided or Decision.ALLOW not in decided:
            return False
        boundary = self._boundary(role)
        return boundary is None or allows(
            boundary, action=action, resource=resource, context=context
        )

    def _role(self, arn: str) -> Any:
        found = self.named(arn.rpartition("/")[2])
        return found if found is not None and found.arn == arn else None

    def named(self, name: str) -> Any:
        """moto's role of this name, or None."""
        return next((each for each in tuple(self._iam().roles.values()) if each.name == name), None)

    def _boundary(self, role: Any) -> str | None:
        arn = getattr(role, "permissions_boundary_arn", None)
        if not arn:
            return None
        policy = self._iam().managed_policies.get(arn)
        return _default(policy) if policy else json.dumps({"Statement": []})


def _policies(role: Any) -> Iterator[str]:
    yield from map(_text, role.policies.values())
    yield from map(_default, role.managed_policies.values())


def _default(policy: Any) -> str:
    """The version of a managed policy that counts."""
    return next(_text(it.document) for it in policy.versions if it.is_default)


def _text(document: Any) -> str:
    """moto keeps documents as they came: text, percent-encoded text or a dict."""
    if isinstance(document, dict):
        return json.dumps(document)
    return document if document.lstrip().startswith("{") else unquote(document)
