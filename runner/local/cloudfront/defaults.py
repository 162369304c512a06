"""The members that CloudFront fills in where a distribution's configuration has none. Pure."""

from __future__ import annotations

from typing import Any

from runner.local.cloudfront.pages import api, rule
from runner.local.cloudfront.quantities import normalised

RULES = rule(
    api("DistributionConfig"),
    "members that were left out come back with CloudFront's defaults",
)

Config = dict[str, Any]

_NONE: Config = {"Quantity": 0}
_METHODS: Config = {
    "Quantity": 2,
    "Items": ["HEAD", "GET"],
    "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
}


def filled(given: Config) -> Config:
    """`given` as GetDistributionConfig shows it. Raises InconsistentQuantities."""
    config: Config = normalised(given)
    made: Config = {
        "Aliases": _NONE,
        "DefaultRootObject": "",
        "OriginGroups": _NONE,
        "CacheBehaviors": _NONE,
        "CustomErrorResponses": _NONE,
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "ViewerCertificate": _certificate(config.get("ViewerCertificate") or {}),
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
        **{key: value for key, value in config.items() if key != "ViewerCertificate"},
    }
    made["Origins"] = _each(made["Origins"], _origin)
    made["CacheBehaviors"] = _each(made["CacheBehaviors"], _behaviour)
    made["DefaultCacheBehavior"] = _behaviour(made["DefaultCacheBehavior"])
    made["CustomErrorResponses"] = _each(made["CustomErrorResponses"], _error)
    copied: Config = normalised(made)  # the defaults above are shared
    return copied


def _each(listed: Config, fill: Any) -> Config:
    if "Items" not in listed:
        return listed
    return {**listed, "Items": [fill(item) for item in listed["Items"]]}


def _certificate(given: Config) -> Config:
    if given.get("ACMCertificateArn"):
        return {
            "CloudFrontDefaultCertificate": False,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            **given,
            "Certificate": given["ACMCertificateArn"],
            "CertificateSource": "acm",
        }
    return {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
        **given,
    }


def _origin(given: Config) -> Config:
    made: Config = {
        "OriginPath": "",
        "CustomHeaders": _NONE,
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
        "OriginAccessControlId": "",
        **given,
    }
    if "CustomOriginConfig" in made:
        made["CustomOriginConfig"] = {
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
            **made["CustomOriginConfig"],
        }
    return made


def _behaviour(given: Config) -> Config:
    methods = {**_METHODS, **given.get("AllowedMethods", {})}
    return {
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "SmoothStreaming": False,
        "Compress": False,
        "LambdaFunctionAssociations": _NONE,
        "FunctionAssociations": _NONE,
        "FieldLevelEncryptionId": "",
        **given,
        "AllowedMethods": methods,
    }


def _error(given: Config) -> Config:
    return {"ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 10, **given}
