"""Authorizers under `dev`: tokens are judged as API Gateway does, with their issuer's own keys.

Nobody is let in for want of a network: without the issuer's keys every token is refused, and why is
said. Throttles, other origins and the access log are a deployed site's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from runner.execution.http_messages import Request, Response
from runner.execution.issuers import over_https, through
from runner.execution.tokens import Refused, Tokens, Wanted, authorizer, refusal
from runner.fetch import loopback
from runner.model import Admission

Say = Callable[[str], None]


def gate(endpoint: str, now: Callable[[], float]) -> Gate:
    """Judges with the issuers' keys; those of user pools on an embedded cloud at `endpoint`."""
    near = loopback(endpoint)

    def fetch(address: str) -> bytes:
        pool = (urlsplit(address).hostname or "").startswith("cognito-idp.")
        return through(near, address) if near and pool else over_https(address)

    return Gate(Tokens(fetch, now))


class Gate:
    """Who gets through to a function."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def __call__(
        self, admission: Admission, request: Request, say: Say
    ) -> dict[str, Any] | Response | None:
        """What the event says of the caller, or the refusal; None where nobody asks."""
        by = admission.authorizer
        if by is None:
            return None
        wanted = Wanted(issuer=by.issuer, audience=by.audience, scopes=admission.scopes)
        judged = self._tokens.judge(request.header("authorization"), wanted)
        if not isinstance(judged, Refused):
            return authorizer(judged)
        if judged.reason:
            say(f"{judged.status}, by the authorizer {by.name}: {judged.reason}")
        return refusal(judged)


def announced(name: str, issuer: str) -> str:
    """What is said of an authorizer at the start."""
    return f"authorizer {name}: tokens are verified with the keys of {issuer}"
