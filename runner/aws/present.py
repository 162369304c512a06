"""Which files of a release are not in the bucket: by listings, or one by one. Reads only.

A page of a listing has a thousand keys, and the next one is asked for by where it ended: of a
hundred thousand files that is half a minute. So one page is read at once, which of most sites is
all; what lies behind it is asked for side by side, from where the release's own keys are known to
be. Source: S3 API reference, ListObjectsV2, MaxKeys and StartAfter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from botocore.exceptions import ClientError

from runner.aws.refusals import code_of
from runner.aws.session import Aws
from runner.names import Names

PAGE = 1000  # keys of one answer
FEW = 100  # files that cost less to look at one by one than a listing of all
GONE = frozenset({"ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "404"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The first keys below a prefix, without it, and whether that is all there are."""

    keys: frozenset[str]
    last: str
    is_whole: bool


def is_there(look: Callable[[], object]) -> bool:
    """Whether `look` finds what it is about."""
    try:
        look()
    except ClientError as error:
        if code_of(error) not in GONE:
            raise
        return False
    return True


def beginning(aws: Aws, names: Names, prefix: str, *, page: int = PAGE) -> Beginning:
    """The first `page` keys below `prefix`, by their bytes."""
    keys, more = _listed(aws, names, prefix, after="", page=page)
    return Beginning(keys=frozenset(keys), last=keys[-1] if keys else "", is_whole=not more)


def missing(
    aws: Aws,
    names: Names,
    prefix: str,
    *,
    wanted: Iterable[str],
    first: Beginning,
    pool: Executor,
    page: int = PAGE,
) -> list[str]:
    """Those of the `wanted` keys below `prefix` that are not there, in order; `first` was read
    before, the rest is asked for in the `pool`."""
    unseen = sorted(set(wanted) - first.keys, key=str.encode)
    if first.is_whole:
        return unseen
    gone = [key for key in unseen if key.encode() <= first.last.encode()]
    rest = unseen[len(gone) :]
    if len(rest) <= FEW:
        there = pool.map(lambda key: _is_object(aws, names, prefix + key), rest)
        return [*gone, *(key for key, is_so in zip(rest, there, strict=True) if not is_so)]
    ends = [first.last, *rest[page - 1 : -1 : page], rest[-1]]
    parts = pool.map(
        lambda ends: frozenset(_between(aws, names, prefix, *ends, page=page)), pairwise(ends)
    )
    found = frozenset[str]().union(*parts)
    return [*gone, *(key for key in rest if key not in found)]


def _between(
    aws: Aws, names: Names, prefix: str, after: str, last: str, *, page: int
) -> Iterator[str]:
    more = True
    while more and after.encode() < last.encode():
        keys, more = _listed(aws, names, prefix, after=after, page=page)
        yield from keys
        after = keys[-1] if keys else last


def _listed(
    aws: Aws, names: Names, prefix: str, *, after: str, page: int
) -> tuple[list[str], bool]:
    behind: Any = {"StartAfter": prefix + after} if after else {}
    answer = aws.s3.list_objects_v2(
        Bucket=names.bucket,
        Prefix=prefix,
        **behind,
        MaxKeys=page,
        ExpectedBucketOwner=names.account,
    )
    keys = [each["Key"].removeprefix(prefix) for each in answer.get("Contents", [])]
    return keys, answer["IsTruncated"]


def _is_object(aws: Aws, names: Names, key: str) -> bool:
    return is_there(
        lambda: aws.s3.head_object(Bucket=names.bucket, Key=key, ExpectedBucketOwner=names.account)
    )
