"""Whether a bearer token opens a route, as HTTP APIs judge JWTs.

Reads an issuer's keys through what it is given, and the time as well: no network, no clock.
Sources: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers in API
Gateway", "Troubleshooting issues with HTTP API JWT authorizers".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.execution import payload
from runner.execution.http_messages import Response

Fetch = Callable[[str], bytes]
"""The body under an https address; raises OSError where there is none."""

ALGORITHMS = ("RS256", "RS384", "RS512")  # "only RSA-based algorithms"
KEPT = 2 * 3600  # seconds that an issuer's keys are kept
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a route asks of a token: its issuer, one of the audiences, one of the scopes if any."""

    issuer: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A token's claims, and its scopes where the route asked for some."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why not; without a `reason` there was no token."""

    status: int
    error: str = ""
    reason: str = ""


class IssuerError(Exception):
    """The issuer's keys cannot be had."""


class _BadTokenError(Exception):
    """What is wrong with the token, in words."""


@dataclass(frozen=True, slots=True)
class _Keys:
    until: float
    by_id: Mapping[str, Any]


class Tokens:
    """Judges tokens; keeps issuers' keys. `now` gives epoch seconds. Safe from several threads."""

    def __init__(self, fetch: Fetch, now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: dict[str, _Keys] = {}
        self._lock = threading.Lock()

    def judge(self, header: str, wanted: Wanted) -> Admitted | Refused:
        """`header` is the request's `Authorization`: the token, or the token after `Bearer`."""
        token = re.sub(r"(?i)^bearer\s+", "", header.strip())
        if not token:
            return Refused(status=401)
        try:
            claims = self._claims(token, wanted.issuer)
            _check(claims, wanted, now=self._now())
        except (_BadTokenError, IssuerError) as error:
            return Refused(status=401, error="invalid_token", reason=str(error))
        held = _scopes(claims)
        if not wanted.scopes:
            return Admitted(claims=claims)
        if not set(wanted.scopes) & set(held):
            return Refused(status=403, error="insufficient_scope", reason=_TOO_LITTLE)
        return Admitted(claims=claims, scopes=held)

    def keys_of(self, issuer: str) -> Mapping[str, Any]:
        """The issuer's public RSA keys by their ids. Raises IssuerError."""
        with self._lock:
            kept = self._keys.get(issuer)
            if kept is None or kept.until <= self._now():
                kept = _Keys(self._now() + KEPT, self._fetched(issuer))
                self._keys[issuer] = kept
        return kept.by_id

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()

    def _fetched(self, issuer: str) -> Mapping[str, Any]:
        found = self._document(issuer.rstrip("/") + DISCOVERY)
        if found.get("issuer") != issuer:
            raise IssuerError("the issuer in the OIDC discovery document is another")
        keys = self._document(str(found.get("jwks_uri"))).get("keys")
        if not isinstance(keys, list):
            raise IssuerError("the issuer's JSON Web Key Set has no keys")
        return {
            str(key["kid"]): key
            for key in keys
            if isinstance(key, dict) and key.get("kid") and key.get("kty") == "RSA"
        }

    def _document(self, address: str) -> dict[str, Any]:
        if not address.startswith("https://"):
            raise IssuerError(f"{address} is no https address")
        try:
            found = json.loads(self._fetch(address))
        except (OSError, ValueError) as error:
            raise IssuerError(f"{address} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise IssuerError(f"{address} is no JSON object")
        return found

    def _claims(self, token: str, issuer: str) -> dict[str, Any]:
        """The claims of a token that one of the issuer's keys has signed."""
        from joserfc import jwk, jws
        from joserfc.errors import JoseError

        try:
            header = jws.extract_compact(token.encode()).headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in ALGORITHMS:
                raise _BadTokenError("the token's algorithm is not supported")
            key = self.keys_of(issuer).get(str(key_id))
            if key is None:
                raise _BadTokenError("the token's kid is not one of the issuer's keys")
            public = jwk.RSAKey.import_key(key)
            claims = json.loads(
                jws.deserialize_compact(token, public, algorithms=list(ALGORITHMS)).payload
            )
        except (JoseError, ValueError, TypeError) as error:
            raise _BadTokenError(f"the token cannot be verified: {error}") from error
        if not isinstance(claims, dict):
            raise _BadTokenError("the token has no claims")
        return claims


def refusal(refused: Refused) -> Response:
    """What the visitor gets: 401 with the reason, or 403."""
    text = "Forbidden" if refused.status == 403 else "Unauthorized"
    answer = payload.message(refused.status, text)
    told = "Bearer"
    if refused.reason:
        reason = refused.reason.replace("\\", "").replace('"', "'")
        told += f' scope="" error="{refused.error}" error_description="{reason}"'
    header = ("www-authenticate", told.encode("ascii", "replace").decode())
    return Response(status=answer.status, headers=(*answer.headers, header), body=answer.body)


def authorizer(admitted: Admitted) -> dict[str, Any]:
    """`requestContext.authorizer` of payload format 2.0: claims as text.

    Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
    """
    claims = {name: text_of(value) for name, value in admitted.claims.items()}
    scopes = None if admitted.scopes is None else list(admitted.scopes)
    return {"jwt": {"claims": claims, "scopes": scopes}}


def text_of(value: Any) -> str:
    """A claim as text: a list as `[a b]`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return "" if value is None else str(value)


_TOO_LITTLE = "the token has none of the route's scopes"


def _check(claims: Mapping[str, Any], wanted: Wanted, *, now: float) -> None:
    if claims.get("iss") != wanted.issuer:
        raise _BadTokenError("the token has another issuer")
    told = claims["aud"] if "aud" in claims else claims.get("client_id")
    audience = told if isinstance(told, list) else [told]
    if not any(each in wanted.audience for each in audience):
        raise _BadTokenError("the token does not have a valid audience")
    if _moment(claims, "exp", default=0) <= now:
        raise _BadTokenError("the token has expired")
    for name in ("nbf", "iat"):
        if _moment(claims, name, default=0) > now:
            raise _BadTokenError(f"the token's {name} lies in the future")


def _moment(claims: Mapping[str, Any], name: str, *, default: float) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _BadTokenError(f"the token's {name} is no time")
    return value


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    told = claims["scope"] if "scope" in claims else claims.get("scp", "")
    return tuple(map(str, told)) if isinstance(told, list) else tuple(str(told).split())
