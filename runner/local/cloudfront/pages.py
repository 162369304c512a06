"""Addresses of AWS's pages that the rules of this package come from. Names only."""

from __future__ import annotations

from runner.local.wire import Rule

_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
_API = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/"
_STORE_API = "https://docs.aws.amazon.com/cloudfront-keyvaluestore/latest/APIReference/"


def rule(page: str, *sentences: str) -> tuple[Rule, ...]:
    """Rules of service `cloudfront` that stand on one page."""
    return tuple(Rule(service="cloudfront", rule=sentence, page=page) for sentence in sentences)


def guide(page: str) -> str:
    """A page of the CloudFront developer guide."""
    return f"{_GUIDE}{page}.html"


def api(operation: str) -> str:
    """A page of CloudFront's API reference."""
    return f"{_API}API_{operation}.html"


def store_api(operation: str) -> str:
    """A page of the KeyValueStore's API reference."""
    return f"{_STORE_API}API_kvs_{operation}.html"
