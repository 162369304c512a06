"""The bucket's and DynamoDB's part of the inventory. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runner.aws import ownership
from runner.aws.inventory.found import OURS, each_of, part, thing
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.tables import find
from runner.names import PREVIEW, PRODUCTION, Names
from runner.plan.inventory import Thing, What

SHARED = f"{PRODUCTION}/assets/"
_PREVIEWS = re.compile(r"previews/(?:pr-\d+/)?(?:releases/[^/]+|assets)/")


def buckets(aws: Aws, names: Names) -> Iterator[Thing]:
    """Those whose name says that they are of this account and region, and this site's objects."""
    tail = f"-{names.account}-{names.region}-an"
    for each in aws.s3.list_buckets()["Buckets"]:
        name = each["Name"]
        if not name.startswith(OURS) or not name.endswith(tail):
            continue
        found = thing(What.BUCKET, name, tags=_tags(aws, names, name))
        yield found
        mine = next((each for each in (names, names.previews) if each.bucket == name), None)
        if mine:
            for group in sorted(_groups(aws, mine)):
                whose = _environment(group) or found.environment
                yield replace(part(What.OBJECTS, group, whole=found), environment=whose)


def tables(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(name: str) -> Thing | None:
        found = find(aws, name)
        if found is None or found["TableStatus"] == "DELETING":
            return None
        answer = aws.records.list_tags_of_resource(ResourceArn=found["TableArn"])
        return thing(What.TABLE, name, tags=ownership.mapped(answer.get("Tags", [])))

    pages = aws.records.get_paginator("list_tables").paginate()
    listed = (name for page in pages for name in page["TableNames"] if name.startswith(OURS))
    return each_of(listed, look)


def _groups(aws: Aws, names: Names) -> set[str]:
    """A release's objects are one group; what releases share, and what is foreign, stands alone."""
    pages = aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=names.bucket, ExpectedBucketOwner=names.account
    )
    group = _group if names.environment == PRODUCTION else _group_of_previews
    return {group(each["Key"]) for page in pages for each in page.get("Contents", [])}


def _group_of_previews(key: str) -> str:
    """A release's objects, and a preview's assets, are one group each."""
    found = _PREVIEWS.match(key)
    return found[0] if found else key


def _group(key: str) -> str:
    if key.startswith("previews/"):
        return "/".join((*key.split("/", 2)[:2], ""))
    top, *rest = key.split("/", 3)
    if (top, *rest[:1]) == (PRODUCTION, "releases") and len(rest) > 2:
        return "/".join((top, *rest[:2], ""))
    return key


def _environment(key: str) -> str:
    """A preview's, by its prefix; empty for what is no preview's."""
    top, _, rest = key.partition("/")
    found = rest.partition("/")[0]
    return found if top == "previews" and PREVIEW.fullmatch(found) else ""


def _tags(aws: Aws, names: Names, bucket: str) -> Mapping[str, str]:
    with tolerating("NoSuchTagSet", "NoSuchBucket"):
        found = aws.s3.get_bucket_tagging(Bucket=bucket, ExpectedBucketOwner=names.account)
        return ownership.mapped(found["TagSet"])
    return {}
