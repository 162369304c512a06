"""What the role may do that deploys previews: what bears their names, and no role. Pure.

No pattern here fits a name of production's, whatever its site and functions are called: theirs have
two hyphens at most once, a site's name has none. Of production it reads the published files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runner.aws.statements import allow, within

# Of a pull request's own, and of what all of them share. Source: runner/names.py.
_OWN = "jam-*--pr-*--*"
# What previews share is read alone: who takes requests in for functions in the background. Versions
# have ARNs of their own.
_ACCEPTOR = ("jam-*--pr-background", "jam-*--pr-background:*")
_FUNCTIONS = "arn:aws:lambda:*:*:function:"
_RECORDS = "jam-*--pr"
_BUCKET = "arn:aws:s3:::jam-*--pr-*-an"
_DISTRIBUTIONS = "arn:aws:cloudfront::*:distribution/*"
PARAMETERS = "/jam-preview/"
_PREVIEWS = {"aws:ResourceTag/jam:environment": ["previews", "pr-*"]}
_NEW = {"aws:RequestTag/jam:environment": ["previews", "pr-*"]}


def preview_statements(stores: Sequence[str]) -> Iterator[dict[str, Any]]:
    """`stores` are ARNs: AWS picks a store's name in it, and no condition tells stores apart, so
    without any the role cannot show anything.

    Source: Service Authorization Reference, "Amazon CloudFront KeyValueStore".
    """
    yield from _stored()
    yield from _called()
    yield from _reached()
    if stores:
        actions = "DescribeKeyValueStore GetKey ListKeys UpdateKeys"
        yield _allow("cloudfront-keyvaluestore", actions, *stores)


def _stored() -> Iterator[dict[str, Any]]:
    tables = (f"arn:aws:dynamodb:*:*:table/{each}" for each in (_OWN, _RECORDS))
    yield _allow(
        "dynamodb",
        "BatchGetItem ConditionCheckItem CreateTable DeleteItem DeleteTable "
        "DescribeContinuousBackups DescribeTable DescribeTimeToLive GetItem ListTagsOfResource "
        "PutItem Query Scan TagResource UpdateContinuousBackups UpdateItem UpdateTable "
        "UpdateTimeToLive",
        *tables,
    )
    yield _allow(
        "s3",
        "ListBucket ListBucketMultipartUploads ListBucketVersions",
        _BUCKET,
    )
    yield _allow(
        "s3",
        "AbortMultipartUpload DeleteObject DeleteObjectVersion GetObject PutObject",
        f"{_BUCKET}/previews/*",
    )
    yield _allow("s3", "GetObject", "arn:aws:s3:::jam-*/production/*")


def _called() -> Iterator[dict[str, Any]]:
    yield _allow(
        "lambda",
        "CreateFunction DeleteFunction GetFunction InvokeFunction ListTags "
        "ListVersionsByFunction PutFunctionEventInvokeConfig TagResource UpdateFunctionCode "
        "UpdateFunctionConfiguration",
        f"{_FUNCTIONS}{_OWN}",
    )
    acceptor = (f"{_FUNCTIONS}{each}" for each in _ACCEPTOR)
    yield _allow("lambda", "GetFunction ListVersionsByFunction", *acceptor)
    # Whoever gives a function a layer or a VPC must be able to see it, in production's settings.
    yield _allow("lambda", "GetLayerVersion", "arn:aws:lambda:*:*:layer:*")
    yield _allow("ec2", "DescribeSecurityGroups DescribeSubnets DescribeVpcs", "*")
    roles = "arn:aws:iam::*:role/jam/jam-*--pr-*"
    # IAM knows the path of a role only where there is one.
    yield _allow("iam", "GetRolePolicy", roles, "arn:aws:iam::*:role/jam-*--pr-*")
    for name, service in (("functions", "lambda"), ("api", "apigateway")):
        passing = _allow("iam", "PassRole", f"arn:aws:iam::*:role/jam/jam-*--pr-{name}")
        to = {"iam:PassedToService": f"{service}.amazonaws.com"}
        yield within(passing, StringEquals=to)
    # What a pull request's settings may name: any other value would be theirs to publish.
    yield _allow("ssm", "GetParameter", f"arn:aws:ssm:*:*:parameter{PARAMETERS}*")
    groups = (
        f"arn:aws:logs:*:*:log-group:/aws/lambda/{_OWN}",
        "arn:aws:logs:*:*:log-group:/aws/vendedlogs/jam-*--pr/*",
    )
    yield _allow(
        "logs",
        "DeleteLogGroup FilterLogEvents ListTagsForResource PutRetentionPolicy TagResource",
        *groups,
    )
    # The same as production's: CloudWatch Logs knows no resources for deliveries.
    yield _allow(
        "logs",
        "CreateLogDelivery CreateLogGroup DeleteLogDelivery DescribeLogGroups "
        "DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy "
        "UpdateLogDelivery",
        "*",
    )


def _reached() -> Iterator[dict[str, Any]]:
    """APIs and distributions have ids that AWS picks: here their tags tell whose they are.

    A tag cannot be put on what is not previews' already, but for a distribution, which needs the
    right in order to be born with tags: so no distribution may be changed.
    Sources: API Gateway developer guide, "Use tags to control access to API Gateway REST API
    resources"; Service Authorization Reference, "Amazon API Gateway Management V2", "Amazon
    CloudFront".
    """
    apis = ("arn:aws:apigateway:*::/apis", "arn:aws:apigateway:*::/apis/*")
    yield _allow("apigateway", "GET", *apis)
    yield within(_allow("apigateway", "POST", apis[0]), StringLike=_NEW)
    writes = _allow(
        "apigateway",
        "DELETE PATCH POST PUT",
        apis[1],
        "arn:aws:apigateway:*::/tags/*",
    )
    yield within(writes, StringLike=_PREVIEWS)
    yield _allow(
        "cloudfront",
        "DescribeFunction GetDistribution GetDistributionConfig ListCachePolicies "
        "ListDistributions ListOriginAccessControls ListOriginRequestPolicies "
        "ListTagsForResource",
        "*",
    )
    # To create one knows no resources, only the tags that it is created with.
    yield within(_allow("cloudfront", "CreateDistribution", "*"), StringLike=_NEW)
    yield within(_allow("cloudfront", "TagResource", _DISTRIBUTIONS), StringLike=_NEW)


def _allow(service: str, names: str, *resources: str) -> dict[str, Any]:
    return allow([f"{service}:{name}" for name in names.split()], resources)
