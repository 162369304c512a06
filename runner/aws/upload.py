"""Puts a release's objects into the bucket and copies unchanged ones there, many at a time.

The CRT's own S3 client, without s3transfer: s3transfer's CRT manager refuses `If-None-Match`, and
every upload here is conditional and bears the digest that packaging has computed already.
bench/upload.py holds the comparison with boto3's threads and with processes.
"""

from __future__ import annotations

import base64
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError

from runner.apply import Moved
from runner.aws.files import Copy, Upload
from runner.aws.refusals import explained
from runner.errors import busy_error, site_error

if TYPE_CHECKING:
    from awscrt.http import HttpHeaders, HttpRequest
    from awscrt.s3 import S3Client

    from runner.aws.session import Aws

IN_FLIGHT = 128  # requests handed to the CRT at a time; it opens fewer connections by itself
STREAMED = 64_000_000  # bytes: the CRT holds a whole body in memory, larger ones go through boto3
GIGABITS = 5.0  # throughput that the CRT sizes its pool of connections for


def put(aws: Aws, bucket: str, objects: Iterable[Upload], *, moved: Moved) -> None:
    """Uploads what is not there yet. Equal bytes under a key are never sent twice.

    Source: S3 user guide, "How to prevent object overwrites with conditional writes"; "Checking
    object integrity for data uploads in Amazon S3".
    """
    wire = _Wire(aws, bucket)

    def send(each: Upload) -> Future[Any]:
        if each.size > STREAMED:
            return _whole(aws, bucket, each)
        return wire.put(each, condition={"if-none-match": "*"})

    def settle(each: Upload, future: Future[Any]) -> None:
        try:
            future.result()
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            if not _same(aws, bucket, each):
                _differs(each)
                wire.put(each, condition={}).result()
        moved(1, each.size)

    with explained():
        _each(objects, send, settle)


def copy(aws: Aws, bucket: str, objects: Iterable[Copy], *, moved: Moved) -> None:
    """Copies on the server side, with metadata of the copy's own: nothing leaves the runner.

    Source: S3 API reference, CopyObject, `x-amz-metadata-directive`.
    """
    wire = _Wire(aws, bucket)

    def settle(each: Copy, future: Future[Any]) -> None:
        future.result()
        moved(1, each.size)

    with explained():
        _each(objects, wire.copy, settle)


def _each[T](  # type: ignore[valid-type]
    objects: Iterable[T], send: Callable[[T], Future[Any]], settle: Callable[[T, Future[Any]], None]
) -> None: ...
