"""Takes objects out of the site's bucket, and tells those that nobody of us put there.

Source: S3 user guide, "Emptying a bucket" and "Deleting a bucket": every version, delete marker and
unfinished upload has to go first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, Problem, aws_error
from runner.names import Names
from runner.plan.ledger import ASSETS, NEWEST, RELEASES, Ledger
from runner.together import at_once

LOOKS = 16  # at once
CHUNK = 1000  # keys of one DeleteObjects. Source: S3 API reference, DeleteObjects
TOLD = 20  # foreign objects that are named one by one
# What our uploads bear. Objects of releases are known by their keys alone.
_OURS = ("jam-kind", "jam-release")
_RELEASE = re.compile(r"releases/[0-9a-f]{32}/.")
_ARCHIVE = re.compile(r"functions/jam-[A-Za-z0-9-]+/[0-9a-f]{64}\.zip")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's key, its version (empty where the bucket has none) and its epoch second."""

    key: str
    version: str = ""
    at: float = 0.0


def check_foreign(aws: Aws, names: Names, *, ledger: Ledger) -> None:
    """Raises JamError `JAM-BUCKET-FOREIGN` with the names of what others put into the bucket."""
    found = sorted(set(foreign(aws, names, ledger=ledger)))
    if not found:
        return
    more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
    raise aws_error(
        "JAM-BUCKET-FOREIGN",
        f"{len(found)} objects in the bucket {names.bucket} are not ours{more}; nothing was "
        "removed.",
        hint="Move them elsewhere, or delete them, then run this again.",
        problems=tuple(
            Problem(where=key, message="was not put there by jam-deploy") for key in found[:TOLD]
        ),
    )


def foreign(aws: Aws, names: Names, *, ledger: Ledger) -> Iterator[str]:
    """Keys of no shape of ours; where only metadata can tell, it is asked for."""
    named = {f"{ASSETS}{key}" for each in ledger.entries for key in each.assets}
    unsure: list[str] = []
    for each in stored(aws, names):
        if each.key in named or _is_shaped(each.key):
            continue
        if _below_environment(each.key).startswith("assets/"):
            unsure.append(each.key)
        else:
            yield each.key
    with at_once(LOOKS) as pool:
        known = pool.map(lambda key: _bears(aws, names, key), unsure)
        yield from (key for key, is_ours in zip(unsure, known, strict=True) if not is_ours)


def _is_shaped(key: str) -> bool:
    below = _below_environment(key)
    return bool(_RELEASE.match(below) or below == NEWEST or _ARCHIVE.fullmatch(key))


def _below_environment(key: str) -> str:
    """The key below `production/`, `previews/` or `previews/pr-<n>/`; else empty."""
    found = re.match(r"(?:production|previews(?:/pr-\d+)?)/(.*)", key, re.DOTALL)
    return found[1] if found else ""


def _bears(aws: Aws, names: Names, key: str) -> bool:
    with tolerating("404", "NoSuchKey"):
        found = aws.s3.head_object(Bucket=names.bucket, Key=key, ExpectedBucketOwner=names.account)
        return any(mark in found["Metadata"] for mark in _OURS)
    return True  # only a delete marker is left of it


def stored(aws: Aws, names: Names, *, prefix: str = "") -> Iterator[Stored]:
    """Every object below `prefix`, every older version and delete marker; none without a bucket."""
    pages = aws.s3.get_paginator("list_object_versions").paginate(
        Bucket=names.bucket, Prefix=prefix, ExpectedBucketOwner=names.account
    )
    with tolerating("NoSuchBucket"):
        for page in pages:
            found: Any = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            for each in found:
                version = each.get("VersionId", "")
                yield Stored(each["Key"], version, each["LastModified"].timestamp())


def delete(aws: Aws, names: Names, objects: Iterable[Stored]) -> int:
    """Deletes exactly these; returns how many. What is gone already is fine."""
    left, count = iter(objects), 0
    while chunk := list(islice(left, CHUNK)):
        wanted: Any = [_named(each) for each in chunk]
        answer = aws.s3.delete_objects(
            Bucket=names.bucket,
            Delete={"Objects": wanted, "Quiet": True},
            ExpectedBucketOwner=names.account,
        )
        if answer.get("Errors"):
            raise _kept(names, answer["Errors"])
        count += len(chunk)
    return count


def empty(aws: Aws, names: Names, *, prefix: str = "") -> int:
    """Deletes everything below `prefix`, unfinished uploads too; returns the count of objects."""
    abort(aws, names, prefix)
    return clear(aws, names, prefix)


def clear(aws: Aws, names: Names, prefix: str) -> int:
    """Deletes every object below `prefix`; returns their count."""
    with tolerating("NoSuchBucket"):
        return delete(aws, names, stored(aws, names, prefix=prefix))
    return 0


def abort(aws: Aws, names: Names, prefix: str) -> None:
    """Ends every unfinished upload below `prefix`."""
    with tolerating("NoSuchBucket"):
        _abort(aws, names, prefix=prefix)


def _abort(aws: Aws, names: Names, *, prefix: str) -> None:
    pages = aws.s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=names.bucket, Prefix=prefix, ExpectedBucketOwner=names.account
    )
    for each in [each for page in pages for each in page.get("Uploads", ())]:
        with tolerating("NoSuchUpload"):
            aws.s3.abort_multipart_upload(
                Bucket=names.bucket,
                Key=each["Key"],
                UploadId=each["UploadId"],
                ExpectedBucketOwner=names.account,
            )


def _named(each: Stored) -> dict[str, str]:
    """`null` is the version of what was put while the bucket had none."""
    return {"Key": each.key, **({"VersionId": each.version} if each.version else {})}


def _kept(names: Names, errors: list[Any]) -> JamError:
    return aws_error(
        "JAM-BUCKET-KEPT",
        f"S3 did not delete {len(errors)} objects of {names.bucket}.",
        hint="Look at what it says of each; an object lock or a bucket policy may forbid it.",
        problems=tuple(
            Problem(where=each.get("Key", ""), message=each.get("Message", each.get("Code", "")))
            for each in errors[:TOLD]
        ),
    )


def below(release: str) -> str:
    """The prefix of a release's own objects."""
    return f"{RELEASES}{release}/"
