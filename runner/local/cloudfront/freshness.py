"""How long a response may be answered from the cache, by its headers and the policy. Pure."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping

from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import CacheRules, ErrorRule
from runner.local.wire import Response

RULES = (
    *rule(
        guide("Expiration"),
        "s-maxage goes before max-age, max-age before Expires, and none of them beyond MinTTL and "
        "MaxTTL; without any of them it is DefaultTTL",
        "no-store, no-cache and private keep a response out of the cache, unless MinTTL is above "
        "0: then it stays for MinTTL",
        "an object that expired is revalidated with its ETag and date; 304 keeps it (RefreshHit)",
    ),
    *rule(
        guide("custom-error-pages-expiration"),
        "an error is stored for ErrorCachingMinTTL, 10 s by default, or longer if max-age or "
        "s-maxage say so, but not beyond MaxTTL",
        "no-store keeps an error out of the cache for 404, 410, 414 and 501 only",
    ),
    *rule(
        guide("HTTPStatusCodes"),
        "a 5xx answer to a revalidation lets the expired object live on for ErrorCachingMinTTL; a "
        "4xx one replaces it",
    ),
)

ERROR_SECONDS = 10.0
_ERRORS = frozenset({400, 403, 404, 405, 410, 412, 414, 415, 500, 501, 502, 503, 504})
_OBEYING_NO_STORE = frozenset({404, 410, 414, 501})
_STORED = frozenset({200, 203, 204, 300, 301, 302, 303, 307, 308})
_DIRECTIVE = re.compile(r'\s*([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,]*)))?\s*(?:,|$)')


def directives(header: str) -> dict[str, str]:
    """Cache-Control as a mapping; `{"s-maxage": "60", "private": ""}`."""
    return {found[1].lower(): found[2] or found[3] or "" for found in _DIRECTIVE.finditer(header)}


def lifetime(
    response: Response, rules: CacheRules, *, errors: Mapping[int, ErrorRule], now: float
) -> float | None:
    """Seconds in the cache; None: not stored at all. 0: stored, asked about on every request."""
    if not rules.enabled:
        return None
    control = directives(response.header("cache-control"))
    stated = _stated(response, control, now=now)
    if response.status >= 400:
        return _error_lifetime(response.status, control, stated, rules=rules, errors=errors)
    if response.status not in _STORED:
        return None
    if control.keys() & {"no-store", "no-cache", "private"}:
        return float(rules.minimum) if rules.minimum else None
    if stated is None:
        return float(max(rules.default, rules.minimum))
    return float(min(max(stated, rules.minimum), rules.maximum))


def _error_lifetime(
    status: int, control: Mapping[str, str], stated: float | None, *,
    rules: CacheRules, errors: Mapping[int, ErrorRule],
) -> float | None:  # fmt: skip
    if status not in _ERRORS:
        return None
    if "no-store" in control and status in _OBEYING_NO_STORE:
        return None
    least = error_seconds(status, errors)
    seconds = max(least, min(stated or 0.0, rules.maximum))
    return seconds or None


def error_seconds(status: int, errors: Mapping[int, ErrorRule]) -> float:
    """ErrorCachingMinTTL of a status."""
    found = errors.get(status)
    return found.seconds if found else ERROR_SECONDS


def _stated(response: Response, control: Mapping[str, str], *, now: float) -> float | None:
    for name in ("s-maxage", "max-age"):
        if control.get(name, "").isdigit():
            return float(control[name])
    expires = response.header("expires")
    if not expires:
        return None
    try:
        return max(email.utils.parsedate_to_datetime(expires).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return 0.0  # as RFC 9111, section 5.3: an invalid date is in the past


def collapses(response: Response, rules: CacheRules) -> bool:
    """Whether simultaneous requests may share this response."""
    control = directives(response.header("cache-control"))
    return not (rules.minimum == 0 and control.keys() & {"private", "no-store", "no-cache"})
