"""What a drill cost, by AWS's list prices in us-east-1 and without free tiers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_MONTH = 730.0  # hours, as AWS counts them
_GUARD_ASKS = 20  # metrics at most that the guard reads at each look, one a minute
_METRICS = 11  # entry's four and the verdict of two releases, and the self-test's
# Dollars. Sources: AWS's pricing pages of CloudFront, API Gateway, Lambda, CloudWatch, S3.
_A_REQUEST = 1.00e-6 + 0.10e-6 + 0.10e-6 + 0.03e-6  # HTTPS, router, response function, store
_A_CALL = 1.00e-6 + 0.20e-6 + 0.1 * 0.25 * 16.7e-6  # HTTP API, Lambda, 0.1 s of 256 MB
_A_LOOK = 0.01 / 1000  # each metric that GetMetricData reads
_A_METRIC, _AN_ALARM = 0.30, 0.10  # a month, by the hour
_A_DEPLOY = 60 * 0.005 / 1000 + 20 * 1.00 / 1000  # files to S3; calls of the key value store's API


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a drill used: requests of all kinds, those to functions, deploys, hours it lasted."""

    requests: int
    calls: int
    deploys: int
    hours: float


def dollars(used: Used) -> float:
    """Rounded up to a cent. Pages that entry answers are taken for calls as well."""
    hours = max(1.0, used.hours)  # CloudWatch counts by the hour
    looks = used.hours * 60 * _GUARD_ASKS
    whole = (
        used.requests * (_A_REQUEST + _A_CALL)
        + used.calls * _A_CALL
        + used.deploys * _A_DEPLOY
        + looks * _A_LOOK
        + hours / _MONTH * (_METRICS * _A_METRIC + _AN_ALARM * 2)
    )
    return (int(whole * 100) + 1) / 100
