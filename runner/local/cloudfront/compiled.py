"""From the control plane's shelves to what the edges read: once a write, not once a request."""

from __future__ import annotations

import re
from typing import Any

from runner.local.cloudfront import managed, response_headers
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.checks import items
from runner.local.cloudfront.entities import Entity
from runner.local.cloudfront.origin_checks import S3_DOMAIN
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import (
    Behaviour,
    CacheRules,
    Distribution,
    ErrorRule,
    Forwarding,
    FunctionRef,
    Group,
    Origin,
    Selection,
    Signing,
    Target,
)

RULES = rule(
    guide("DownloadDistValuesCacheBehavior"),
    "the behaviour is chosen by the visitor's path, case-sensitive, in the order of the list; * "
    "is any characters, ? is one",
    "it is chosen by what RFC 3986 makes of the path, without dot segments and doubled slashes; "
    "function and origin get the path as it was sent",
)

Config = dict[str, Any]


def compiled(entity: Entity, config: Config, account: Account) -> Distribution:
    """`config` is what edges serve of `entity` now."""
    origins = {each["Id"]: _origin(each, account) for each in items(config["Origins"])}
    targets: dict[str, Target] = {
        **origins,
        **{each["Id"]: _group(each, origins) for each in items(config["OriginGroups"])},
    }
    listed = [*items(config["CacheBehaviors"]), config["DefaultCacheBehavior"]]
    return Distribution(
        id=entity.id,
        arn=entity.arn,
        domain=entity.body.domain,
        aliases=tuple(alias.lower() for alias in items(config["Aliases"])),
        enabled=config["Enabled"],
        root=config["DefaultRootObject"],
        behaviours=tuple(_behaviour(each, targets, account) for each in listed),
        origins=origins,
        errors={int(each["ErrorCode"]): _error(each) for each in _errors(config)},
    )


def _errors(config: Config) -> list[Config]:
    return items(config["CustomErrorResponses"])


def _error(given: Config) -> ErrorRule:
    return ErrorRule(
        page=given["ResponsePagePath"],
        status=int(given["ResponseCode"] or given["ErrorCode"]),
        seconds=float(given["ErrorCachingMinTTL"]),
    )


def _origin(given: Config, account: Account) -> Origin:
    custom = given.get("CustomOriginConfig")
    found = S3_DOMAIN.fullmatch(given["DomainName"]) if custom is None else None
    headers = items(given["CustomHeaders"])
    return Origin(
        id=given["Id"],
        domain=given["DomainName"],
        path=given["OriginPath"],
        headers=tuple((each["HeaderName"].lower(), each["HeaderValue"]) for each in headers),
        bucket=found["bucket"] if found else "",
        signing=_signing(given["OriginAccessControlId"], account),
        attempts=given["ConnectionAttempts"],
        connect_seconds=given["ConnectionTimeout"],
        read_seconds=custom["OriginReadTimeout"] if custom else 30,
        protocol=custom["OriginProtocolPolicy"] if custom else "https-only",
    )


def _signing(identity: str, account: Account) -> Signing | None:
    control = account.controls.find(identity)
    if control is None:
        return None
    return Signing(
        behaviour=control.body["SigningBehavior"],
        kind=control.body["OriginAccessControlOriginType"],
    )


def _group(given: Config, origins: dict[str, Origin]) -> Group:
    members = tuple(origins[each["OriginId"]] for each in items(given["Members"]))
    return Group(
        members=members, statuses=frozenset(items(given["FailoverCriteria"]["StatusCodes"]))
    )


def _behaviour(given: Config, targets: dict[str, Target], account: Account) -> Behaviour:
    functions = {
        each["EventType"]: _function(each["FunctionARN"], account)
        for each in items(given["FunctionAssociations"])
    }
    methods = given["AllowedMethods"]
    return Behaviour(
        pattern=_pattern(given.get("PathPattern", "*")),
        target=targets[given["TargetOriginId"]],
        protocol=given["ViewerProtocolPolicy"],
        methods=frozenset(items(methods)),
        cached_methods=frozenset(items(methods["CachedMethods"])),
        compress=given["Compress"],
        cache=_cache(
            _policy(given["CachePolicyId"], managed.CACHE_POLICIES, account.cache_policies)
        ),
        forward=_forwarding(given.get("OriginRequestPolicyId", ""), account),
        headers=response_headers.policy(given.get("ResponseHeadersPolicyId", "")),
        on_request=functions.get("viewer-request"),
        on_response=functions.get("viewer-response"),
    )


def _pattern(given: str) -> re.Pattern[str]:
    wanted = given if given.startswith(("/", "*")) else f"/{given}"
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in wanted), re.DOTALL)


def _policy(identity: str, known: dict[str, Config], shelf: Any) -> Config:
    body: Config = known[identity] if identity in known else shelf.get(identity).body
    return body


def _cache(policy: Config) -> CacheRules:
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    return CacheRules(
        minimum=policy["MinTTL"],
        default=policy["DefaultTTL"],
        maximum=policy["MaxTTL"],
        gzip=key["EnableAcceptEncodingGzip"],
        brotli=key["EnableAcceptEncodingBrotli"],
        headers=_headers(key["HeadersConfig"]),
        cookies=_selection(key["CookiesConfig"], "Cookie"),
        queries=_selection(key["QueryStringsConfig"], "QueryString"),
    )


def _forwarding(identity: str, account: Account) -> Forwarding:
    if not identity:
        return Forwarding()
    policy = _policy(identity, managed.REQUEST_POLICIES, account.request_policies)
    return Forwarding(
        headers=_headers(policy["HeadersConfig"]),
        cookies=_selection(policy["CookiesConfig"], "Cookie"),
        queries=_selection(policy["QueryStringsConfig"], "QueryString"),
    )


def _headers(given: Config) -> Selection:
    names = frozenset(name.lower() for name in items(given.get("Headers", {})))
    match given["HeaderBehavior"]:
        case "allViewer":
            return Selection(all=True)
        case "allViewerAndWhitelistCloudFront":
            return Selection(all=True, added=names)
        case "allExcept":
            return Selection(all=True, names=names)
        case "whitelist":
            return Selection(names=names)
        case _:
            return Selection()


def _selection(given: Config, what: str) -> Selection:
    names = frozenset(items(given.get(f"{what}s", {})))
    match given[f"{what}Behavior"]:
        case "all":
            return Selection(all=True)
        case "allExcept":
            return Selection(all=True, names=names)
        case "whitelist":
            return Selection(names=names)
        case _:
            return Selection()


def _function(arn: str, account: Account) -> FunctionRef:
    function = account.functions.get(arn.rpartition("/")[2])
    assert function.live is not None, "a behaviour's function is published"
    return FunctionRef(
        name=function.id,
        etag=function.live.etag,
        code=function.live.code.decode(),
        runtime=str(function.live.config["Runtime"]),
        store=function.live.store,
    )
