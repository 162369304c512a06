"""S3's REST hosts, as a data plane: what CloudFront's origins and unsigned visitors get.

A signed request of the account's own to these hosts is the control plane's.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from runner.local import protocol
from runner.local.protocol import Caller, Incoming
from runner.local.s3 import access
from runner.local.s3.access import Decision
from runner.local.wire import AwsError, Request, Response

# bucket.s3.region.amazonaws.com, bucket.s3.amazonaws.com, bucket.s3.dualstack.region.amazonaws.com
_VIRTUAL = re.compile(
    r"(?P<bucket>.+)\.s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com"
)
_PATH_STYLE = re.compile(
    r"s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com"
)
_READS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject",
          "DELETE": "s3:DeleteObject"}  # fmt: skip


class S3Host:
    """Answers GET, HEAD, PUT and DELETE of objects by bucket policy. `control` is the overlay."""

    def __init__(
        self,
        *,
        bucket: Callable[[str], Any],
        control: Callable[[Request], Response],
        forward: Callable[[Request], Response],
    ) -> None:
        self._bucket = bucket
        self._control = control
        self._forward = forward

    def owns(self, host: str) -> bool:
        return bool(_VIRTUAL.fullmatch(host) or _PATH_STYLE.fullmatch(host))

    def names(self) -> Iterable[str]:
        return ()

    def handle(self, request: Request) -> Response:
        styled = path_style(request)
        if protocol.caller_of(request).access_key and request.principal is None:
            return self._control(styled)
        bucket, _, key = styled.path.removeprefix("/").partition("/")
        try:
            self._check(styled, bucket, unquote(key))
        except AwsError as error:
            return _refusal(styled, error)
        signed = dataclasses.replace(styled, headers=(*styled.headers, _OWN_SIGNATURE))
        return self._forward(signed)

    def _check(self, request: Request, bucket: str, key: str) -> None:
        """Source: S3 API, GetObject: 404 for those who may list, else 403."""
        found = self._bucket(bucket)
        if found is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404)
        action = _READS.get(request.method, "s3:ListBucket") if key else "s3:ListBucket"
        if not self._may(request, found, action, resource=f"{bucket}/{key}" if key else bucket):
            raise access.denied()
        if request.method not in ("GET", "HEAD") or not key:
            return
        if not request.principal and "response-" in request.query:
            raise AwsError(
                "InvalidRequest",
                "Request specific response headers cannot be used for anonymous GET requests.",
            )
        if _gone(found.keys.get(key)) and not self._may(
            request, found, "s3:ListBucket", resource=bucket
        ):
            raise access.denied()

    def _may(self, request: Request, found: Any, action: str, *, resource: str) -> bool:
        principal = request.principal
        context: Mapping[str, str] = (
            {"AWS:SourceArn": principal.source_arn, "AWS:SourceAccount": protocol.ACCOUNT}
            if principal
            else {}
        )
        decided = access.decide(
            found.policy,
            principal=principal.service if principal else access.ANONYMOUS,
            action=action,
            resource=f"arn:aws:s3:::{resource}",
            context=context,
        )
        return decided is Decision.ALLOW


# moto takes a request without credentials for another service's: this says whose it is.
_OWN_SIGNATURE = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=service/20200101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0",
)


def _gone(stored: Any) -> bool:
    return stored is None or not hasattr(stored, "etag")  # a delete marker has none


def path_style(request: Request) -> Request:
    """The bucket from the host into the path: one form for moto, whatever the client used."""
    virtual = _VIRTUAL.fullmatch(request.host)
    if virtual is None and request.host.endswith(".localhost"):
        path = f"/{request.host.removesuffix('.localhost')}{request.path}"
    else:
        path = f"/{virtual['bucket']}{request.path}" if virtual else request.path
    headers = tuple((k, "localhost" if k == "host" else v) for k, v in request.headers)
    return dataclasses.replace(request, host="localhost", path=path, headers=headers)


def _refusal(request: Request, error: AwsError) -> Response:
    caller = Caller(service="s3", region=protocol.DEFAULT_REGION, access_key="")
    made = protocol.answer(Incoming(request=request, caller=caller), error)
    return dataclasses.replace(made, body=b"") if request.method == "HEAD" else made
