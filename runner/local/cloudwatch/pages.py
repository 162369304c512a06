"""Pages of a list, and the tokens between them. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from runner.local.cloudwatch import refusals

Item = TypeVar("Item")


def page(
    found: Sequence[Item], parameters: Mapping[str, Any], *, size: int
) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that NextToken asks for; and the NextToken of what follows, if anything does."""
    begin = offset(parameters)
    more = {"NextToken": token(begin + size)} if begin + size < len(found) else {}
    return found[begin : begin + size], more


def token(begin: int) -> str:
    return base64.b64encode(json.dumps({"from": begin}).encode()).decode()


def offset(parameters: Mapping[str, Any]) -> int:
    given = parameters.get("NextToken")
    if not given:
        return 0
    try:
        return int(json.loads(base64.b64decode(given, validate=True))["from"])
    except (ValueError, KeyError, TypeError):  # binascii's error is a ValueError
        raise refusals.token() from None
