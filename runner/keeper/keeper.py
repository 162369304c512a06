"""The keeper Lambda: lets a request into the HTTP API that bears the distribution's key.

API Gateway asks it once an hour for a key that it lets in, and never for a request without one.
It knows keys' digests alone, and can do nothing but answer. Standard library only.
Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from hmac import compare_digest
from typing import Any

VARIABLE = "JAM_KEYS"


def handler(event: dict[str, Any], _context: object = None) -> dict[str, bool]:
    """Lambda's way in: an authorizer's event, payload format 2.0, answered by a simple response."""
    known = os.environ[VARIABLE].split()  # noqa: TID251  # Lambda's front door
    return {"isAuthorized": is_known(event.get("identitySource"), known)}


def is_known(told: object, digests: Iterable[str]) -> bool:
    """Whether the one identity that is `told` is a key with one of these digests."""
    if not isinstance(told, list) or len(told) != 1 or not isinstance(told[0], str):
        return False
    found = digest(told[0])
    return any(compare_digest(found, each) for each in digests)


def digest(key: str) -> str:
    """What is kept of a key where it need not be known: it is random, so nobody can guess it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
