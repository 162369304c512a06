"""What S3 refuses and moto would take, before the request reaches moto's store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, s3_backends

from runner.local import quotas
from runner.local.moto_side import missing
from runner.local.overlay import Forward
from runner.local.protocol import Caller, Incoming
from runner.local.s3 import access, integrity, listing
from runner.local.s3.support import SUPPORTED
from runner.local.wire import AwsError, Response, Rule

_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
_READS = frozenset({"GetObject", "HeadObject", "CopyObject", "UploadPartCopy"})
_UPLOADS = frozenset({"PutObject", "UploadPart"})
# Operations whose permission has another name.
# Source: Service authorization reference, "Actions ... for Amazon S3".
_ACTIONS = {
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
}


def action_of(operation: str) -> str:
    return f"s3:{_ACTIONS.get(operation, operation)}"


class S3Layer:
    """S3's rules in front of moto. `bucket` finds moto's bucket by name, or None."""

    name = "s3"

    def __init__(
        self,
        bucket: Callable[[str], Any],
        principal: Callable[[str], str],
        account: str,
        *,
        may: Callable[[Caller, str, str], bool],
    ) -> None:
        """`may` says whether a caller's role allows an action on a resource."""
        self._bucket = bucket
        self._principal = principal
        self._account = account
        self._may = may
        # moto judges by the policy's actions alone, without its conditions: a policy that denies
        # what comes without TLS would deny everything. `_check_policy_of` has judged before.
        permitted = PermissionResult.PERMITTED
        FakeBucket.get_permission = lambda *_: permitted  # type: ignore[method-assign] # on purpose

    def reset(self) -> None:
        """It keeps nothing."""

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        if incoming.operation not in SUPPORTED:
            raise missing(incoming)
        labels = incoming.matched[1] if incoming.matched else {}
        bucket, key = labels.get("Bucket", ""), labels.get("Key", "")
        if len(key.encode()) > quotas.OBJECT_KEY.limit:
            raise AwsError("KeyTooLongError", "Your key is too long")
        self._check_owner(incoming)
        self._check_policy_of(bucket, key, incoming=incoming)
        check = _CHECKS.get(incoming.operation)
        if check:
            check(self, incoming, bucket, key)
        if incoming.operation in _READS:
            self._check_absent(incoming, bucket, key)
        if incoming.operation in _UPLOADS:
            sound = integrity.verified(integrity.whole(incoming.request))
            incoming = dataclasses.replace(incoming, request=sound)
        if incoming.operation == "ListObjectsV2":
            return self._listed(incoming, bucket)
        answer = forward(incoming)
        if incoming.operation == "CreateBucket" and answer.status == 200:
            self._tag(incoming, bucket)
        return answer

    def _listed(self, incoming: Incoming, bucket: str) -> Response:
        found = self._bucket(bucket)
        if found is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404)
        arguments = dict(parse_qsl(incoming.request.query, keep_blank_values=True))
        body = listing.page(bucket, found.keys, listing.query(arguments))
        return Response(status=200, headers=(("content-type", "application/xml"),), body=body)

    def _tag(self, incoming: Incoming, bucket: str) -> None:
        """Tags given at creation. Source: S3 API, CreateBucketConfiguration, Tags."""
        tags = incoming.parameters.get("CreateBucketConfiguration", {}).get("Tags", [])
        if tags:
            named = {tag["Key"]: tag["Value"] for tag in tags}
            s3_backends[self._account]["aws"].put_bucket_tagging(bucket, named)

    def _check_owner(self, incoming: Incoming) -> None:
        for name in _OWNERS:
            if incoming.request.header(name, self._account) != self._account:
                raise access.denied()

    def _check_policy_of(self, bucket: str, key: str, *, incoming: Incoming) -> None:
        """Signed callers are the account's own: only an explicit Deny stops them."""
        anonymous = not incoming.caller.access_key
        found = self._bucket(bucket) if bucket else None
        if found is None and not anonymous:
            return
        decision = access.decide(
            found.policy if found else None,
            principal=self._principal(incoming.caller.access_key),
            action=action_of(incoming.operation),
            resource=f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""),
        )
        refused = decision is access.Decision.DENY
        if refused or (anonymous and decision is not access.Decision.ALLOW):
            raise access.denied()

    def check_create(self, incoming: Incoming, bucket: str, _key: str) -> None:
        access.check_name(
            bucket,
            namespace=incoming.request.header("x-amz-bucket-namespace"),
            account=self._account,
            region=incoming.caller.region,
        )

    def check_put_policy(self, incoming: Incoming, bucket: str, _key: str) -> None:
        found = self._bucket(bucket)
        block = getattr(found, "public_access_block", None)
        blocked = block is not None and bool(block.block_public_policy)
        text = incoming.request.body.decode("utf-8", "replace")
        access.check_policy(text, bucket=bucket, blocked=blocked)

    def check_copy(self, incoming: Incoming, bucket: str, key: str) -> None:
        """Conditions on both ends of a copy. Source: S3 API, CopyObject."""
        request = incoming.request
        _check_etag(self._etag(bucket, key), request.header("if-match"), "If-Match")
        if request.header("if-none-match") == "*" and self._etag(bucket, key) is not None:
            raise _precondition("If-None-Match")
        wanted = request.header("x-amz-copy-source-if-match")
        if wanted:
            path = unquote(request.header("x-amz-copy-source").partition("?")[0]).lstrip("/")
            source = path.partition("/")
            _check_etag(self._etag(source[0], source[2]), wanted, "x-amz-copy-source-If-Match")

    def _check_absent(self, incoming: Incoming, bucket: str, key: str) -> None:
        """Who may not list a bucket does not learn that it lacks a key.

        Source: S3 API reference, GetObject and HeadObject, "Permissions".
        """
        copied = unquote_plus(incoming.request.header("x-amz-copy-source").partition("?")[0])
        if copied:
            bucket, _, key = copied.lstrip("/").partition("/")
        found = self._bucket(unquote(bucket))
        if found is None or unquote(key) in found.keys:
            return
        if not self._may(incoming.caller, "s3:ListBucket", f"arn:aws:s3:::{unquote(bucket)}"):
            raise access.denied("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")

    def _etag(self, bucket: str, key: str) -> str | None:
        found = self._bucket(bucket)
        stored = found.keys.get(key) if found else None
        return None if stored is None or not hasattr(stored, "etag") else stored.etag.strip('"')


def _check_etag(found: str | None, wanted: str, condition: str) -> None:
    if not wanted:
        return
    if found is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
    if wanted.strip('"') != found:
        raise _precondition(condition)


def _precondition(condition: str) -> AwsError:
    return AwsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        status=412,
        Condition=condition,
    )


_CHECKS: dict[str, Callable[[S3Layer, Incoming, str, str], None]] = {
    "CreateBucket": S3Layer.check_create,
    "PutBucketPolicy": S3Layer.check_put_policy,
    "CopyObject": S3Layer.check_copy,
}

RULES: tuple[Rule, ...] = (
    Rule(service="s3", rule="a copy with If-Match, If-None-Match or x-amz-copy-source-if-match "
         "happens only if the condition holds", page="S3 API, CopyObject"),
    Rule(service="s3", rule="a request that expects another bucket owner is refused",
         page='S3 user guide, "Verifying bucket ownership with bucket owner condition"'),
    *access.RULES,
    *integrity.RULES,
    *listing.RULES,
)  # fmt: skip
