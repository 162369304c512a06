"""The distribution and its policies as values, and how they differ from what AWS has. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.names import CACHE_POLICY, FORWARD_POLICY, PREVIEWS, Names
from runner.package.manifest import compact

Config = dict[str, Any]

KEY_HEADER = "x-jam-key"
FILES, ENTRY, API, SITE = "files", "entry", "api", "site"  # ids of the origins and their group

# CloudFront's own policies. Source: CloudFront developer guide, "Use managed cache policies" and
# "Use managed origin request policies".
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

# HSTS, nosniff, framing by the same site, referrer, where the origin says nothing else. AWS's own,
# because an account has 20 of its own making. Source: CloudFront developer guide, "Use managed
# response headers policies", SecurityHeadersPolicy; "Quotas on CloudFront", Quotas on policies.
SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"

# An account takes 20 cache policies and 20 origin request policies: so all its sites have the same.
# Source: CloudFront developer guide, "Quotas", Quotas on policies.
ALL_SITES = "jam-deploy: used by all sites of the account"

YEAR = 31_536_000  # seconds
ENTRY_CONNECT, ENTRY_READ = 2, 5  # seconds: a fallback must not wait 3 x 10 for a dead entry

# 400 is left out: what a visitor's request did wrong it does wrong at entry too.
# Source: CloudFront developer guide, "Optimize high availability with origin failover".
FAILOVER = (403, 404, 500, 502, 503, 504)

# Stored for 10 s by default, whatever the origin says: one crash would be everybody's.
# Source: CloudFront developer guide, "Control how long CloudFront caches errors".
UNCACHED_ERRORS = (400, 403, 500, 501, 502, 503, 504)

_READ = ["GET", "HEAD", "OPTIONS"]
_ALL = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]


# Between two parts of a stream; the most that CloudFront waits.
# Source: CloudFront API reference, CustomOriginConfig, OriginReadTimeout.
STREAM_READ = 120  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A path of its own, for a function that streams: the origin's id and domain."""

    route: str
    origin: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the distribution puts together: ids and domains that AWS picked."""

    entry_domain: str
    api_id: str
    files_access: str
    entry_access: str
    cache_policy: str
    forward_policy: str
    router_arn: str
    response_arn: str
    key: str = field(repr=False)  # by which the API knows the distribution's requests
    stream_arn: str = ""
    streams: tuple[Path, ...] = ()


def comment(names: Names, member: int = 0) -> str:
    """`member` is the number of a distribution in the pool of previews; the first has none."""
    return f"{names.prefix} {names.environment}" + (f" {member}" if member else "")


def cache_policy() -> Config:
    """The cache contract: path, `x-jam-draw`, encoding. Nothing else may tell answers apart."""
    config: Config = {
        "Comment": ALL_SITES,
        "MinTTL": 0,
        "DefaultTTL": 0,
        "MaxTTL": YEAR,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": True,
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": _items(["x-jam-draw"])},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }
    return {"Name": CACHE_POLICY + _digest(config), **config}


def forward_policy() -> Config:
    """What entry hears beyond the key: an allow-list, because it is not part of the key."""
    headers = [
        "x-jam-query",
        "x-jam-host",
        "x-jam-path",
        "x-jam-rollout",
        "CloudFront-Viewer-Country",
        "Accept-Language",
    ]
    config: Config = {
        "Comment": ALL_SITES,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": _items(headers)},
        "CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": _items(["jam-pin"])},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    return {"Name": FORWARD_POLICY + _digest(config), **config}


def _digest(config: Config) -> str:
    """Two versions of this program that want different policies in one account name two."""
    return hashlib.sha256(compact(config).encode()).hexdigest()[:12]


def access(name: str, origin_type: str) -> Config:
    """An origin access control: CloudFront signs every request to the origin."""
    return {
        "Name": name,
        "Description": name,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": origin_type,
    }


def distribution(names: Names, parts: Parts, *, member: int = 0) -> Config:
    """The distribution of one site; what it leaves out (aliases, certificate) stays as it is."""
    routed = [(parts.router_arn, "viewer-request")]
    marked = (parts.response_arn, "viewer-response")  # of a preview's functions: noindex
    around = [*routed, marked] if names.environment == PREVIEWS else routed
    site = _behaviour(SITE, _READ, functions=[*routed, (parts.response_arn, "viewer-response")])
    return {
        "CallerReference": comment(names, member).replace(" ", "-"),
        "Comment": comment(names, member),
        "Enabled": True,
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "PriceClass": "PriceClass_All",
        "Origins": _items(
            [_files(names, parts), _entry(parts), _api(names, parts), *_stream_origins(parts)]
        ),
        "OriginGroups": _items([_group()]),
        "DefaultCacheBehavior": {
            **site,
            "CachePolicyId": parts.cache_policy,
            "OriginRequestPolicyId": parts.forward_policy,
        },
        "CacheBehaviors": _items(
            [
                # The first pattern that fits counts. Source: CloudFront API reference,
                # CacheBehaviors.
                *(_stream(parts, each) for each in parts.streams),
                _call("/.functions/*", _behaviour(API, _ALL, functions=around)),
            ]
        ),
        "CustomErrorResponses": _items(
            [{"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in UNCACHED_ERRORS]
        ),
    }


def _files(names: Names, parts: Parts) -> Config:
    return {
        **_origin(FILES, f"{names.bucket}.s3.{names.region}.{_suffix(names)}"),
        "OriginPath": f"/{names.objects}",
        "OriginAccessControlId": parts.files_access,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def _entry(parts: Parts) -> Config:
    return {
        **_origin(ENTRY, parts.entry_domain),
        "OriginAccessControlId": parts.entry_access,
        "ConnectionAttempts": 1,
        "ConnectionTimeout": ENTRY_CONNECT,
        "CustomOriginConfig": _https(read=ENTRY_READ),
    }


def _stream_origins(parts: Parts) -> list[Config]:
    return [
        {
            **_origin(each.origin, each.domain),
            "OriginAccessControlId": parts.entry_access,
            "ConnectionAttempts": 1,  # a second one would run the function a second time
            "CustomOriginConfig": _https(read=STREAM_READ),
        }
        for each in parts.streams
    ]


def _stream(parts: Parts, path: Path) -> Config:
    """No compression: it would wait for more than there is to send. OPTIONS is for preflights."""
    functions = [(parts.stream_arn, "viewer-request")]
    behaviour = _behaviour(path.origin, _READ, functions=functions)
    return _call(path.route, {**behaviour, "Compress": False})


def _call(pattern: str, behaviour: Config) -> Config:
    """A path whose answers are nobody else's."""
    return {
        **behaviour,
        "PathPattern": pattern,
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
    }


def _api(names: Names, parts: Parts) -> Config:
    domain = f"{parts.api_id}.execute-api.{names.region}.{_suffix(names)}"
    return {
        **_origin(API, domain),
        # In place of whatever a visitor sends by that name. Source: CloudFront developer guide,
        # "Add custom headers to origin requests".
        "CustomHeaders": _items([{"HeaderName": KEY_HEADER, "HeaderValue": parts.key}]),
        # API Gateway gives up after 30 s; CloudFront should hear that instead of cutting it off.
        "CustomOriginConfig": _https(read=30),
    }


def _origin(origin: str, domain: str) -> Config:
    return {
        "Id": origin,
        "DomainName": domain,
        "OriginPath": "",
        "CustomHeaders": {"Quantity": 0},
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
    }


def _https(*, read: int) -> Config:
    return {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "https-only",
        "OriginSslProtocols": _items(["TLSv1.2"]),
        "OriginReadTimeout": read,
        "OriginKeepaliveTimeout": 5,
    }


def _group() -> Config:
    return {
        "Id": SITE,
        "FailoverCriteria": {"StatusCodes": _items(list(FAILOVER))},
        "Members": _items([{"OriginId": FILES}, {"OriginId": ENTRY}]),
    }


def _behaviour(origin: str, methods: list[str], *, functions: list[tuple[str, str]]) -> Config:
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "ResponseHeadersPolicyId": SECURITY_HEADERS,
        "AllowedMethods": {**_items(methods), "CachedMethods": _items(["GET", "HEAD"])},
        "Compress": True,
        "FunctionAssociations": _items(
            [{"FunctionARN": arn, "EventType": event} for arn, event in functions]
        ),
    }


def _suffix(names: Names) -> str:
    return "amazonaws.com.cn" if names.partition == "aws-cn" else "amazonaws.com"


def _items(items: list[Any]) -> Config:
    return {"Quantity": len(items), "Items": items}


def without(actual: Config, origins: Sequence[str]) -> Config:
    """`actual` without these origins and without the paths that lead to them."""
    kept = [each for each in actual["Origins"]["Items"] if each["Id"] not in origins]
    listed = actual["CacheBehaviors"].get("Items", [])
    paths = [each for each in listed if each["TargetOriginId"] not in origins]
    return {**actual, "Origins": _items(kept), "CacheBehaviors": _items(paths)}
