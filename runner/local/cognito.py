"""Cognito user pools as issuers: moto's pools on the cloud's clock, under their own host.

Source: Cognito developer guide, "Verifying JSON web tokens" and "User pool endpoints and managed
login reference".
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable
from typing import Any

from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import Request, Response, Rule

_HOST = re.compile(r"cognito-idp\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_PUBLISHED = re.compile(r"/(?P<pool>[^/]+)/\.well-known/(?:jwks\.json|openid-configuration)")


class CognitoHost:
    """The hosts `cognito-idp.<region>.amazonaws.com`; `pools` are the ids of a region's pools."""

    def __init__(
        self, pools: Callable[[str], Iterable[str]], forward: Callable[[Request], Response]
    ) -> None:
        self._pools = pools
        self._forward = forward

    def owns(self, host: str) -> bool:
        return _HOST.fullmatch(host) is not None

    def names(self) -> Iterable[str]:
        return ()

    def has(self, host: str, path: str) -> bool:
        """Whether the pool that an address names is one of this account's."""
        found, published = _HOST.fullmatch(host), _PUBLISHED.fullmatch(path)
        return bool(found and published and published["pool"] in self._pools(found["region"]))

    def handle(self, request: Request) -> Response:
        if request.method != "GET" or not self.has(request.host, request.path):
            return Response(status=404)
        answer = self._forward(request)
        # moto knows no https: its addresses begin as the request did that reached it.
        body = answer.body.replace(b'"http://cognito-idp.', b'"https://cognito-idp.')
        headers = tuple(pair for pair in answer.headers if pair[0] != "content-length")
        return Response(status=answer.status, headers=headers, body=body)


class CognitoLayer:
    """Tokens are issued at the cloud's time: moto reads ours through its module's `time`."""

    name = "cognito-idp"

    def __init__(self, now: Callable[[], float]) -> None:
        self._time: Any = types.SimpleNamespace(time=now)
        self._set = False

    def reset(self) -> None:
        """It keeps nothing."""

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        if not self._set:
            import moto.cognitoidp.models  # takes a while: most clouds have no pool

            vars(moto.cognitoidp.models)["time"] = self._time
            self._set = True
        return forward(incoming)


RULES: tuple[Rule, ...] = (
    Rule(service="cognito-idp", rule="a pool's keys and its discovery document lie below "
         "https://cognito-idp.<region>.amazonaws.com/<pool>/.well-known/; its tokens are issued "
         "and end by the cloud's clock",
         page='Cognito developer guide, "Verifying JSON web tokens"'),
    Rule(service="cognito-idp", rule="operations of users (InitiateAuth, SignUp and others) need "
         "no signature", page="Cognito user pools API reference"),
)  # fmt: skip
