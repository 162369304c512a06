"""AWS's managed cache policies and origin request policies, by their fixed ids.

Source: CloudFront developer guide, "Use managed cache policies", "Use managed origin request
policies".
"""

from __future__ import annotations

from typing import Any

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_OPTIMIZED_UNCOMPRESSED = "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
CORS_S3 = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"
CORS_CUSTOM = "59781a5b-3903-41f3-afcb-af62929ccde1"
USER_AGENT_REFERER = "acba4595-bd28-49b8-b9fe-13317c0390fa"

_YEAR = 31536000
_DAY = 86400


def _cache(name: str, *, ttls: tuple[int, int, int], encodings: bool) -> dict[str, Any]:
    minimum, default, maximum = ttls
    return {
        "Comment": "", "Name": f"Managed-{name}",
        "DefaultTTL": default, "MaxTTL": maximum, "MinTTL": minimum,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": encodings,
            "EnableAcceptEncodingBrotli": encodings,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }  # fmt: skip


def _request(
    name: str, *, headers: tuple[str, tuple[str, ...]], others: str = "all"
) -> dict[str, Any]:
    behaviour, names = headers
    listed = {"Headers": {"Quantity": len(names), "Items": list(names)}} if names else {}
    return {
        "Comment": "", "Name": f"Managed-{name}",
        "HeadersConfig": {"HeaderBehavior": behaviour, **listed},
        "CookiesConfig": {"CookieBehavior": others},
        "QueryStringsConfig": {"QueryStringBehavior": others},
    }  # fmt: skip


CACHE_POLICIES: dict[str, dict[str, Any]] = {
    CACHING_DISABLED: _cache("CachingDisabled", ttls=(0, 0, 0), encodings=False),
    CACHING_OPTIMIZED: _cache("CachingOptimized", ttls=(1, _DAY, _YEAR), encodings=True),
    CACHING_OPTIMIZED_UNCOMPRESSED: _cache(
        "CachingOptimizedForUncompressedObjects", ttls=(1, _DAY, _YEAR), encodings=False
    ),
}

REQUEST_POLICIES: dict[str, dict[str, Any]] = {
    ALL_VIEWER: _request("AllViewer", headers=("allViewer", ())),
    ALL_VIEWER_EXCEPT_HOST: _request("AllViewerExceptHostHeader", headers=("allExcept", ("host",))),
    CORS_S3: _request(
        "CORS-S3Origin",
        headers=("whitelist", ("origin", "access-control-request-headers",
                               "access-control-request-method")),
        others="none",
    ),
    CORS_CUSTOM: _request("CORS-CustomOrigin", headers=("whitelist", ("origin",)), others="none"),
    USER_AGENT_REFERER: _request(
        "UserAgentRefererHeaders", headers=("whitelist", ("user-agent", "referer")), others="none"
    ),
}  # fmt: skip
