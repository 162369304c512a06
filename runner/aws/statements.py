"""Statements of the account's stack: on resources of the account that it is made in. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def allow(actions: Iterable[str], resources: Iterable[str]) -> dict[str, Any]:
    """A statement; an ARN of any account becomes one of this account's, in its partition.

    Layers alone are anybody's who shares them: most are AWS's own, or a vendor's.
    Source: Lambda developer guide, "Managing Lambda dependencies with layers".
    """
    named = [_here(each) for each in resources]
    return {"Effect": "Allow", "Action": list(actions), "Resource": named}


def _here(arn: str) -> Any:
    if not arn.startswith("arn:aws:"):
        return arn
    _, _, service, region, account, rest = arn.split(":", 5)
    is_ours = account == "*" and not rest.startswith("layer:")
    whose = "${AWS::AccountId}" if is_ours else account
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:{whose}:{rest}"}


def within(statement: dict[str, Any], **conditions: dict[str, Any]) -> dict[str, Any]:
    """The same, upon these conditions: by operator, keys and values."""
    return {**statement, "Condition": conditions}
