"""Response headers policies: AWS's own for security, by its fixed id; what it does to an answer.

Others are refused: nothing here makes one.
"""

from __future__ import annotations

from dataclasses import replace

from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.view import HeaderPolicy
from runner.local.wire import AwsError, Response

RULES = (
    *rule(
        guide("using-managed-response-headers-policies"),
        "the managed policy SecurityHeadersPolicy: Strict-Transport-Security, Referrer-Policy, "
        "X-Frame-Options and X-XSS-Protection where the origin sends none, X-Content-Type-Options "
        "always",
    ),
    *rule(
        guide("modifying-response-headers"),
        "a policy changes what comes from the cache and from the origin, errors too; not what a "
        "viewer-request function answers",
    ),
    *rule(
        "https://aws.amazon.com/blogs/networking-and-content-delivery/"
        "amazon-cloudfront-introduces-response-headers-policies/",
        "it does so before the viewer-response function, which sees its headers",
    ),
    *rule(
        api("CreateDistribution"),
        "an unknown response headers policy is refused: NoSuchResponseHeadersPolicy",
    ),
)

SECURITY = "67f7725c-6f97-4210-82d7-5512b31e9d03"
_POLICIES = {
    SECURITY: HeaderPolicy(
        added=(
            ("strict-transport-security", "max-age=31536000"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-xss-protection", "1; mode=block"),
        ),
        forced=(("x-content-type-options", "nosniff"),),
    )
}
# SimpleCORS, CORS-With-Preflight, CORS-and-SecurityHeaders, CORS-with-preflight-and-Security
_NOT_HERE = frozenset(
    {
        "60669652-455b-4ae9-85a4-c4c02393f86c", "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
        "e61eb60c-9c35-4d20-a928-2b84e02af89c", "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
    }
)  # fmt: skip


def policy(identity: str) -> HeaderPolicy:
    """The policy of a behaviour; one that does nothing where it names none."""
    if identity in _NOT_HERE:
        raise AwsError(
            "NotImplemented",
            "The embedded CloudFront does not have managed CORS policies.",
            status=501,
        )
    if identity and identity not in _POLICIES:
        raise AwsError(
            "NoSuchResponseHeadersPolicy",
            "The response headers policy does not exist.",
            status=404,
        )
    return _POLICIES.get(identity, HeaderPolicy())


def applied(to: Response, wanted: HeaderPolicy) -> Response:
    """The response with what the policy adds."""
    forced = dict(wanted.forced)
    kept = [(name, value) for name, value in to.headers if name not in forced]
    named = {name for name, _ in kept}
    added = [pair for pair in wanted.added if pair[0] not in named]
    return replace(to, headers=(*kept, *added, *wanted.forced))
