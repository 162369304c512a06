"""Looks at the objects of a release: whether they are there, and still what was released.

Reads only. The manifest is written last, so an object with its age or a younger one is asked for
its checksum; an older one was not touched since.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from runner.aws import files
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Kind
from runner.names import Names
from runner.plan.drift import Finding, State
from runner.plan.inventory import What
from runner.together import at_once

WORKERS = 16
SHOWN = 3  # names before the rest is counted


def manifest(aws: Aws, names: Names, *, release: str) -> Mapping[str, Any] | None:
    """What was released; None where nobody can read it any more."""
    with tolerating("NoSuchKey", "NoSuchBucket"):
        found = aws.s3.get_object(
            Bucket=names.bucket,
            Key=files.manifest_key(release, names),
            ExpectedBucketOwner=names.account,
        )
        text = found["Body"].read()
        try:
            told: Mapping[str, Any] = msgspec.json.decode(text)
        except ValueError:
            return None
        return told
    return None


def look(
    aws: Aws, names: Names, *, release: str, manifest: Mapping[str, Any]
) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """What is wrong in words, and the storage keys of all files that have to be put again."""
    own = f"{names.objects}/releases/{release}/"
    shared = f"{names.objects}/assets/"
    listed = {**_listed(aws, names, own), **_listed(aws, names, shared)}
    written = listed.get(f"{own}{files.MANIFEST}")
    wanted = {
        (shared if form[0] == Kind.IMMUTABLE else own) + key: (key, form[4])
        for key, form in manifest["files"].items()
    }
    gone = frozenset(key for full, (key, _) in wanted.items() if full not in listed)
    young = {
        full: told
        for full, told in wanted.items()
        if full in listed and written and listed[full] >= written
    }
    with at_once(WORKERS, name="checksums") as pool:
        same = pool.map(
            lambda each: _is_same(aws, names, each[0], digest=each[1][1]), young.items()
        )
        other = frozenset(
            key for (key, _), is_same in zip(young.values(), same, strict=True) if not is_same
        )
    return tuple(_findings(release, gone, other)), gone | other


def _listed(aws: Aws, names: Names, prefix: str) -> dict[str, datetime]:
    pages = aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=names.bucket, Prefix=prefix, ExpectedBucketOwner=names.account
    )
    found: dict[str, datetime] = {}
    with tolerating("NoSuchBucket"):
        for page in pages:
            found |= {each["Key"]: each["LastModified"] for each in page.get("Contents", [])}
    return found


def _is_same(aws: Aws, names: Names, key: str, *, digest: str) -> bool:
    """Our uploads bear their checksum; a copy keeps its origin's.

    Source: S3 user guide, "Checking object integrity for data uploads in Amazon S3".
    """
    found = aws.s3.head_object(
        Bucket=names.bucket,
        Key=key,
        ChecksumMode="ENABLED",
        ExpectedBucketOwner=names.account,
    )
    checksum = found.get("ChecksumSHA256")
    return checksum == base64.b64encode(bytes.fromhex(digest)).decode()


def _findings(release: str, gone: frozenset[str], other: frozenset[str]) -> Iterator[Finding]:
    name = f"of release {release[:8]}"
    if gone:
        yield Finding(kind=What.OBJECTS, name=name, state=State.MISSING, told=_told(gone))
    if other:
        told = f"{_told(other)} (other bytes)"
        yield Finding(kind=What.OBJECTS, name=f"{name}, changed", state=State.CHANGED, told=told)


def _told(keys: frozenset[str]) -> str:
    shown = ", ".join(sorted(keys)[:SHOWN])
    return shown + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
