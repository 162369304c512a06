"""The site's bucket: private, TLS only, in the account's own namespace; and what goes into it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from runner.apply import Moved
from runner.aws import documents, ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import File, Kind, Source
from runner.names import Names

MANIFEST = "~release.json"
_NO_POLICY = "NoSuchBucketPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One object to be: its key in the bucket, and where its bytes come from.

    `digest` is the sha256 of the bytes in hex. With `once` other bytes under this key are an
    error; without it they are replaced. Equal bytes are never sent twice.
    """

    key: str
    source: Source | bytes = field(repr=False)
    size: int
    digest: str
    content_type: str
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One object to be copied on the server side, with headers and metadata of its own."""

    origin: str
    key: str
    size: int
    content_type: str
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    bucket: str = ""  # of the origin; empty: the copy's own


class Put(Protocol):
    """Uploads everything, in parallel; reports what arrived. Harmless to repeat."""

    def __call__(
        self, aws: Aws, bucket: str, objects: Iterable[Upload], *, moved: Moved
    ) -> None: ...


class CopyAll(Protocol):
    """Copies everything on the server side, in parallel; reports what arrived."""

    def __call__(self, aws: Aws, bucket: str, objects: Iterable[Copy], *, moved: Moved) -> None: ...


def upload_of(file: File, release: str, names: Names, *, over: bool = False) -> Upload:
    """`file` as an object of `release`; `over` what stands there with other bytes."""
    return Upload(
        key=key_of(file, release, names),
        source=file.source,
        size=file.size,
        digest=file.digest,
        content_type=file.content_type,
        cache_control=file.cache_control,
        metadata=metadata_of(file, release),
        once=file.kind is Kind.IMMUTABLE and not over,
    )


def copy_of(file: File, release: str, *, origin: str, names: Names) -> Copy:
    """`file` of the release `origin` as an object of `release`."""
    return Copy(
        origin=key_of(file, origin, names),
        key=key_of(file, release, names),
        size=file.size,
        content_type=file.content_type,
        cache_control=file.cache_control,
        metadata=metadata_of(file, release),
    )


def published_copy_of(file: File, release: str, *, origin: str, names: Names) -> Copy:
    """`file` of production's release `origin` as an object of a preview's `release`."""
    production = names.production
    own = copy_of(file, release, origin=origin, names=names)
    return replace(own, origin=key_of(file, origin, production), bucket=production.bucket)


def manifest_of(release: str, manifest: bytes, names: Names) -> Upload:
    """The release's manifest, which is written last."""
    return told_of(release, manifest, key=manifest_key(release, names))


def told_of(release: str, text: bytes, *, key: str) -> Upload:
    """What is said of a release, as JSON; it goes when the release goes."""
    return Upload(
        key=key,
        source=text,
        size=len(text),
        digest=hashlib.sha256(text).hexdigest(),
        content_type="application/json",
        metadata={"jam-release": release},
    )


def key_of(file: File, release: str, names: Names) -> str:
    if file.kind is Kind.IMMUTABLE:
        return f"{names.objects}/assets/{file.key}"
    return f"{names.objects}/releases/{release}/{file.key}"


def manifest_key(release: str, names: Names) -> str:
    return f"{names.objects}/releases/{release}/{MANIFEST}"


def metadata_of(file: File, release: str) -> dict[str, str]:
    """What the response function and entry read from the object itself."""
    kind = {"jam-kind": str(file.kind)}
    if file.kind is Kind.IMMUTABLE:
        return kind  # shared by releases
    headers = {"jam-headers": file.headers} if file.headers else {}
    return {"jam-release": release, **kind, **headers}


def exists(aws: Aws, names: Names) -> bool:
    """Whether the bucket is there; by an answer with a body, because a HEAD's 404 says nothing."""
    with tolerating("NoSuchBucket"):
        aws.s3.get_bucket_location(Bucket=names.bucket, ExpectedBucketOwner=names.account)
        return True
    return False


def make_bucket(aws: Aws, names: Names) -> str:
    """The bucket; returns its name. Its policy is left alone where there is one.

    Sources: S3 API reference, CreateBucket; S3 user guide, "Namespaces for general purpose
    buckets", "Controlling ownership of objects".
    """
    if not exists(aws, names):
        _create(aws, names)
    _check(aws, names)
    _close(aws, names)
    _tidy(aws, names)
    if _policy(aws, names) is None:
        _put_policy(aws, names, distribution_arn=None)
    return names.bucket


def grant(aws: Aws, names: Names, *, distribution_arn: str) -> None:
    """Lets the distribution, and nobody else, read the bucket."""
    wanted = documents.compact(documents.bucket_policy(names, distribution_arn))
    found = _policy(aws, names)
    if found is None or documents.compact(documents.parse(found)) != wanted:
        _put_policy(aws, names, distribution_arn=distribution_arn)


_CLOSED: Any = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_OWNED: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
_UNFINISHED: Any = {
    "ID": "unfinished-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}


def _close(aws: Aws, names: Names) -> None:
    """Nobody's but its owner's, whatever a policy or a list of an object's says."""
    where: Any = {"Bucket": names.bucket, "ExpectedBucketOwner": names.account}
    closed: Any = {}
    with tolerating("NoSuchPublicAccessBlockConfiguration"):
        closed = aws.s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
    if closed != _CLOSED:
        aws.s3.put_public_access_block(**where, PublicAccessBlockConfiguration=_CLOSED)
    owned: Any = {}
    with tolerating("OwnershipControlsNotFoundError"):
        owned = aws.s3.get_bucket_ownership_controls(**where)["OwnershipControls"]
    if owned != _OWNED:
        aws.s3.put_bucket_ownership_controls(**where, OwnershipControls=_OWNED)


def _tidy(aws: Aws, names: Names) -> None:
    """Parts of uploads that never ended go; rules that a person added stay."""
    where: Any = {"Bucket": names.bucket, "ExpectedBucketOwner": names.account}
    rules: Any = []
    with tolerating("NoSuchLifecycleConfiguration"):
        rules = aws.s3.get_bucket_lifecycle_configuration(**where)["Rules"]
    mine: Any = next((each for each in rules if each.get("ID") == _UNFINISHED["ID"]), {})
    held = ("Status", "AbortIncompleteMultipartUpload")
    if any(mine.get(key) != _UNFINISHED[key] for key in held):
        others = [each for each in rules if each is not mine]
        aws.s3.put_bucket_lifecycle_configuration(
            **where, LifecycleConfiguration={"Rules": [*others, _UNFINISHED]}
        )


def is_versioned(aws: Aws, names: Names) -> bool:
    """Whether somebody turned versioning on: what gc deletes is then kept, and paid for."""
    found = aws.s3.get_bucket_versioning(Bucket=names.bucket, ExpectedBucketOwner=names.account)
    return found.get("Status") == "Enabled"


def _create(aws: Aws, names: Names) -> None:
    placed: Any = {"Tags": ownership.tag_list(names)}
    if names.region != "us-east-1":  # the one region that must not be named
        placed["LocationConstraint"] = names.region
    with tolerating("BucketAlreadyOwnedByYou"):
        aws.s3.create_bucket(
            Bucket=names.bucket,
            BucketNamespace="account-regional",
            ObjectOwnership="BucketOwnerEnforced",
            CreateBucketConfiguration=placed,
        )


def _check(aws: Aws, names: Names) -> None:
    found: Any = []
    with tolerating("NoSuchTagSet"):
        found = aws.s3.get_bucket_tagging(Bucket=names.bucket, ExpectedBucketOwner=names.account)[
            "TagSet"
        ]
    ownership.check(ownership.mapped(found), names, what=f"The bucket {names.bucket}")


def _policy(aws: Aws, names: Names) -> str | None:
    with tolerating(_NO_POLICY):
        found = aws.s3.get_bucket_policy(Bucket=names.bucket, ExpectedBucketOwner=names.account)
        return found["Policy"]
    return None


def _put_policy(aws: Aws, names: Names, *, distribution_arn: str | None) -> None:
    aws.s3.put_bucket_policy(
        Bucket=names.bucket,
        ExpectedBucketOwner=names.account,
        Policy=documents.compact(documents.bucket_policy(names, distribution_arn)),
    )
