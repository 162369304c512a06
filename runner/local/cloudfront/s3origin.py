"""An S3 bucket as CloudFront's origin: reads objects, after asking the bucket's policy.

GET and HEAD only. `objects` are moto's, in this process.
"""

from __future__ import annotations

import email.utils
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from runner.local import policy
from runner.local.cloudfront import ranges
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Pairs
from runner.local.wire import Request, Response, Rule

_GET_OBJECT = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"
_ERRORS = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
_KEYS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"

RULES = (
    *rule(
        guide("private-content-restricting-access-to-s3"),
        "the bucket's policy must let cloudfront.amazonaws.com read, with the distribution as "
        "AWS:SourceArn; without an origin access control the request is anonymous",
    ),
    Rule(service="s3", page=_GET_OBJECT,
         rule="a missing object is 404 NoSuchKey for those who may s3:ListBucket, else 403"),
    Rule(service="s3", page=_GET_OBJECT,
         rule="a signed request may change the response's headers with response-content-type, "
              "response-cache-control and the like, and ask for a part with partNumber"),
    Rule(service="s3", page=_ERRORS, rule="a request with more than 8 KB of headers is 400"),
    Rule(service="s3", page=_KEYS, rule="a + in an address is a space of the key"),
)  # fmt: skip

_OVERRIDES = {
    "response-content-type": "content-type",
    "response-content-language": "content-language",
    "response-expires": "expires",
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
}
_SUBRESOURCES = frozenset(
    {
        "accelerate", "acl", "attributes", "cors", "encryption", "legal-hold", "lifecycle",
        "logging", "policy", "publicAccessBlock", "replication", "retention", "tagging",
        "torrent", "uploadId", "uploads", "versioning", "versions", "website",
    }
)  # fmt: skip
_SYSTEM = frozenset(
    {
        "cache-control", "content-disposition", "content-encoding", "content-language",
        "content-type", "expires",
    }
)  # fmt: skip
_LONGEST_HEADERS = 8 * 1024
_LISTED = 1000  # objects of one page of a list

Backend = Callable[[], Any]
Lock = Callable[[], AbstractContextManager[Any]]


class Bucket:
    """Answers for all buckets of moto's S3. `lock` keeps writers away while an object is read."""

    def __init__(self, backend: Backend, lock: Lock) -> None:
        self._backend = backend
        self._lock = lock

    def answer(self, request: Request, bucket: str) -> Response:
        """`request.path` is the address of the object, origin path included."""
        with self._lock():
            response = self._answer(request, bucket)
        if request.method == "HEAD":
            return Response(status=response.status, headers=response.headers)
        return response

    def _answer(self, request: Request, name: str) -> Response:
        bucket = self._backend().buckets.get(name)
        if bucket is None:
            return _error(404, "NoSuchBucket", "The specified bucket does not exist")
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        asker = _Asker(request, bucket)
        refused = _refused(request, query)
        if refused:
            return refused
        if request.method not in ("GET", "HEAD") or _SUBRESOURCES & query.keys():
            return _denied()
        key = unquote(request.path.removeprefix("/").replace("+", " "))
        if not key:
            return _listing(bucket, query) if asker.may("s3:ListBucket", "") else _denied()
        return self._object(request, key, query=query, asker=asker)

    def _object(
        self, request: Request, key: str, *, query: dict[str, str], asker: _Asker
    ) -> Response:
        version = query.get("versionId")
        action = "s3:GetObjectVersion" if version else "s3:GetObject"
        found = self._backend().get_object(asker.bucket.name, key, version_id=version)
        if found is None:
            missing = asker.may("s3:ListBucket", "")
            return (
                _error(404, "NoSuchKey", "The specified key does not exist.", key)
                if missing
                else _denied()
            )
        if not asker.may(action, f"/{key}"):
            return _denied()
        response = Response(status=200, headers=_headers(found, query), body=found.value)
        return _asked_for(request, response, query.get("partNumber"), found)


class _Asker:
    """Who asks for something in a bucket, and what the bucket's policy lets them do."""

    def __init__(self, request: Request, bucket: Any) -> None:
        self.bucket = bucket
        self._principal = request.principal
        self._secure = "true" if request.scheme == "https" else "false"

    def may(self, action: str, path: str) -> bool:
        document = self.bucket.policy
        if not document:
            return False
        if self._principal is None and _closed_to_the_public(self.bucket):
            return False
        context = {"aws:SecureTransport": self._secure}
        if self._principal:
            context["aws:SourceArn"] = self._principal.source_arn
            context["aws:SourceAccount"] = self._principal.source_arn.split(":")[4]
        return policy.allows(
            document.decode() if isinstance(document, bytes) else document,
            principal=self._principal.service if self._principal else policy.ANONYMOUS,
            action=action,
            resource=f"arn:aws:s3:::{self.bucket.name}{path}",
            context=context,
        )


def _closed_to_the_public(bucket: Any) -> bool:
    block = bucket.public_access_block
    return block is not None and str(block.restrict_public_buckets).lower() == "true"


def _refused(request: Request, query: dict[str, str]) -> Response | None:
    if sum(len(name) + len(value) for name, value in request.headers) > _LONGEST_HEADERS:
        return _error(
            400, "RequestHeaderSectionTooLarge",
            "Your request header section exceeds the maximum allowed request header section size.",
        )  # fmt: skip
    if request.header("x-amz-server-side-encryption-customer-algorithm"):
        return _error(
            400, "InvalidRequest",
            "The encryption parameters are not applicable to this object.",
        )  # fmt: skip
    if request.principal is None and _OVERRIDES.keys() & query.keys():
        return _error(
            400, "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        )  # fmt: skip
    part = query.get("partNumber")
    if part is not None and not re.fullmatch(r"[1-9]\d{0,4}", part):
        return _error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000")
    return None


def _asked_for(request: Request, response: Response, part: str | None, found: Any) -> Response:
    wanted = request.header("if-match")
    if wanted and wanted != response.header("etag"):
        return _error(
            412, "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )  # fmt: skip
    if ranges.unchanged(request, response):
        return ranges.not_modified(response)
    if part is not None:
        return _part(response, int(part), found)
    if request.header("range"):
        answer = ranges.ranged(request, response)
        if answer.status == 416:
            return _error(416, "InvalidRange", "The requested range is not satisfiable")
        return answer
    return response


def _part(response: Response, number: int, found: Any) -> Response:
    parts = getattr(found.multipart, "parts", {}) if found.multipart else {}
    if number > max(len(parts), 1):
        return _error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
    sizes = [len(parts[index].value) for index in sorted(parts)] or [len(response.body)]
    first = sum(sizes[: number - 1])
    last = first + sizes[number - 1] - 1
    asked = Request(method="GET", host="", path="", headers=(("range", f"bytes={first}-{last}"),))
    made = ranges.ranged(asked, response)
    return Response(
        status=206,
        headers=(*made.headers, ("x-amz-mp-parts-count", str(len(sizes)))),
        body=made.body,
    )


def _headers(found: Any, query: dict[str, str]) -> Pairs:
    made = {
        "last-modified": _date(found.last_modified.timestamp()),
        "etag": found.etag,
        "x-amz-server-side-encryption": found.encryption or "AES256",
        "accept-ranges": "bytes",
        "content-type": "binary/octet-stream",
    }
    for name, value in found.metadata.items():
        lowered = name.lower()
        if lowered in _SYSTEM or lowered.startswith("x-amz-meta-"):
            made[lowered] = str(value)
    if found.version_id != "null":
        made["x-amz-version-id"] = str(found.version_id)
    for parameter, name in _OVERRIDES.items():
        if parameter in query:
            made[name] = query[parameter]
    made["content-length"] = str(found.size)
    return (*made.items(), *_identity())


def _date(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def _identity() -> Pairs:
    number = uuid.uuid4().hex
    return (
        ("server", "AmazonS3"),
        ("x-amz-request-id", number[:16].upper()),
        ("x-amz-id-2", f"{number}{number}="),
    )


def _denied() -> Response:
    return _error(403, "AccessDenied", "Access Denied")


def _error(status: int, code: str, message: str, key: str = "") -> Response:
    identity = _identity()
    named = f"<Key>{escape(key)}</Key>" if key else ""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{named}"
        f"<RequestId>{identity[1][1]}</RequestId><HostId>{identity[2][1]}</HostId></Error>"
    ).encode()
    return Response(
        status=status,
        headers=(
            ("content-type", "application/xml"), ("content-length", str(len(body))), *identity,
        ),
        body=body,
    )  # fmt: skip


def _listing(bucket: Any, query: dict[str, str]) -> Response:
    prefix = query.get("prefix", "")
    names = sorted(name for name in bucket.keys if name.startswith(prefix))
    listed = "".join(f"<Contents><Key>{escape(name)}</Key></Contents>" for name in names[:_LISTED])
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket.name}</Name><Prefix>{escape(prefix)}</Prefix>"
        f"<MaxKeys>{_LISTED}</MaxKeys>"
        f"<IsTruncated>{str(len(names) > _LISTED).lower()}</IsTruncated>"
        f"{listed}</ListBucketResult>"
    ).encode()
    return Response(
        status=200,
        headers=(
            ("content-type", "application/xml"), ("content-length", str(len(body))), *_identity(),
        ),
        body=body,
    )  # fmt: skip
