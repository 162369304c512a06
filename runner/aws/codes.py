"""The one table from AWS's error codes to ours, in the user's words. Pure data.

docs/errors.md is generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore import exceptions as botocore

from runner.errors import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One kind of refusal: AWS's `codes` for it, and what we say.

    `said` narrows it to messages that match; `message` and `hint` may name {action}, {resource}
    and {said}, AWS's own sentence.
    """

    code: str
    codes: frozenset[str]
    turn: Turn
    message: str
    hint: str
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of failure before AWS answered: botocore's exceptions for it, and what we say."""

    code: str
    kinds: tuple[type[Exception], ...]
    turn: Turn
    message: str
    hint: str


_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "Forbidden",
        "ForbiddenException",
        "NotAuthorized",
        "UnauthorizedOperation",
        "403",  # answers to HEAD have no body, so botocore uses the status
    }
)

# The first row that fits counts. Sources: IAM user guide, "Troubleshoot access denied error
# messages"; S3, Lambda and STS API references, "Common errors"; Lambda developer guide, "Quotas".
TABLE: tuple[Refusal, ...] = (
    Refusal(
        code="JAM-DENIED",
        codes=_DENIED,
        said=r"no permissions boundary allows|explicit deny in a permissions boundary",
        turn=Turn.AWS,
        message="AWS does not let these credentials do {action} on {resource}: {said}",
        hint="The permissions boundary forbids it; an administrator updates it with "
        "`jam-deploy bootstrap`.",
    ),
    Refusal(
        code="JAM-DENIED",
        codes=_DENIED,
        said=r"service control policy|resource control policy",
        turn=Turn.AWS,
        message="Your organization does not allow {action} on {resource}: {said}",
        hint="Ask whoever manages the organization's policies in AWS Organizations.",
    ),
    Refusal(
        code="JAM-ACCOUNT-UNVERIFIED",
        codes=_DENIED,
        said=r"must be verified",
        turn=Turn.AWS,
        message="AWS has not verified this account for CloudFront yet: {said}",
        hint="Open a case with AWS Support (free, category Account) and ask for it.",
    ),
    Refusal(
        code="JAM-DENIED",
        codes=_DENIED,
        turn=Turn.AWS,
        message="AWS does not let these credentials do {action} on {resource}.",
        hint="Add {action} on {resource} to the policy of the role that deploys; "
        "docs/permissions.md lists everything that it needs.",
    ),
    Refusal(
        code="JAM-CREDS-EXPIRED",
        codes=frozenset(
            {
                "ExpiredToken",
                "ExpiredTokenException",
                "RequestExpired",
                "TokenRefreshRequired",
                "InvalidClientTokenId",
                "UnrecognizedClientException",
            }
        ),
        turn=Turn.AGAIN,
        message="The AWS credentials are no longer valid: {said}",
        hint="Get new ones and run again; nothing is lost. In a workflow raise "
        "role-duration-seconds of configure-aws-credentials.",
    ),
    Refusal(
        code="JAM-CREDS-INVALID",
        codes=frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature"}),
        turn=Turn.AWS,
        message="AWS does not accept the credentials: {said}",
        hint="Check the access key and its secret.",
    ),
    Refusal(
        code="JAM-CLOCK",
        codes=frozenset({"RequestTimeTooSkewed"}),
        turn=Turn.AWS,
        message="This machine's clock is too far from AWS's: {said}",
        hint="Set the clock by NTP and run again.",
    ),
    Refusal(
        code="JAM-CLOCK",
        codes=frozenset({"InvalidSignatureException"}),
        said=r"expired|not yet current",
        turn=Turn.AWS,
        message="This machine's clock is too far from AWS's: {said}",
        hint="Set the clock by NTP and run again.",
    ),
    Refusal(
        code="JAM-THROTTLED",
        codes=frozenset(
            {
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "RequestThrottled",
                "RequestThrottledException",
                "SlowDown",
                "ThrottledException",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
        turn=Turn.AGAIN,
        message="AWS kept throttling {action}.",
        hint="Run again in a minute; nothing is lost. Other runs in the account share its rates.",
    ),
    Refusal(
        code="JAM-ISSUER",
        codes=frozenset({"BadRequestException"}),
        said=r"(?i)\bissuer\b",
        turn=Turn.SITE,
        message="API Gateway does not take the issuer of [authorizers]: {said}",
        hint="Its address with /.well-known/openid-configuration behind it must answer over https, "
        "with an `issuer` that is spelt as in jam.toml.",
    ),
    Refusal(
        code="JAM-DENIED",
        codes=frozenset({"BadRequestException"}),
        said=r"(?i)insufficient permissions to enable logging",
        turn=Turn.AWS,
        message="These credentials may not turn the API's access log on: {said}",
        hint="Add logs:CreateLogDelivery, UpdateLogDelivery, DeleteLogDelivery, GetLogDelivery, "
        "ListLogDeliveries, PutResourcePolicy, DescribeResourcePolicies, CreateLogGroup and "
        "DescribeLogGroups on * to their policy, or set `access_log = false` in [functions].",
    ),
    Refusal(
        code="JAM-QUOTA-CODE",
        codes=frozenset({"CodeStorageExceededException"}),
        turn=Turn.AWS,
        message="The account's storage for Lambda code is full: {said}",
        hint="Delete old function versions, or ask AWS for more in Service Quotas.",
    ),
    Refusal(
        code="JAM-QUOTA",
        codes=frozenset(
            {
                "EntityLimitExceeded",
                "LimitExceeded",
                "LimitExceededException",
                "PolicyLengthExceededException",
                "ServiceQuotaExceededException",
                "TooManyBuckets",
                "TooManyCacheBehaviors",
                "TooManyCachePolicies",
                "TooManyDistributions",
                "TooManyFunctions",
                "TooManyOriginAccessControls",
                "TooManyOriginRequestPolicies",
            }
        ),
        turn=Turn.AWS,
        message="{action} met a quota of the account: {said}",
        hint="Free what is no longer used (ours bears the tag `jam:site`), or ask for more "
        "in Service Quotas.",
    ),
    Refusal(
        code="JAM-REGION",
        codes=frozenset(
            {
                "IllegalLocationConstraintException",
                "InvalidLocationConstraint",
                "OptInRequired",
                "RegionDisabledException",
                "SubscriptionRequiredException",
            }
        ),
        turn=Turn.AWS,
        message="The account cannot use this service in this region: {said}",
        hint="Enable the region or the service in the account, or choose another `region`.",
    ),
    Refusal(
        code="JAM-AWS-DOWN",
        codes=frozenset(
            {
                "InternalError",
                "InternalFailure",
                "InternalServerError",
                "InternalServerException",
                "ServiceException",
                "ServiceUnavailable",
                "ServiceUnavailableException",
                "500",
                "502",
                "503",
                "504",
            }
        ),
        turn=Turn.AGAIN,
        message="{action} failed inside AWS: {said}",
        hint="Run again; nothing is lost. https://health.aws.amazon.com tells of larger outages.",
    ),
)

OTHER = Refusal(
    code="JAM-AWS",
    codes=frozenset(),
    turn=Turn.AWS,
    message="{action} failed: {said}",
    hint="Every step can be repeated: run again, with -v for the details.",
)

FAULTS: tuple[Fault, ...] = (
    Fault(
        code="JAM-CREDS-MISSING",
        kinds=(botocore.NoCredentialsError, botocore.PartialCredentialsError),
        turn=Turn.AWS,
        message="There are no AWS credentials.",
        hint="In a workflow run aws-actions/configure-aws-credentials first; on your machine "
        "`aws configure sso` or AWS_PROFILE.",
    ),
    Fault(
        code="JAM-CREDS-MISSING",
        kinds=(botocore.ProfileNotFound,),
        turn=Turn.AWS,
        message="The AWS credentials cannot be found: {said}",
        hint="Correct AWS_PROFILE, or add the profile to ~/.aws/config.",
    ),
    Fault(
        code="JAM-CREDS-EXPIRED",
        kinds=(
            botocore.CredentialRetrievalError,
            botocore.TokenRetrievalError,
            botocore.SSOTokenLoadError,
            botocore.UnauthorizedSSOTokenError,
        ),
        turn=Turn.AGAIN,
        message="The AWS credentials cannot be renewed: {said}",
        hint="Sign in again (`aws sso login`) and repeat; nothing is lost.",
    ),
    Fault(
        code="JAM-REGION-MISSING",
        kinds=(botocore.NoRegionError, botocore.InvalidRegionError),
        turn=Turn.SITE,
        message="No AWS region is chosen: {said}",
        hint="Set `region` in jam.toml, give --region, or set AWS_REGION.",
    ),
    Fault(
        code="JAM-ENDPOINT",
        kinds=(botocore.HTTPClientError, botocore.ConnectionError),
        turn=Turn.AGAIN,
        message="AWS cannot be reached: {said}",
        hint="Check the network and, if it is set, AWS_ENDPOINT_URL; then run again.",
    ),
)
