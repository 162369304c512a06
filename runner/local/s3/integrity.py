"""The bytes that arrive are the bytes that were sent: chunked bodies, digests and checksums. Pure.

Source: S3 user guide, "Checking object integrity in Amazon S3"; S3 API, "Error responses".
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import zlib
from collections.abc import Callable

from awscrt import checksums

from runner.local.wire import AwsError, Request, Rule

PREFIX = "x-amz-checksum-"

ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "crc32c": lambda body: checksums.crc32c(body).to_bytes(4, "big"),
    "crc64nvme": lambda body: checksums.crc64nvme(body).to_bytes(8, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}
# What S3 computes by itself when the client sends no checksum.
DEFAULT = "crc64nvme"

_SIGNED_WHOLE = 64  # a hex digest; other values of x-amz-content-sha256 announce chunks or nothing


def whole(request: Request) -> Request:
    """The request with its `aws-chunked` framing taken off and the trailer among its headers.

    Source: S3 API, "Signature calculations ... Transferring payload in multiple chunks".
    """
    headers = dict(request.headers)
    if not headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return request
    body, trailer = _unframed(request.body)
    announced = headers.pop("x-amz-decoded-content-length", str(len(body)))
    if announced != str(len(body)):
        raise AwsError(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
    encodings = [part.strip() for part in headers.pop("content-encoding", "").split(",")]
    kept = ",".join(part for part in encodings if part not in ("", "aws-chunked"))
    headers |= {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"} | trailer
    headers |= {"content-encoding": kept} if kept else {}
    headers.pop("x-amz-trailer", None)
    return dataclasses.replace(request, body=body, headers=tuple(headers.items()))


def _unframed(framed: bytes) -> tuple[bytes, dict[str, str]]:
    body: list[bytes] = []
    at = 0
    try:
        while True:
            end = framed.index(b"\r\n", at)
            size = int(framed[at:end].partition(b";")[0], 16)
            at = end + 2
            if size == 0:
                break
            body.append(framed[at : at + size])
            at += size + 2
    except ValueError:
        raise AwsError("IncompleteBody", "The request body terminated unexpectedly") from None
    trailer = {}
    for line in framed[at:].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            trailer[name.decode("latin-1").lower()] = value.decode("latin-1").strip()
    return b"".join(body), trailer


def verified(request: Request) -> Request:
    """Refuses a body that is not what its headers promise.

    The answer names one checksum in `x-amz-checksum-*` and its algorithm, which moto then keeps.
    """
    headers = dict(request.headers)
    _check_md5(headers.get("content-md5", ""), request.body)
    _check_signed(headers.get("x-amz-content-sha256", ""), request.body)
    promised = [name for name in headers if name.removeprefix(PREFIX) in ALGORITHMS]
    if len(promised) > 1:
        raise AwsError(
            "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types "
            "are not allowed."
        )  # fmt: skip
    if promised:
        algorithm = promised[0].removeprefix(PREFIX)
        _check(algorithm, headers[promised[0]], request.body)
    else:
        algorithm = headers.get("x-amz-sdk-checksum-algorithm", DEFAULT).lower()
        if algorithm not in ALGORITHMS:
            raise AwsError("InvalidRequest", "Checksum algorithm provided is unsupported.")
    headers[PREFIX + algorithm] = encoded(algorithm, request.body)
    headers["x-amz-sdk-checksum-algorithm"] = algorithm.upper()
    return dataclasses.replace(request, headers=tuple(headers.items()))


def encoded(algorithm: str, body: bytes) -> str:
    return base64.b64encode(ALGORITHMS[algorithm](body)).decode()


def _check_md5(promised: str, body: bytes) -> None:
    if not promised:
        return
    try:
        digest = base64.b64decode(promised, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if digest != hashlib.md5(body, usedforsecurity=False).digest():
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _check_signed(promised: str, body: bytes) -> None:
    if len(promised) == _SIGNED_WHOLE and promised != hashlib.sha256(body).hexdigest():
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def _check(algorithm: str, promised: str, body: bytes) -> None:
    try:
        well_formed = len(base64.b64decode(promised, validate=True)) == len(
            ALGORITHMS[algorithm](b"")
        )
    except binascii.Error:
        well_formed = False
    if not well_formed:
        raise AwsError("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.")
    if promised != encoded(algorithm, body):
        raise AwsError(
            "BadDigest",
            f"The {algorithm.upper()} you specified did not match the calculated checksum.",
        )


_PAGE = 'S3 user guide, "Checking object integrity in Amazon S3"'
RULES: tuple[Rule, ...] = (
    Rule(service="s3", page=_PAGE, rule="a body that does not match Content-MD5, "
         "x-amz-content-sha256 or x-amz-checksum-* (header or trailer) is refused"),
    Rule(service="s3", page=_PAGE, rule="an object without a checksum gets a CRC64NVME"),
)  # fmt: skip
