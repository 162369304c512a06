"""Function URLs: who may call, what the function hears, what the caller gets.

Sources: Lambda developer guide, "Control access to Lambda function URLs" and "Invoking Lambda
function URLs"; CloudFront developer guide, "Restrict access to an AWS Lambda function URL origin".
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

from runner.execution import payload, streaming
from runner.execution.program import Listener, Outcome
from runner.local.compute.desk import Desk
from runner.local.compute.invoking import Invoker
from runner.local.compute.permissions import permits
from runner.local.compute.store import Function, Url
from runner.local.quotas import PAYLOAD
from runner.local.wire import AwsError, Request, Response

_HOST = re.compile(r"(?P<identity>[a-z0-9]+)\.lambda-url\.(?P<region>[a-z0-9-]+)\.on\.aws")
# What a path may hold so that CloudFront and Lambda sign the same text. Source: IAM user guide,
# "Create a signed AWS API request", step 1: everything else is percent-encoded, for most services
# once more.
_SIGNED_ALIKE = re.compile(r"[A-Za-z0-9/_.~-]*")
_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_WITH_BODY = ("PUT", "POST", "PATCH")
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details."
)
_DEFAULT_TYPE = "application/json"

Principals = Callable[[str], str]
"""From an access key to the ARN of its owner."""


class FunctionUrls:
    """The hosts `<id>.lambda-url.<region>.on.aws`."""

    def __init__(self, desk: Desk, invoker: Invoker, principal: Principals) -> None:
        self._desk = desk
        self._invoker = invoker
        self._principal = principal

    def owns(self, host: str) -> bool:
        return self._find(host) is not None

    def names(self) -> Iterable[str]:
        for function in list(self._desk.store.functions.values()):
            for url in list(function.urls.values()):
                yield f"{url.identity}.lambda-url.{function.region}.on.aws"

    def handle(self, request: Request) -> Response:
        found = self._find(request.host)
        if found is None:
            return payload.message(404, "Not Found", key="Message")
        function, url = found
        refused = _wrongly_signed(request) or self._forbidden(function, url, request)
        if refused:
            return refused
        try:
            return self._answered(function, url, request)
        except AwsError as error:
            return _failed(error)

    def _find(self, host: str) -> tuple[Function, Url] | None:
        named = _HOST.fullmatch(host)
        return self._desk.store.url(named["identity"], named["region"]) if named else None

    def _forbidden(self, function: Function, url: Url, request: Request) -> Response | None:
        auth = url.settings["AuthType"]
        if auth == "AWS_IAM" and request.principal is None and not _signer(request):
            return payload.message(403, _FORBIDDEN, key="Message", error="AccessDeniedException")
        if self._permitted(function, url, request, auth=auth):
            return None
        return payload.message(403, _FORBIDDEN, key="Message", error="AccessDeniedException")

    def _permitted(self, function: Function, url: Url, request: Request, *, auth: str) -> bool:
        """Both permissions, on this very qualifier. A key of the account may call in any case:
        identity policies are not evaluated."""
        if request.principal is None and auth == "AWS_IAM":
            return True
        principal = request.principal.service if request.principal else "*"
        context = {"lambda:FunctionUrlAuthType": auth, "lambda:InvokedViaFunctionUrl": "true"}
        if request.principal:
            context["AWS:SourceArn"] = request.principal.source_arn
            context["AWS:SourceAccount"] = request.principal.source_arn.split(":")[4]
        return all(
            permits(function, url.qualifier, principal=principal, action=action, context=context)
            for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
        )

    def _answered(self, function: Function, url: Url, request: Request) -> Response:
        cors = _preflight(request, url)
        if cors:
            return cors
        asked = self._asked(url, request)
        event = json.dumps(payload.event(request, asked), separators=(",", ":")).encode()
        if len(event) > PAYLOAD.limit:
            return payload.message(413, "Request Entity Too Large", key="Message")
        try:
            given = _response(self._invoked(function, url, event, trace=asked.trace))
        except (payload.BadResultError, streaming.CutError):
            return _server_error(asked)
        extra = (("x-amzn-requestid", asked.request_id), ("x-amzn-trace-id", asked.trace))
        allowed = _cors_headers(request, url)
        return replace(given, headers=(*given.headers, *extra, *allowed))

    def _invoked(
        self, function: Function, url: Url, event: bytes, *, trace: str
    ) -> streaming.Begun | Outcome:
        """BUFFERED waits for the whole answer, RESPONSE_STREAM for its beginning."""

        def run(listener: Listener | None) -> Outcome:
            return self._invoker.run(
                function, url.qualifier, event, trace_id=trace, listener=listener
            )

        if url.settings["InvokeMode"] == "BUFFERED":
            return run(None)
        return streaming.begin(run)

    def _asked(self, url: Url, request: Request) -> payload.Asked:
        key = _signer(request)
        iam = {
            "accessKey": key,
            "accountId": self._desk.account,
            "callerId": key,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": self._principal(key),
            "userId": key,
        }
        return payload.Asked(
            api=url.identity,
            account=self._desk.account if key else "anonymous",
            stage="$default",
            route="$default",
            path=request.path,
            context_path=request.path,
            request_id=str(uuid.uuid4()),
            at=self._desk.clock.now(),
            trace=f"Root=1-{int(self._desk.clock.now()):08x}-{uuid.uuid4().hex[:24]}",
            authorizer={"iam": iam} if key else None,
        )


def _response(answer: streaming.Begun | Outcome) -> Response:
    """Raises BadResultError, also for a function that failed before its answer began."""
    if isinstance(answer, streaming.Begun):
        return payload.streamed(answer.content_type, answer.parts)
    if answer.error:
        raise payload.BadResultError(answer.error)
    return payload.response(answer.payload, default_type=_DEFAULT_TYPE)


def _signer(request: Request) -> str:
    """The access key that a request for Lambda is signed with, or nothing."""
    found = _SCOPE.search(request.header("authorization"))
    return found["key"] if found and found["service"] == "lambda" else ""


def _wrongly_signed(request: Request) -> Response | None:
    """What breaks the signature that CloudFront made."""
    if request.principal is None:
        return None
    body_digest = request.header("x-amz-content-sha256")
    unsigned = bool(request.body) and request.method in _WITH_BODY and not body_digest
    wrong = bool(body_digest) and body_digest != hashlib.sha256(request.body).hexdigest()
    if unsigned or wrong or not _SIGNED_ALIKE.fullmatch(request.path):
        return payload.message(403, _MISMATCH, error="InvalidSignatureException")
    return None


def _failed(error: AwsError) -> Response:
    """Throttled is 429; a version that is not there, or not ready, is Lambda's own failure."""
    if error.status == 429:
        return payload.message(429, "Rate Exceeded.", error=error.code)
    return payload.message(502, "Internal Server Error", key="Message", error=error.code)


def _server_error(asked: payload.Asked) -> Response:
    body = b"Internal Server Error"
    headers = (
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("x-amzn-requestid", asked.request_id),
        ("x-amzn-errortype", "InternalServerErrorException"),
    )
    return Response(status=502, headers=headers, body=body)


def _preflight(request: Request, url: Url) -> Response | None:
    """With CORS configured, Lambda answers a preflight itself."""
    if "Cors" not in url.settings or request.method != "OPTIONS":
        return None
    return Response(status=200, headers=_cors_headers(request, url))


def _cors_headers(request: Request, url: Url) -> tuple[tuple[str, str], ...]:
    cors = url.settings.get("Cors") or {}
    origin = request.header("origin")
    allowed = cors.get("AllowOrigins") or []
    if not origin or ("*" not in allowed and origin not in allowed):
        return ()
    told = {
        "access-control-allow-origin": "*" if "*" in allowed else origin,
        "access-control-allow-credentials": "true" if cors.get("AllowCredentials") else "",
        "access-control-expose-headers": ",".join(cors.get("ExposeHeaders") or ()),
    }
    if request.method == "OPTIONS":
        told |= {
            "access-control-allow-methods": ",".join(cors.get("AllowMethods") or ()),
            "access-control-allow-headers": ",".join(cors.get("AllowHeaders") or ()),
            "access-control-max-age": str(cors.get("MaxAge") or ""),
        }
    return tuple((name, value) for name, value in told.items() if value)
