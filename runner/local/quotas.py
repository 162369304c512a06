"""AWS's quotas and request rates that a deploy runs into, each with its page, and a limiter."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from runner.local.clock import Clock
from runner.local.faults import THROTTLES
from runner.local.wire import AwsError, Rule

_CLOUDFRONT_FUNCTIONS = 'CloudFront developer guide, "Quotas on CloudFront Functions"'
_KEY_VALUE_STORE = 'CloudFront developer guide, "Quotas on key value stores"'
_CLOUDFRONT = 'CloudFront developer guide, "Quotas"'
_HTTP_API = 'API Gateway developer guide, "Quotas for configuring and running an HTTP API"'
_API_CONTROL = 'API Gateway developer guide, "Quotas for creating, deploying and managing an API"'
_API_ALL = 'API Gateway developer guide, "Amazon API Gateway quotas"'
_LAMBDA = 'Lambda developer guide, "Lambda quotas"'
_ROUTE53 = 'Route 53 developer guide, "Quotas", "Maximums on API requests"'
_S3 = 'S3 user guide, "Naming Amazon S3 objects"'
_DYNAMODB = 'DynamoDB developer guide, "Quotas in Amazon DynamoDB"'

KB = 1024
MB = 1024 * KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of something there may be; `page` is AWS's."""

    service: str
    what: str
    limit: int
    page: str


def _quota(service: str, what: str, *, limit: int, page: str) -> Quota:
    return Quota(service=service, what=what, limit=limit, page=page)


FUNCTION_CODE = _quota("cloudfront", "bytes of a function's code", limit=10 * KB,
                       page=_CLOUDFRONT_FUNCTIONS)  # fmt: skip
STORE_KEY = _quota("cloudfront-keyvaluestore", "bytes of a key", limit=512, page=_KEY_VALUE_STORE)
STORE_VALUE = _quota("cloudfront-keyvaluestore", "bytes of a value", limit=KB,
                     page=_KEY_VALUE_STORE)  # fmt: skip
STORE_SIZE = _quota("cloudfront-keyvaluestore", "bytes of a key value store", limit=5 * MB,
                    page=_KEY_VALUE_STORE)  # fmt: skip
STORE_UPDATE_KEYS = _quota("cloudfront-keyvaluestore", "keys in one UpdateKeys", limit=50,
                           page=_KEY_VALUE_STORE)  # fmt: skip
STORE_UPDATE_SIZE = _quota("cloudfront-keyvaluestore", "bytes of one UpdateKeys", limit=3 * MB,
                           page=_KEY_VALUE_STORE)  # fmt: skip
BEHAVIOURS = _quota("cloudfront", "cache behaviours of a distribution", limit=75, page=_CLOUDFRONT)
ORIGINS = _quota("cloudfront", "origins of a distribution", limit=100, page=_CLOUDFRONT)
ORIGIN_GROUPS = _quota("cloudfront", "origin groups of a distribution", limit=10, page=_CLOUDFRONT)
ALIASES = _quota("cloudfront", "alternate domain names of a distribution", limit=100,
                 page=_CLOUDFRONT)  # fmt: skip
FUNCTIONS = _quota("cloudfront", "functions of an account", limit=100, page=_CLOUDFRONT_FUNCTIONS)
API_STAGES = _quota("apigatewayv2", "stages of an API", limit=10, page=_HTTP_API)
API_ROUTES = _quota("apigatewayv2", "routes of an API", limit=300, page=_HTTP_API)
API_INTEGRATIONS = _quota("apigatewayv2", "integrations of an API", limit=300, page=_HTTP_API)
API_PAYLOAD = _quota("apigatewayv2", "bytes of a payload", limit=10 * MB, page=_HTTP_API)
API_AUTHORIZERS = _quota("apigatewayv2", "authorizers of an API", limit=10, page=_HTTP_API)
API_AUDIENCES = _quota("apigatewayv2", "audiences of an authorizer", limit=50, page=_HTTP_API)
API_SCOPES = _quota("apigatewayv2", "scopes of a route", limit=10, page=_HTTP_API)
API_LOG_FORMAT = _quota("apigatewayv2", "bytes of an access log's format", limit=3 * KB,
                        page=_HTTP_API)  # fmt: skip
API_RATE = _quota("apigatewayv2", "requests a second of all APIs", limit=10_000, page=_API_ALL)
API_BURST = _quota("apigatewayv2", "requests at once of all APIs", limit=5_000, page=_API_ALL)
API_TIMEOUT = _quota("apigatewayv2", "seconds of an integration", limit=30, page=_HTTP_API)
ZIP_UPLOAD = _quota("lambda", "bytes of a zip uploaded directly", limit=50 * MB, page=_LAMBDA)
ZIP_CONTENT = _quota("lambda", "bytes of an unzipped function with layers", limit=250 * MB,
                     page=_LAMBDA)  # fmt: skip
ENVIRONMENT = _quota("lambda", "bytes of a function's environment", limit=4 * KB, page=_LAMBDA)
FUNCTION_POLICY = _quota("lambda", "bytes of a resource policy", limit=20 * KB, page=_LAMBDA)
PAYLOAD = _quota("lambda", "bytes of a synchronous request or response", limit=6 * MB,
                 page=_LAMBDA)  # fmt: skip
TIMEOUT = _quota("lambda", "seconds of an invocation", limit=900, page=_LAMBDA)
OBJECT_KEY = _quota("s3", "bytes of an object's key", limit=1024, page=_S3)
EVENT = _quota("events", "bytes of all entries of one PutEvents", limit=256 * KB,
               page='EventBridge user guide, "Calculating Amazon EventBridge PutEvents event entry '
               'size"')  # fmt: skip
ITEM = _quota("dynamodb", "bytes of an item", limit=400 * KB, page=_DYNAMODB)

QUOTAS: tuple[Quota, ...] = (
    FUNCTION_CODE, STORE_KEY, STORE_VALUE, STORE_SIZE, STORE_UPDATE_KEYS, STORE_UPDATE_SIZE,
    BEHAVIOURS, ORIGINS, ORIGIN_GROUPS, ALIASES, FUNCTIONS, API_STAGES, API_ROUTES,
    API_INTEGRATIONS, API_PAYLOAD, API_AUTHORIZERS, API_AUDIENCES, API_SCOPES, API_LOG_FORMAT,
    API_RATE, API_BURST, API_TIMEOUT, ZIP_UPLOAD, ZIP_CONTENT, ENVIRONMENT,
    FUNCTION_POLICY, PAYLOAD, TIMEOUT, OBJECT_KEY, EVENT, ITEM,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: `burst` calls at once, then one every `seconds` of the cloud's time.

    `operations` share the bucket; empty means every operation of the service but `others`.
    """

    service: str
    operations: frozenset[str]
    seconds: float
    burst: int
    page: str
    others: frozenset[str] = frozenset()

    def covers(self, service: str, operation: str) -> bool:
        named = operation in self.operations if self.operations else operation not in self.others
        return service == self.service and named


def _api(seconds: float, *operations: str) -> Rate:
    return Rate(service="apigatewayv2", operations=frozenset(operations), seconds=seconds,
                burst=1, page=_API_CONTROL)  # fmt: skip


_LAMBDA_OWN_RATES = frozenset({"GetFunction", "GetPolicy", "Invoke", "InvokeAsync",
                               "InvokeWithResponseStream"})  # fmt: skip

# The page counts CreateRestApi and DeleteRestApi, but names neither CreateApi nor DeleteApi.
RATES: tuple[Rate, ...] = (
    _api(5, "CreateDeployment"),
    _api(30, "CreateDomainName"),
    _api(30, "UpdateDomainName"),
    Rate(service="apigatewayv2", operations=frozenset(), seconds=0.1, burst=40, page=_API_CONTROL),
    Rate(service="lambda", operations=frozenset(), others=_LAMBDA_OWN_RATES, seconds=1 / 15,
         burst=15, page=_LAMBDA),
    Rate(service="lambda", operations=frozenset({"GetFunction"}), seconds=0.01, burst=100,
         page=_LAMBDA),
    Rate(service="route53", operations=frozenset(), seconds=0.2, burst=5, page=_ROUTE53),
    Rate(service="lambda", operations=frozenset({"GetPolicy"}), seconds=1 / 15, burst=15,
         page=_LAMBDA),
)  # fmt: skip


class Limiter:
    """Refuses calls above the rates, on the cloud's clock. Safe from several threads."""

    def __init__(self, clock: Clock, *, rates: tuple[Rate, ...] = RATES) -> None:
        self._clock = clock
        self._rates = rates
        self._free_at: dict[Rate, float] = {}
        self._lock = threading.Lock()

    def check(self, service: str, operation: str) -> None:
        """Takes a token from each bucket, or raises AwsError in the service's own words."""
        with self._lock:
            covering = [rate for rate in self._rates if rate.covers(service, operation)]
            now = self._clock.now()
            # Virtual scheduling: a bucket is the moment at which it would be full again.
            if any(
                self._next(rate, now) > now + rate.burst * rate.seconds + 1e-6 for rate in covering
            ):
                code, status = THROTTLES.get(service, ("ThrottlingException", 400))
                raise AwsError(code, "Rate exceeded", status=status)
            for rate in covering:
                self._free_at[rate] = self._next(rate, now)

    def _next(self, rate: Rate, now: float) -> float:
        return max(self._free_at.get(rate, now), now) + rate.seconds

    def reset(self) -> None:
        with self._lock:
            self._free_at.clear()


RULES: tuple[Rule, ...] = (
    *(Rule(service=quota.service, rule=f"at most {quota.limit:,} {quota.what}", page=quota.page)
      for quota in QUOTAS),
    *(Rule(service=rate.service,
           rule=f"{' and '.join(sorted(rate.operations)) or 'all other calls together'}: one per "
                f"{rate.seconds:.3g} s, {rate.burst} at once",
           page=rate.page) for rate in RATES),
)  # fmt: skip
