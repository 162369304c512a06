"""What CloudFront refuses in a distribution's configuration, apart from its origins. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runner.local import quotas
from runner.local.cloudfront import managed, origin_checks, response_headers, unsupported
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.wire import AwsError

RULES = (
    *rule(
        api("CreateDistribution"),
        "a behaviour's target is an origin or an origin group of the distribution: NoSuchOrigin",
        "an alternate domain name belongs to one distribution: CNAMEAlreadyExists",
        "an unknown cache policy or origin request policy is refused: NoSuchCachePolicy, "
        "NoSuchOriginRequestPolicy",
        "DefaultRootObject does not begin with a slash: InvalidDefaultRootObject",
        "an origin group's behaviour allows GET, HEAD and OPTIONS only: InvalidArgument",
    ),
    *rule(
        guide("associate-function"),
        "a behaviour's function exists, is published and stands at viewer-request or "
        "viewer-response, one each: InvalidFunctionAssociation",
    ),
    *rule(
        guide("using-managed-origin-request-policies"),
        "the managed policy AllViewerExceptHostHeader is refused on a behaviour whose origin is S3",
    ),
    *rule(
        guide("cnames-and-https-requirements"),
        "alternate domain names need a certificate of ACM in us-east-1 that covers them: "
        "InvalidViewerCertificate",
    ),
    *rule(
        api("AllowedMethods"),
        "allowed methods are GET and HEAD, these and OPTIONS, or all seven",
    ),
    *rule(
        api("CustomErrorResponse"),
        "custom error responses are for 400, 403, 404, 405, 414, 416, 500 to 504; page and status "
        "come together: InvalidErrorCode, InvalidArgument",
    ),
)

Config = dict[str, Any]
Certificates = Callable[[str], tuple[str, ...] | None]
"""The names that a certificate covers; None if there is no such certificate."""

_READS = frozenset({"GET", "HEAD"})
_SAFE = _READS | {"OPTIONS"}
_ALL = _SAFE | {"POST", "PUT", "PATCH", "DELETE"}
_ERRORS = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
_CHOICES = {
    "HttpVersion": ("http1.1", "http2", "http3", "http2and3"),
    "PriceClass": ("PriceClass_100", "PriceClass_200", "PriceClass_All", "None"),
}


def check(config: Config, *, account: Account, own: str, certificates: Certificates) -> None:
    """Raises what CloudFront would. `own` is the id of the distribution that is being changed."""
    unsupported.check(config)
    _check_top(config)
    _check_aliases(config, account, own=own)
    _check_certificate(config, certificates)
    origin_checks.check(config, account)
    for behaviour in behaviours(config):
        _check_behaviour(behaviour, config, account)
    _check_errors(config)


def behaviours(config: Config) -> list[Config]:
    """The default behaviour and the others."""
    return [config["DefaultCacheBehavior"], *items(config["CacheBehaviors"])]


def items(listed: Config) -> list[Any]:
    return list(listed.get("Items", []))


def _check_top(config: Config) -> None:
    for name, allowed in _CHOICES.items():
        if config[name] not in allowed:
            raise AwsError("InvalidArgument", f"The parameter {name} is not valid.")
    if config["DefaultRootObject"].startswith("/"):
        raise AwsError("InvalidDefaultRootObject", "The default root object begins with a slash.")
    if len(config["Comment"]) > 128:
        raise AwsError("InvalidArgument", "The parameter Comment is too long.")
    if len(items(config["CacheBehaviors"])) > quotas.BEHAVIOURS.limit:
        raise AwsError("TooManyCacheBehaviors", "Too many cache behaviors.")
    patterns = [behaviour["PathPattern"] for behaviour in items(config["CacheBehaviors"])]
    if len(set(patterns)) != len(patterns):
        raise AwsError("InvalidArgument", "A path pattern stands twice.")


def _check_aliases(config: Config, account: Account, *, own: str) -> None:
    wanted = {alias.lower() for alias in items(config["Aliases"])}
    if len(wanted) > quotas.ALIASES.limit:
        raise AwsError("TooManyDistributionCNAMEs", "Too many alternate domain names.")
    for other in account.distributions.items.values():
        taken = {alias.lower() for alias in items(other.body.config["Aliases"])}
        if other.id != own and wanted & taken:
            raise AwsError(
                "CNAMEAlreadyExists",
                "One or more of the CNAMEs you provided are already associated with a different "
                "resource.",
            )


def _check_certificate(config: Config, certificates: Certificates) -> None:
    aliases = items(config["Aliases"])
    arn = config["ViewerCertificate"].get("ACMCertificateArn", "")
    if not aliases and not arn:
        return
    if not arn:
        raise AwsError(
            "InvalidViewerCertificate",
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach "
            "a trusted certificate that validates your authorization to use the domain name.",
        )
    names = certificates(arn) if arn.split(":")[3] == "us-east-1" else None
    if names is None:
        raise AwsError(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, "
            "or doesn't include a valid certificate chain.",
        )
    if not all(covers(names, alias.lower()) for alias in aliases):
        raise AwsError(
            "InvalidViewerCertificate",
            "The certificate that is attached to your distribution doesn't cover the alternate "
            "domain name (CNAME) that you're trying to add.",
        )


def covers(names: Iterable[str], alias: str) -> bool:
    """Whether a certificate of these names is good for an alternate domain name."""
    _label, _, parent = alias.partition(".")
    return any(name.lower() in (alias, f"*.{parent}") for name in names)


def _check_behaviour(behaviour: Config, config: Config, account: Account) -> None:
    origins = {origin["Id"]: origin for origin in items(config["Origins"])}
    groups = {group["Id"] for group in items(config["OriginGroups"])}
    target = behaviour["TargetOriginId"]
    if target not in origins and target not in groups:
        raise AwsError(
            "NoSuchOrigin",
            "One or more of your origins or origin groups do not exist.",
        )
    _check_methods(behaviour, grouped=target in groups)
    if behaviour["ViewerProtocolPolicy"] not in ("allow-all", "https-only", "redirect-to-https"):
        raise AwsError("InvalidArgument", "The parameter ViewerProtocolPolicy is not valid.")
    _check_policies(behaviour, origins.get(target, {}), account)
    _check_functions(behaviour, account)


def _check_methods(behaviour: Config, *, grouped: bool) -> None:
    allowed = frozenset(items(behaviour["AllowedMethods"]))
    cached = frozenset(items(behaviour["AllowedMethods"]["CachedMethods"]))
    if allowed not in (_READS, _SAFE, _ALL) or cached not in (_READS, _SAFE) or cached - allowed:
        raise AwsError("InvalidArgument", "The parameter AllowedMethods is not valid.")
    if grouped and allowed - _SAFE:
        raise AwsError(
            "InvalidArgument",
            "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached "
            "behavior associated with an origin group.",
        )


def _check_policies(behaviour: Config, origin: Config, account: Account) -> None:
    cache, forwarded = behaviour.get("CachePolicyId"), behaviour.get("OriginRequestPolicyId")
    if not cache:
        raise AwsError("InvalidArgument", "The parameter CachePolicyId is required.")
    response_headers.policy(behaviour.get("ResponseHeadersPolicyId", ""))
    if cache not in managed.CACHE_POLICIES:
        account.cache_policies.get(cache)
    if forwarded and forwarded not in managed.REQUEST_POLICIES:
        account.request_policies.get(forwarded)
    if forwarded == managed.ALL_VIEWER_EXCEPT_HOST and "S3OriginConfig" in origin:
        raise AwsError(
            "InvalidArgument",
            "The parameter OriginRequestPolicyId is not valid for an Amazon S3 origin.",
        )


def _check_functions(behaviour: Config, account: Account) -> None:
    associated = items(behaviour["FunctionAssociations"])
    events = [association["EventType"] for association in associated]
    if len(set(events)) != len(events) or set(events) - {"viewer-request", "viewer-response"}:
        raise _bad_function("The event type is not valid, or stands twice.")
    for association in associated:
        name = association["FunctionARN"].rpartition("/")[2]
        function = account.functions.find(name)
        if function is None or function.arn != association["FunctionARN"]:
            raise _bad_function("The function does not exist.")
        if function.live is None:
            raise _bad_function("The function is not published to the LIVE stage.")


def _bad_function(message: str) -> AwsError:
    return AwsError("InvalidFunctionAssociation", message)


def _check_errors(config: Config) -> None:
    for response in items(config["CustomErrorResponses"]):
        if int(response["ErrorCode"]) not in _ERRORS:
            raise AwsError("InvalidErrorCode", "An invalid error code was specified.")
        if bool(response["ResponsePagePath"]) != bool(response["ResponseCode"]):
            raise AwsError(
                "InvalidArgument", "ResponsePagePath and ResponseCode are given together."
            )
