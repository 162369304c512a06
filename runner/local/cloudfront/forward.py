"""What belongs to the cache key, and what of a visitor's request reaches the origin. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Behaviour, CacheRules, Pairs, Selection
from runner.local.wire import Request

RULES = (
    *rule(
        guide("understanding-the-cache-key"),
        "the key is the distribution, the path that the function left, and what the cache policy "
        "names; not the origin, and not what the origin request policy forwards",
    ),
    *rule(
        guide("controlling-origin-requests"),
        "the origin gets what the cache policy or the origin request policy names, and nothing "
        "else of the visitor's headers, cookies and query strings",
    ),
    *rule(
        guide("cache-key-understand-cache-policy"),
        "Accept-Encoding is normalised to br,gzip, br or gzip, where the cache policy caches these "
        "encodings; else the origin gets identity",
    ),
    *rule(
        guide("RequestAndResponseBehaviorCustomOrigin"),
        "Host is the origin's unless it is forwarded; User-Agent is Amazon CloudFront unless it "
        "is; X-Forwarded-For, Via and X-Amz-Cf-Id are added; Connection, Proxy-*, TE, Trailer, "
        "Upgrade, Expect, X-Edge-*, X-Forwarded-Proto and X-Real-IP are removed",
    ),
)

_REMOVED = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "x-forwarded-proto", "x-real-ip", "content-length", "accept-encoding", "cookie", "range",
        "if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range",
        "x-amz-cf-id", "x-amz-cf-pop", "via", "x-forwarded-for", "host",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two requests one object of the cache. The origin is no part of it."""

    distribution: str
    path: str
    query: str
    headers: Pairs
    cookies: str
    encoding: str
    method: str = "GET"


def key_of(request: Request, *, distribution: str, rules: CacheRules) -> Key:
    """`request` is what the viewer-request function left."""
    return Key(
        distribution,
        request.path,
        chosen_query(request.query, rules.queries),
        () if rules.headers.nothing else _key_headers(request, rules.headers),
        chosen_cookies(request, rules.cookies),
        encoding(request, rules),
        "OPTIONS" if request.method == "OPTIONS" else "GET",
    )


def _key_headers(request: Request, selection: Selection) -> Pairs:
    names = {name for name, _ in request.headers if selection.takes(name)}
    return tuple((name, request.header(name)) for name in sorted(names))


def encoding(request: Request, rules: CacheRules) -> str:
    """`br,gzip`, `br`, `gzip` or nothing."""
    if not (rules.gzip or rules.brotli):
        return ""
    offered = {part.split(";")[0].strip() for part in request.header("accept-encoding").split(",")}
    chosen = [name for name, on in (("br", rules.brotli), ("gzip", rules.gzip)) if on]
    return ",".join(name for name in chosen if name in offered)


def chosen_query(query: str, *selections: Selection) -> str:
    """The parameters that one of the selections takes, in the visitor's order."""
    if not query or any(each.all and not each.names for each in selections):
        return query
    parts = query.split("&")
    return "&".join(
        part for part in parts if any(each.takes(part.partition("=")[0]) for each in selections)
    )


def chosen_cookies(request: Request, *selections: Selection) -> str:
    """The cookies that one of the selections takes, as one Cookie header."""
    if all(each.nothing for each in selections):
        return ""
    given = "; ".join(value for name, value in request.headers if name == "cookie")
    pairs = (part.strip() for part in given.split(";"))
    return "; ".join(
        part
        for part in pairs
        if part and any(each.takes(part.partition("=")[0].strip()) for each in selections)
    )


def forwards_cookies(behaviour: Behaviour) -> bool:
    return not (behaviour.cache.cookies.nothing and behaviour.forward.cookies.nothing)


def origin_headers(request: Request, behaviour: Behaviour, *, request_id: str) -> Pairs:
    """The headers that every origin of the behaviour gets; no Host unless it is forwarded."""
    selections = (behaviour.cache.headers, behaviour.forward.headers)
    kept = [
        (name, value)
        for name, value in request.headers
        if name not in _REMOVED
        and not name.startswith("x-edge-")
        and any(each.takes(name) for each in selections)
    ]
    if not any(name == "user-agent" for name, _ in kept):
        kept.append(("user-agent", "Amazon CloudFront"))
    if any(each.takes("host") for each in selections):
        kept.append(("host", request.header("host", request.host)))
    cookies = chosen_cookies(request, behaviour.cache.cookies, behaviour.forward.cookies)
    if cookies:
        kept.append(("cookie", cookies))
    return (*kept, *_added(request, behaviour, request_id=request_id))


def _added(request: Request, behaviour: Behaviour, *, request_id: str) -> Pairs:
    seen = request.header("x-forwarded-for")
    via = request.header("via")
    own = "1.1 cloudfront.net (CloudFront)"
    added = [
        ("via", f"{via}, {own}" if via else own),
        ("x-amz-cf-id", request_id),
        ("x-forwarded-for", f"{seen}, {request.client}" if seen else request.client),
    ]
    if behaviour.cache.gzip or behaviour.cache.brotli:
        added.append(("accept-encoding", encoding(request, behaviour.cache) or "identity"))
    return tuple(added)
