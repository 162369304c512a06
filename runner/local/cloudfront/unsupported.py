"""Parts of a distribution that the embedded cloud cannot serve: refused with 501, never ignored."""

from __future__ import annotations

from typing import Any

from runner.local.wire import AwsError

NOT_EMULATED: tuple[str, ...] = (
    "Lambda@Edge associations",
    "response headers policies but the managed one for security",
    "signed URLs and cookies (TrustedSigners, TrustedKeyGroups)",
    "field-level encryption, real-time logs, standard logs, smooth streaming, gRPC",
    "WAF web ACLs and geographic restrictions",
    "VPC origins, origin access identities, S3 website endpoints as origins",
    "continuous deployment, staging distributions, multi-tenant distributions, viewer mTLS",
    "legacy cache settings (ForwardedValues and TTLs of a behaviour)",
    "importing a key value store from S3",
)

Config = dict[str, Any]


def check(config: Config) -> None:
    """Raises 501 NotImplemented with the name of the first part that cannot be served."""
    for path in (
        "WebACLId", "ContinuousDeploymentPolicyId", "Staging", "AnycastIpListId", "TenantConfig",
        "ViewerMtlsConfig", "ConnectionFunctionAssociation", "CacheTagConfig",
    ):  # fmt: skip
        _absent(config, path)
    _absent(config["Logging"], "Enabled")
    if config["Restrictions"]["GeoRestriction"]["RestrictionType"] != "none":
        raise _missing("GeoRestriction")
    for origin in config["Origins"].get("Items", []):
        _check_origin(origin)
    for behaviour in (config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])):
        _check_behaviour(behaviour)


def _check_origin(origin: Config) -> None:
    _absent(origin, "VpcOriginConfig")
    _absent(origin.get("S3OriginConfig", {}), "OriginAccessIdentity")
    if ".s3-website" in origin["DomainName"]:
        raise _missing("an S3 website endpoint as origin")


def _check_behaviour(behaviour: Config) -> None:
    for path in ("FieldLevelEncryptionId", "RealtimeLogConfigArn", "SmoothStreaming",
                 "ForwardedValues"):  # fmt: skip
        _absent(behaviour, path)
    if behaviour["LambdaFunctionAssociations"].get("Items"):
        raise _missing("LambdaFunctionAssociations")
    for path in ("TrustedSigners", "TrustedKeyGroups"):
        _absent(behaviour[path], "Enabled", shown=path)
    _absent(behaviour.get("GrpcConfig", {}), "Enabled", shown="GrpcConfig")


def _absent(config: Config, name: str, *, shown: str = "") -> None:
    if config.get(name):
        raise _missing(shown or name)


def _missing(what: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"The embedded CloudFront does not have {what}. docs/fidelity.md lists what it has.",
        status=501,
    )
