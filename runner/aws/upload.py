"""Puts a release's objects into the bucket and copies unchanged ones there, many at a time.

The CRT's S3 client without s3transfer: s3transfer's CRT manager refuses `If-None-Match`, and every
upload here is conditional and bears the digest that packaging has computed already.
bench/upload.py holds the comparison with boto3's threads, with processes and with s3transfer.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from runner.apply import Moved
from runner.aws.files import Copy, Upload
from runner.aws.objects import Objects
from runner.aws.refusals import explained
from runner.errors import JamError, site_error
from runner.together import at_once

if TYPE_CHECKING:
    from runner.aws.session import Aws

IN_FLIGHT = 256  # requests under way; the CRT opens fewer connections by itself
STREAMED = 64_000_000  # bytes: the CRT holds a body in memory, larger ones go through boto3
HELD = 4_000_000  # bytes: the same for what is in memory already, as the manifest of a large site

_Each = TypeVar("_Each", Upload, Copy)


def put(aws: Aws, bucket: str, objects: Iterable[Upload], *, moved: Moved) -> None:
    """Uploads what is not there yet. Equal bytes under a key are never sent twice.

    Sources: S3 user guide, "How to prevent object overwrites with conditional writes" and
    "Checking object integrity for data uploads in Amazon S3".
    """
    wire = Objects(aws, bucket)

    def arrived(each: Upload, future: Future[None]) -> None:
        try:
            future.result()
        except ClientError as error:
            if not _stands(error):
                raise
            _reconcile(aws, bucket, each, wire=wire)
        moved(1, each.size)

    with at_once(2, name="large") as large, explained():

        def send(each: Upload) -> Future[None]:
            if each.size > (HELD if isinstance(each.source, bytes) else STREAMED):
                return large.submit(_stream, aws, bucket, each)
            return wire.put(each.key, each.source, {**_headers(each), "if-none-match": "*"})

        _window(objects, send, arrived)


def copy(aws: Aws, bucket: str, objects: Iterable[Copy], *, moved: Moved) -> None:
    """Copies on the server side, with metadata of the copy's own: nothing leaves the runner.

    Source: S3 API reference, CopyObject, `x-amz-metadata-directive`.
    """
    wire = Objects(aws, bucket)

    def arrived(each: Copy, future: Future[None]) -> None:
        future.result()
        moved(1, each.size)

    with explained():

        def send(each: Copy) -> Future[None]:
            return wire.copy(each.origin, each.key, _common(each), bucket=each.bucket)

        _window(objects, send, arrived)


def _window(
    objects: Iterable[_Each],
    send: Callable[[_Each], Future[None]],
    arrived: Callable[[_Each, Future[None]], None],
) -> None:
    """Keeps `IN_FLIGHT` requests under way; a failure ends it once those have ended."""
    under_way: deque[tuple[_Each, Future[None]]] = deque()
    for each in objects:
        if len(under_way) >= IN_FLIGHT:
            arrived(*under_way.popleft())
        under_way.append((each, send(each)))
    while under_way:
        arrived(*under_way.popleft())


def _reconcile(aws: Aws, bucket: str, each: Upload, *, wire: Objects) -> None:
    """Something stands under the key: equal bytes are ours, others are replaced or refused."""
    stands = aws.s3.head_object(Bucket=bucket, Key=each.key, ChecksumMode="ENABLED")
    if stands.get("ChecksumSHA256") == _checksum(each):
        return
    if each.once:
        raise _other_bytes(each)
    wire.put(each.key, each.source, _headers(each)).result()


def _stream(aws: Aws, bucket: str, each: Upload) -> None:
    cached: Any = {"CacheControl": each.cache_control} if each.cache_control else {}
    source = each.source
    with BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as body:
        aws.s3.put_object(
            Bucket=bucket,
            Key=each.key,
            Body=body,
            ContentType=each.content_type,
            **cached,
            Metadata=each.metadata,
            ChecksumSHA256=_checksum(each),
            IfNoneMatch="*",
        )


def _headers(each: Upload) -> dict[str, str]:
    return {**_common(each), "x-amz-checksum-sha256": _checksum(each)}


def _common(each: Upload | Copy) -> dict[str, str]:
    metadata: Mapping[str, str] = each.metadata
    headers = {"content-type": each.content_type, "cache-control": each.cache_control}
    tagged = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
    return {name: value for name, value in {**headers, **tagged}.items() if value}


def _checksum(each: Upload) -> str:
    return base64.b64encode(bytes.fromhex(each.digest)).decode()


def _stands(error: ClientError) -> bool:
    # 409: another upload of the same key was under way; it is there now, or the HEAD says not.
    # Source: S3 user guide, "Conditional write behavior".
    return error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")


def _other_bytes(each: Upload) -> JamError:
    name = each.key.partition("/assets/")[2]
    return site_error(
        "JAM-FINGERPRINT",
        f"{name} was released before under the same name with other bytes, and browsers keep it "
        "for a year",
        hint="A fingerprinted name must change with its content: let the bundler hash contents, "
        "or take the file off `immutable` in jam.toml.",
    )
