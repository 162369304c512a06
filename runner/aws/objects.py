"""Single S3 requests through the CRT's own client: signed, retried and pooled outside Python.

Its retries and its pool are the CRT's; what S3 refuses comes back as botocore's ClientError, so
that one table of errors serves all of AWS.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from concurrent.futures import Future
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

from runner.aws.patience import LONGEST
from runner.aws.refusals import SERVICE
from runner.model import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.aws.session import Aws

QUOTA = 50_000  # tokens of retries, of which each takes ten: 256 requests share them
GIGABITS = 25.0  # for which the CRT sizes its pool: some 60 connections; more are no faster


class Objects:
    """The objects of one bucket. Every method returns at once, with a future."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket
        where = urlsplit(aws.s3.meta.endpoint_url)
        self._tls = where.scheme == "https"
        # A bucket is part of the host's name where that name resolves: not on loopback.
        # Source: S3 user guide, "Virtual hosting of general purpose buckets".
        regional = where.hostname is not None and where.hostname.startswith("s3.")
        self._host = f"{bucket}.{where.netloc}" if regional else where.netloc
        self._root = "/" if regional else f"/{bucket}/"

    def put(self, key: str, source: Source | bytes, headers: Mapping[str, str]) -> Future[None]:
        size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        sent = {**headers, "content-length": str(size)}
        return self._send("PutObject", "PUT", key, sent, source if size else b"")

    def copy(
        self, origin: str, key: str, headers: Mapping[str, str], *, bucket: str = ""
    ) -> Future[None]:
        """`bucket` is the origin's, if that is another one."""
        sent = {
            **headers,
            "content-length": "0",
            "x-amz-copy-source": quote(f"/{bucket or self._bucket}/{origin}"),
            "x-amz-metadata-directive": "REPLACE",
        }
        return self._send("CopyObject", "PUT", key, sent, b"")

    def _send(
        self,
        operation: str,
        method: str,
        key: str,
        headers: Mapping[str, str],
        body: Source | bytes,
    ) -> Future[None]:
        from awscrt.http import HttpHeaders, HttpRequest
        from awscrt.s3 import S3RequestType

        self._aws.counted()
        named = HttpHeaders([("host", self._host), *headers.items()])
        # Without a body the CRT must be given none, or it sends the wrong length. A file it reads
        # itself, beside Python.
        path = None if isinstance(body, bytes) else os.fspath(body)
        stream = BytesIO(body) if body and isinstance(body, bytes) else None
        request = HttpRequest(method, self._root + quote(key), named, stream)
        result: Future[None] = Future()

        def done(error: Exception | None = None, **answer: Any) -> None:
            if error is None:
                result.set_result(None)
            else:
                result.set_exception(_as_botocore(error, operation, host=self._host))

        self._client.make_request(
            type=S3RequestType.DEFAULT,
            request=request,
            operation_name=operation,
            send_filepath=path,
            on_done=done,
        )
        return result

    @cached_property
    def _client(self) -> Any:
        from awscrt.auth import AwsCredentials, AwsCredentialsProvider
        from awscrt.s3 import S3Client, S3RequestTlsMode, S3RetryConfig

        aws = self._aws  # alone: Python cannot see, nor end, a ring that goes through the CRT

        def credentials() -> AwsCredentials:
            # Asked again and again by the CRT, so that refreshed credentials reach it.
            held = aws.credentials()
            return AwsCredentials(held.access_key, held.secret_key, held.token)

        return S3Client(
            region=aws.region,
            tls_mode=S3RequestTlsMode.ENABLED if self._tls else S3RequestTlsMode.DISABLED,
            credential_provider=AwsCredentialsProvider.new_delegate(credentials),
            throughput_target_gbps=GIGABITS,
            retry_config=S3RetryConfig(
                max_retries=aws.tries - 1,
                max_backoff_secs=LONGEST,
                initial_bucket_capacity=QUOTA,
            ),
        )


def _as_botocore(error: Exception, operation: str, *, host: str) -> Exception:
    from awscrt.s3 import S3ResponseError

    if isinstance(error, S3ResponseError) and error.status_code:
        found = _error_in(error.body or b"")
        code, said = found.get("Code") or str(error.status_code), found.get("Message", "")
        return _client_error(code, said, operation=operation, status=error.status_code)
    name = getattr(error, "name", "")
    if name in _GIVEN_UP:
        code, status = _GIVEN_UP[name]
        return _client_error(code, str(error), operation=operation, status=status)
    return EndpointConnectionError(endpoint_url=host, error=error)


# What the CRT repeats for some seconds it reports, at last, by a name of its own, without S3's
# answer. Source: awslabs/aws-c-s3, include/aws/s3/s3.h.
_GIVEN_UP = {
    "AWS_ERROR_S3_INTERNAL_ERROR": ("InternalError", 500),
    "AWS_ERROR_S3_SLOW_DOWN": ("SlowDown", 503),
    "AWS_ERROR_S3_REQUEST_TIME_TOO_SKEWED": ("RequestTimeTooSkewed", 403),
}


def _client_error(code: str, said: str, *, operation: str, status: int) -> ClientError:
    told = {"Code": code, "Message": said, SERVICE: "s3"}
    return ClientError(
        {"Error": told, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # botocore's own tests leave the rest out
        operation,
    )


def _error_in(body: bytes) -> dict[str, str]:
    try:
        # The text comes from S3 over TLS; expat resolves no external entities.
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError:
        return {}
    return {child.tag.rpartition("}")[2]: child.text or "" for child in root}
