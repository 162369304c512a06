"""Reads all records of a site and the manifests of its releases: what accounts for resources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import files, holders, tables, written
from runner.aws.refusals import code_of, explained, tolerating
from runner.aws.session import Aws
from runner.guard import journal
from runner.guard.rollout import Phase
from runner.model import Kind
from runner.names import PRODUCTION, Names
from runner.plan.ledger import Entry, Ledger
from runner.together import at_once

LOOKS = 8  # at once
_PREFIX = "jam-"
_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


def read(aws: Aws, names: Names) -> Ledger:
    """Everything on record; empty, but for the other sites, where this one has no records."""
    with explained():
        sites = frozenset(_sites(aws))
        try:
            items = list(_items(aws, names))
        except aws.records.exceptions.ResourceNotFoundException:
            return Ledger(sites=sites)
        with at_once(LOOKS) as pool:
            wanted = [each for each in items if each["sk"] == "release"]
            entries = tuple(pool.map(lambda item: _entry(aws, names, item), wanted))
    there = {each["sk"]: each for each in items if each["pk"] == f"environment#{PRODUCTION}"}
    ledger = _environment(names, there)
    return replace(
        ledger,
        exists=True,
        entries=tuple(sorted(entries, key=lambda each: each.at, reverse=True)),
        sites=sites,
        environments=frozenset(
            each["pk"].partition("#")[2] for each in items if each["pk"].startswith("environment#")
        ),
    )


def exists(aws: Aws, names: Names) -> bool:
    """Whether the site has records."""
    with explained():
        return tables.find(aws, names.records) is not None


def _sites(aws: Aws) -> Iterator[str]:
    """Sites whose records stand: their table is named as they are."""
    for page in aws.records.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if not name.startswith(_PREFIX):
                continue
            found = tables.find(aws, name)
            if not found:
                continue
            answer = aws.records.list_tags_of_resource(ResourceArn=found["TableArn"])
            tags = {each["Key"]: each["Value"] for each in answer.get("Tags", [])}
            if name in (own := f"{_PREFIX}{tags.get('jam:site')}", f"{own}--pr"):
                yield tags["jam:site"]


def _items(aws: Aws, names: Names) -> Iterator[dict[str, Any]]:
    """A scan: the table holds some hundred records."""
    pages = aws.records.get_paginator("scan").paginate(TableName=names.records, ConsistentRead=True)
    for page in pages:
        yield from map(written.plain, page["Items"])


def _entry(aws: Aws, names: Names, item: Mapping[str, Any]) -> Entry:
    release = item["pk"].partition("#")[2]
    functions: Mapping[str, Any] = item.get("functions", {})
    environment = item.get("environment", PRODUCTION)
    there = replace(names, environment=environment)
    versions = {(there.function(name), each["version"]) for name, each in functions.items()}
    told = manifest(aws, there, release)
    wanted: Mapping[str, Any] = (told or {}).get("files", {})
    return Entry(
        release=release,
        is_ready=item.get("state") == written.READY,
        at=int(item.get("at", 0)),
        expired=int(item.get("expired", 0)),
        opened=int(item.get("opened", 0)),
        origin=written.read_origin(item.get("origin", {})),
        versions=frozenset({*versions, (names.entry, item.get("entry", ""))}),
        roles=frozenset(each["role"] for each in functions.values() if "role" in each),
        api_stage=item.get("api_stage", ""),
        header_sets=frozenset(digests(told or {})),
        assets=frozenset(key for key, form in wanted.items() if form[0] == Kind.IMMUTABLE),
        is_known=told is not None,
        environment=environment,
    )


def digests(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Of the header sets that it names."""
    headers = [*manifest.get("headers", {}), manifest.get("routing", {}).get("h")]
    return (each.partition(".")[0] for each in headers if each)


def manifest(aws: Aws, names: Names, release: str) -> Mapping[str, Any] | None:
    """What a release consists of; None where nobody put it, or it is gone."""
    try:
        answer = aws.s3.get_object(
            Bucket=names.bucket,
            Key=files.manifest_key(release, names),
            ExpectedBucketOwner=names.account,
        )
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise
        return None
    found: Mapping[str, Any] = json.loads(answer["Body"].read())
    return found


def _environment(names: Names, there: Mapping[str, Mapping[str, Any]]) -> Ledger:
    item, rollout = there.get("environment", {}), there.get("rollout", {})
    is_open = rollout.get("phase", Phase.CLOSED) != Phase.CLOSED
    opened = journal.rollout_of(rollout["rollout"]) if is_open else None
    functions: Mapping[str, Any] = item.get("functions", {})
    return Ledger(
        live=item.get("release", ""),
        previous=item.get("previous", ""),
        candidate=opened.candidate if opened else "",
        rollout=opened.id if opened else "",
        sequence=int(item.get("sequence", 0)),
        destroying="destroy" in there and not item,
        survived="destroy" in there and bool(item),
        ids=frozenset(item[key] for key in ("distribution", "api") if key in item),
        stages=tuple((stage, tuple(users)) for stage, users in item.get("stages", ())),
        scheduled=frozenset(
            names.function(name)
            for name, each in functions.items()
            if each.get("background", {}).get("schedule")
        ),
        streams=frozenset(names.function(name) for name, _ in item.get("streams", ())),
        history=tuple(item.get("history", ())),
        domains=frozenset(item.get("domains", ())),
        tables=frozenset(item.get("tables", ())),
    )


def forget(aws: Aws, names: Names, *, beginning: bool = False) -> None:
    """Deletes every record but the lease; `beginning` leaves one that says why."""
    destroying, lease = (f"environment#{names.environment}", "destroy"), holders.key_of(names)
    with explained():
        if beginning:
            mark: Any = {**_key(*destroying), "at": {"N": str(int(aws.clock()))}}
            aws.records.put_item(TableName=names.records, Item=mark)
        for each in list(_items(aws, names)):
            if _key(each["pk"], each["sk"]) == lease:
                continue
            if not beginning or (each["pk"], each["sk"]) != destroying:
                _delete(aws, names, each)


def forget_destroy(aws: Aws, names: Names) -> None:
    """Nothing is left of a run of `destroy` that did not end."""
    key = _key(f"environment#{names.environment}", "destroy")
    with explained():
        aws.records.delete_item(TableName=names.records, Key=key)


def forget_release(aws: Aws, names: Names, *, release: str) -> None:
    """Deletes a release's record last of its records: those of its rollouts go before."""
    with explained():
        going = [each for each in _items(aws, names) if each["pk"] == f"release#{release}"]
        for each in sorted(going, key=lambda each: bool(each["sk"] == "release")):
            _delete(aws, names, each)


def mark_expired(aws: Aws, names: Names, *, expired: Iterable[str], revived: Iterable[str]) -> None:
    """From when on no new visitor is pinned to these; those that are kept again lose the mark."""
    now = {":now": {"N": str(int(aws.clock()))}}
    with explained():
        for release in expired:
            _update(aws, names, release, change="SET #expired = :now", values=now)
        for release in revived:
            _update(aws, names, release, change="REMOVE #expired", values={})


def mark_opened(aws: Aws, names: Names, *, release: str, until: int) -> None:
    """Somebody looks at it until then: gc leaves what the router needs for it."""
    values = {":until": {"N": str(until)}}
    with explained():
        _update(aws, names, release, change="SET #opened = :until", values=values)


def _update(aws: Aws, names: Names, release: str, *, change: str, values: Any) -> None:
    name = "opened" if "#opened" in change else "expired"
    with tolerating("ConditionalCheckFailedException"):  # it is gone
        aws.records.update_item(
            TableName=names.records,
            Key=_key(f"release#{release}", "release"),
            UpdateExpression=change,
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={f"#{name}": name},
            **({"ExpressionAttributeValues": values} if values else {}),
        )


def _delete(aws: Aws, names: Names, item: Mapping[str, Any]) -> None:
    aws.records.delete_item(TableName=names.records, Key=_key(item["pk"], item["sk"]))


def _key(pk: str, sk: str) -> Any:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
