"""Asks origins: signs for origin access controls, waits as configured, fails over in groups."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from runner.local.cloudfront import answers
from runner.local.cloudfront.flowing import paced
from runner.local.cloudfront.log import EdgeLog, OriginRequest
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.s3origin import Bucket
from runner.local.cloudfront.view import Group, Origin, Target
from runner.local.faults import ConnectionLost
from runner.local.wire import Principal, Request, Response, Send

RULES = (
    *rule(
        guide("high_availability_origin_failover"),
        "a group's second origin is asked for GET, HEAD and OPTIONS only, when the first fails to "
        "connect, is too slow or answers with one of the group's statuses; 429 is never one",
        "the second origin gets the same request, with its own origin path, host and headers",
        "a custom origin that does not answer in time is asked again, for GET and HEAD, as often "
        "as ConnectionAttempts says; then it is 504",
    ),
    *rule(
        guide("private-content-restricting-access-to-lambda"),
        "an origin access control signs requests to function URLs; POST, PUT and PATCH need the "
        "visitor's own x-amz-content-sha256, else 403",
        "the signature for a function URL fails (403) on paths that need percent-encoding",
        "always overwrites Authorization, no-override leaves a visitor's and does not sign",
    ),
    *rule(
        guide("origin-request-understand-origin-request-policy"),
        "a forwarded viewer Host makes S3, function URLs and API Gateway answer 403",
    ),
)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REPEATED = frozenset({"GET", "HEAD"})
# SigV4 leaves these alone; anything else is encoded twice by the signer and once by the service.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")
_AWS_HOST = re.compile(r".*\.(on\.aws|amazonaws\.com)")
_THREADS = 64


class OriginUnreachableError(Exception):
    """No connection to the origin: what a `Send` raises to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every origin of a target is asked: path and query as forwarded, headers without Host."""

    distribution: str
    arn: str
    request: Request
    target: Target


Fetch = Callable[[Asked], Response]


class Origins:
    """Sends, and keeps the log. `send` reaches custom origins, `bucket` S3's."""

    def __init__(self, *, send: Send, bucket: Bucket, log: EdgeLog) -> None:
        self._send = send
        self._bucket = bucket
        self._log = log
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="origin")

    def fetch(self, asked: Asked) -> Response:
        """The origin's answer; CloudFront's own 502 or 504 if there was none."""
        if isinstance(asked.target, Origin):
            return self._ask(asked, asked.target)
        return self._ask_group(asked, asked.target)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask_group(self, asked: Asked, group: Group) -> Response:
        response = self._ask(asked, group.members[0])
        # A failed connection is 502 or 504 here, and a reason to ask the next one in any case.
        failed = response.status in group.statuses or _is_failure(response)
        if asked.request.method not in _SAFE or not failed:
            return response
        return self._ask(asked, group.members[1])

    def _ask(self, asked: Asked, origin: Origin) -> Response:
        request = _addressed(asked, origin)
        response = _unsigned(request, origin) or self._sent(request, origin)
        self._log.sent(
            OriginRequest(
                distribution=asked.distribution, origin=origin.id, method=request.method,
                host=request.host, path=request.path, query=request.query,
                headers=request.headers, status=response.status,
            )
        )  # fmt: skip
        return response

    def _sent(self, request: Request, origin: Origin) -> Response:
        if origin.bucket:
            return self._bucket.answer(request, origin.bucket)
        times = origin.attempts if request.method in _REPEATED else 1
        response = _failure(502, answers.UNREACHABLE)
        for _ in range(times):
            response = self._once(request, origin)
            if not _is_failure(response):
                break
        return response

    def _once(self, request: Request, origin: Origin) -> Response:
        waiting = self._threads.submit(self._reached, request)
        try:
            return paced(waiting.result(timeout=origin.read_seconds), origin.read_seconds)
        except concurrent.futures.TimeoutError:
            waiting.cancel()
            return _failure(504, answers.TOO_SLOW)

    def _reached(self, request: Request) -> Response:
        try:
            return self._send(request)
        except (OriginUnreachableError, ConnectionLost, OSError) as error:
            return _failure(502, answers.UNREACHABLE, str(error))


# How a failure of ours is told from an origin's own 502 or 504; it never reaches a visitor.
_MARK = ("x-edge-failure", "1")


def _failure(status: int, message: str, detail: str = "") -> Response:
    made = answers.page(status, message, detail=detail)
    return replace(made, headers=(*made.headers, _MARK))


def _is_failure(response: Response) -> bool:
    return _MARK in response.headers


def _addressed(asked: Asked, origin: Origin) -> Request:
    own = {name for name, _ in origin.headers}
    headers = [(k, v) for k, v in asked.request.headers if k not in own]
    headers += origin.headers
    host = next((v for k, v in headers if k == "host"), origin.domain)
    signed = _signs(origin, headers)
    if signed:
        headers = [(k, v) for k, v in headers if k != "authorization"]
    rest = [(k, v) for k, v in headers if k != "host"]
    return replace(
        asked.request,
        host=origin.domain,
        path=origin.path + asked.request.path,
        headers=(("host", host), *rest),
        scheme="http" if origin.protocol == "http-only" else "https",
        principal=Principal(service="cloudfront.amazonaws.com", source_arn=asked.arn)
        if signed
        else None,
    )


def _signs(origin: Origin, headers: list[tuple[str, str]]) -> bool:
    if origin.signing is None or origin.signing.behaviour == "never":
        return False
    if origin.signing.behaviour == "no-override":
        return not any(name == "authorization" for name, _ in headers)
    return True


def _unsigned(request: Request, origin: Origin) -> Response | None:
    """The origin's refusal of a request that it cannot know for its own; None: it is fine."""
    if request.header("host") != origin.domain and _AWS_HOST.fullmatch(origin.domain):
        return _forbidden("Forbidden", "ForbiddenException")
    if request.principal is None or origin.signing is None or origin.signing.kind != "lambda":
        return None
    if not _PLAIN_PATH.fullmatch(request.path) or not _payload_signed(request):
        return _forbidden(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method.",
            "InvalidSignatureException",
        )
    return None


def _payload_signed(request: Request) -> bool:
    if request.method not in ("POST", "PUT", "PATCH") and not request.body:
        return True
    stated = request.header("x-amz-content-sha256")
    return stated == hashlib.sha256(request.body).hexdigest()


def _forbidden(message: str, kind: str) -> Response:
    body = json.dumps({"message": message}).encode()
    return Response(
        status=403,
        headers=(
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("x-amzn-errortype", kind),
        ),
        body=body,
    )
