"""Addresses of AWS's pages that the rules of this package come from. Names only."""

from __future__ import annotations

from runner.local.wire import Rule

_DOCS = "https://docs.aws.amazon.com/"


def acm(page: str, *sentences: str) -> tuple[Rule, ...]:
    """Rules of ACM that stand on one page: `latest/APIReference/API_...` or a user guide's."""
    return _rules("acm", page, sentences)


def route53(page: str, *sentences: str) -> tuple[Rule, ...]:
    """Rules of Route 53 that stand on one page."""
    return _rules("route53", page, sentences)


def guide(page: str) -> str:
    """A page of ACM's user guide."""
    return f"acm/latest/userguide/{page}.html"


def reference(operation: str) -> str:
    """A page of ACM's API reference."""
    return f"acm/latest/APIReference/API_{operation}.html"


def developer(page: str) -> str:
    """A page of Route 53's developer guide."""
    return f"Route53/latest/DeveloperGuide/{page}.html"


def operation(name: str) -> str:
    """A page of Route 53's API reference."""
    return f"Route53/latest/APIReference/API_{name}.html"


def _rules(service: str, page: str, sentences: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple(Rule(service=service, rule=each, page=f"{_DOCS}{page}") for each in sentences)
