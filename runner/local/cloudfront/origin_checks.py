"""What CloudFront refuses in a distribution's origins and origin groups. Reads only."""

from __future__ import annotations

import re
from typing import Any

from runner.local import quotas
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.wire import AwsError

RULES = (
    *rule(
        api("Origin"),
        "an origin has either S3OriginConfig or CustomOriginConfig; the domain of an S3 origin is "
        "a bucket's: InvalidArgument",
        "OriginPath begins with a slash and does not end with one: InvalidArgument",
        "1 to 3 attempts to connect, of 1 to 10 seconds each: InvalidArgument",
        "an unknown origin access control is refused: InvalidOriginAccessControl; one of another "
        "type than the origin: InvalidDomainNameForOriginAccessControl",
    ),
    *rule(
        api("CustomOriginConfig"),
        "1 to 120 seconds to read and to keep alive: InvalidOriginReadTimeout, "
        "InvalidOriginKeepaliveTimeout",
    ),
    *rule(
        guide("add-origin-custom-headers"),
        "at most 30 custom headers an origin, none of those that CloudFront keeps for itself",
    ),
    *rule(
        guide("high_availability_origin_failover"),
        "an origin group has two origins of the distribution, and fails over on 400, 403, 404, "
        "416, 500, 502, 503, 504 only",
    ),
)

Config = dict[str, Any]

S3_DOMAIN = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])\.s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com"
)
LAMBDA_DOMAIN = re.compile(r"[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.on\.aws")

_FAILOVER = frozenset({400, 403, 404, 416, 500, 502, 503, 504})
_RESERVED = frozenset(
    {
        "cache-control", "connection", "content-length", "cookie", "host", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards",
        "pragma", "proxy-authenticate", "proxy-authorization", "proxy-connection", "range",
        "request-range", "te", "trailer", "transfer-encoding", "upgrade", "via", "x-real-ip",
    }
)  # fmt: skip
_HEADERS = 30
_DOMAINS = {"s3": S3_DOMAIN, "lambda": LAMBDA_DOMAIN}


def check(config: Config, account: Account) -> None:
    """Raises what CloudFront would for `Origins` and `OriginGroups`."""
    origins = config["Origins"].get("Items", [])
    if not origins:
        raise AwsError("InvalidArgument", "The parameter Origins is required.")
    if len(origins) > quotas.ORIGINS.limit:
        raise AwsError("TooManyOrigins", "Too many origins.")
    names = [origin["Id"] for origin in origins]
    if len(set(names)) != len(names):
        raise AwsError("InvalidArgument", "An origin's Id stands twice.")
    for origin in origins:
        _check_origin(origin)
        _check_control(origin, account)
    groups = config["OriginGroups"].get("Items", [])
    if len(groups) > quotas.ORIGIN_GROUPS.limit:
        raise AwsError("TooManyOriginGroupsPerDistribution", "Too many origin groups.")
    for group in groups:
        _check_group(group, names)


def _check_origin(origin: Config) -> None:
    if ("S3OriginConfig" in origin) == ("CustomOriginConfig" in origin):
        raise AwsError(
            "InvalidArgument", "An origin needs either S3OriginConfig or CustomOriginConfig."
        )
    if "S3OriginConfig" in origin and not S3_DOMAIN.fullmatch(origin["DomainName"]):
        raise AwsError(
            "InvalidArgument",
            "The parameter Origin DomainName does not refer to a valid S3 bucket.",
        )
    path = origin["OriginPath"]
    if path and (not path.startswith("/") or path.endswith("/")):
        raise AwsError("InvalidArgument", "The parameter OriginPath is not valid.")
    if not 1 <= origin["ConnectionAttempts"] <= 3 or not 1 <= origin["ConnectionTimeout"] <= 10:
        raise AwsError("InvalidArgument", "The connection attempts or timeout are not valid.")
    _check_custom(origin.get("CustomOriginConfig"))
    _check_headers(origin["CustomHeaders"].get("Items", []))


def _check_custom(custom: Config | None) -> None:
    if custom is None:
        return
    if not 1 <= custom["OriginReadTimeout"] <= 120:
        raise AwsError("InvalidOriginReadTimeout", "The read timeout is not valid.")
    if not 1 <= custom["OriginKeepaliveTimeout"] <= 120:
        raise AwsError("InvalidOriginKeepaliveTimeout", "The keep-alive timeout is not valid.")
    if custom["OriginProtocolPolicy"] not in ("http-only", "match-viewer", "https-only"):
        raise AwsError("InvalidArgument", "The parameter OriginProtocolPolicy is not valid.")


def _check_headers(headers: list[Config]) -> None:
    if len(headers) > _HEADERS:
        raise AwsError("TooManyOriginCustomHeaders", "Too many custom headers.")
    for header in headers:
        name = header["HeaderName"].lower()
        if name in _RESERVED or name.startswith(("x-amz-", "x-edge-")):
            raise AwsError("InvalidArgument", f"The header {name} is not allowed.")


def _check_control(origin: Config, account: Account) -> None:
    wanted = origin["OriginAccessControlId"]
    if not wanted:
        return
    control = account.controls.find(wanted)
    if control is None:
        raise AwsError("InvalidOriginAccessControl", "The origin access control does not exist.")
    domain = _DOMAINS.get(control.body["OriginAccessControlOriginType"])
    if domain is not None and not domain.fullmatch(origin["DomainName"]):
        raise AwsError(
            "InvalidDomainNameForOriginAccessControl",
            "An origin access control is associated with an origin whose domain name is not "
            "supported.",
        )


def _check_group(group: Config, origins: list[str]) -> None:
    members = [member["OriginId"] for member in group["Members"].get("Items", [])]
    if len(members) != 2 or len(set(members)) != 2:
        raise AwsError("InvalidArgument", "An origin group has two members.")
    if set(members) - set(origins):
        raise AwsError("NoSuchOrigin", "An origin group names an origin that does not exist.")
    codes = set(group["FailoverCriteria"]["StatusCodes"].get("Items", []))
    if not codes or codes - _FAILOVER:
        raise AwsError("InvalidArgument", "The failover status codes are not valid.")
