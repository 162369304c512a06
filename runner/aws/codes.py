"""The one table from AWS's error codes to ours, in the user's words. Pure data.

docs/errors.md is generated from it. What AWS never answered is in runner/aws/unanswered.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.errors import Turn
from runner.names import PREVIEW_ROLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One kind of refusal: AWS's `codes` for it, and what we say.

    `said` narrows it to messages that match; `message` and `hint` may name {action}, {resource},
    {statement}, the line that a policy lacks, and {said}, AWS's own sentence.
    """

    code: str
    codes: frozenset[str]
    turn: Turn
    message: str
    hint: str
    said: str = ""


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
        said=rf"assumed-role/{PREVIEW_ROLE}/.*cloudfront-keyvaluestore:",
        turn=Turn.AWS,
        message="Previews' role may not do {action} on the site's store: AWS named it after "
        "`bootstrap` had written the role's policy.",
        hint="Let an administrator run `jam-deploy bootstrap` once more, which puts the store into "
        "it; then run this again.",
    ),
    Refusal(
        code="JAM-DENIED",
        codes=_DENIED,
        turn=Turn.AWS,
        message="AWS does not let these credentials do {action} on {resource}.",
        hint="Add this statement to the policy of the role that deploys: {statement} "
        "(docs/permissions.md lists everything that it needs).",
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
        hint="Get new ones and run again; nothing is lost. In a workflow they last an hour: raise "
        "role-duration-seconds of configure-aws-credentials, and the role's own maximum.",
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
        hint="`jam-deploy gc` removes versions of releases past retention; keep fewer in "
        "[production.retention], or ask AWS for more in Service Quotas. Then run again.",
    ),
    Refusal(
        code="JAM-QUOTA-POLICY",
        codes=frozenset({"PolicyLengthExceededException"}),
        turn=Turn.AWS,
        message="{action}: the resource policy of the function has no room left: {said}",
        hint="We add one statement for the distribution: remove those that others added (20 KB "
        "are allowed, and cannot be raised).",
    ),
    Refusal(
        code="JAM-QUOTA-ROLES",
        codes=frozenset({"LimitExceeded"}),
        said=r"RolesPerAccount",
        turn=Turn.AWS,
        message="{action} met the account's quota of roles: {said}",
        hint="A site has about six roles, however many functions. Remove roles that nobody uses, "
        "or ask AWS for more in Service Quotas (IAM, us-east-1).",
    ),
    Refusal(
        code="JAM-QUOTA-EDGE",
        codes=frozenset(
            {
                "TooManyCacheBehaviors",
                "TooManyCachePolicies",
                "TooManyDistributions",
                "TooManyFunctions",
                "TooManyOriginAccessControls",
                "TooManyOriginRequestPolicies",
            }
        ),
        turn=Turn.AWS,
        message="{action} met a quota of CloudFront: {said}",
        hint="Remove what is no longer used (ours bears the tag `jam:site` or a name `jam-…`), or "
        "ask AWS for more in Service Quotas (CloudFront, us-east-1).",
    ),
    Refusal(
        code="JAM-QUOTA",
        codes=frozenset(
            {
                "EntityLimitExceeded",
                "LimitExceeded",
                "LimitExceededException",
                "LimitExceededFault",
                "ServiceQuotaExceededException",
                "TooManyBuckets",
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
        hint="Run again; nothing is lost. https://health.aws.amazon.com tells of larger outages: a "
        "deploy also needs the control planes of CloudFront and IAM in us-east-1, `jam-deploy "
        "rollback` does not.",
    ),
)

OTHER = Refusal(
    code="JAM-AWS",
    codes=frozenset(),
    turn=Turn.AWS,
    message="{action} failed: {said}",
    hint="Every step can be repeated: run again, with -v for the details.",
)
