"""The releases that there are, and whether one could go live again just as it is. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import msgspec

from runner.aws import api, files, keyvalues, written
from runner.aws.present import Beginning, beginning, is_there, missing
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment, Staged
from runner.guard import journal
from runner.model import Kind, Origin
from runner.names import Names
from runner.plan.refs import Made
from runner.together import at_once

LOOKS = 64  # at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One release on record; `at` is when it was first staged, in epoch seconds.

    `expired` since when nobody new is shown it, `opened` until when somebody may look at it;
    `files`, `bytes` of them and of its `functions` as it was built, 0 where no record says so.
    """

    release: str
    is_ready: bool
    at: int
    origin: Origin
    api_stage: str = ""
    expired: int = 0
    opened: int = 0
    files: int = 0
    bytes: int = 0
    functions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How the last rollout of a release ended, and what was found out; `at` in epoch seconds.

    `outcome` is empty while nobody has ended it; `verdict` where it was never looked at.
    """

    outcome: str
    verdict: str
    why: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What stands of a release. `lost` are parts that only a build can make again, in words."""

    manifest: Mapping[str, Any]
    is_routed: bool
    has_stage: bool
    lost: tuple[str, ...]


def releases(aws: Aws, names: Names) -> tuple[Kept, ...]:
    """All on record, the newest first; none where nothing was ever deployed."""
    words = ("state", "at", "origin", "api_stage", "expired", "opened", "sizes")
    items = _items(aws, names, words=words, kind="release")
    found = (
        Kept(
            release=release,
            is_ready=item.get("state") == written.READY,
            at=int(item.get("at", 0)),
            origin=written.read_origin(item.get("origin", {})),
            api_stage=item.get("api_stage", ""),
            expired=int(item.get("expired", 0)),
            opened=int(item.get("opened", 0)),
            **{name: int(size) for name, size in item.get("sizes", {}).items()},
        )
        for item in items
        if (release := item["pk"].partition("#")[2]) and "/" not in release  # a preview's
    )
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def judged(aws: Aws, names: Names) -> Mapping[str, Judged]:
    """By release how its last rollout ended: those that are over, and the one that is open."""
    items = _items(aws, names, words=("outcome", "why", "evidence", "rollout"), kind="rollout")
    rollouts = ((journal.rollout_of(item["rollout"]), item) for item in items)
    return {
        rollout.candidate: Judged(
            outcome=item.get("outcome", ""),
            verdict=json.loads(item.get("evidence", "{}")).get("verdict", ""),
            why=item.get("why", ""),
            at=rollout.opened,
        )
        for rollout, item in sorted(rollouts, key=lambda each: each[0].opened)
    }


def condition(
    aws: Aws,
    names: Names,
    *,
    release: str,
    staged: Staged,
    there: Environment,
    served: Callable[[], Mapping[str, Any]] = dict,
) -> Condition:
    """Looks at everything that the release needs: its files, versions, api_stage, routing.

    `served` is the manifest of what visitors get right now: what both share is not asked for again
    where there are many files.
    """
    with explained(), at_once(LOOKS, name="look") as pool:
        whole = pool.submit(_manifest, aws, names, release)
        own = pool.submit(beginning, aws, names, _own(names, release))
        shared = pool.submit(beginning, aws, names, _shared(names))
        stage = pool.submit(_has_stage, aws, staged, there)
        routed = pool.submit(keyvalues.get, aws, there.ids[Made.STORE], key=f"r/{release}")
        looks = [pool.submit(_lost_version, aws, *each) for each in _versions(names, staged)]
        manifest = whole.result()
        lost = _Files(aws, names, release, manifest, pool).lost(
            own=own.result(), shared=shared.result(), served=served
        )
        versions = [found for look in looks if (found := look.result())]
        return Condition(
            manifest=manifest,
            is_routed=routed.result() is not None,
            has_stage=stage.result(),
            lost=(*lost, *versions),
        )


def _items(
    aws: Aws, names: Names, *, words: tuple[str, ...], kind: str
) -> tuple[dict[str, Any], ...]:
    """A scan: the table holds some hundred records, and releases have keys of their own."""
    pages = aws.records.get_paginator("scan").paginate(
        TableName=names.records,
        FilterExpression="begins_with(#sk, :kind)",
        ProjectionExpression=", ".join(f"#{word}" for word in ("pk", "schema", *words)),
        ExpressionAttributeNames={f"#{word}": word for word in ("pk", "sk", "schema", *words)},
        ExpressionAttributeValues={":kind": {"S": kind}},
        ConsistentRead=True,
    )
    with explained():
        try:
            return tuple(written.plain(item) for page in pages for item in page["Items"])
        except aws.records.exceptions.ResourceNotFoundException:
            return ()


def _versions(names: Names, staged: Staged) -> Iterator[tuple[str, str, str]]:
    yield "the entry", names.entry, staged.entry
    for name, each in staged.functions.items():
        yield f"function {name}", names.function(name), each.version


def _lost_version(aws: Aws, what: str, function: str, version: str) -> str:
    """Empty where it is there."""
    if not missing_version(aws, function, version=version):
        return ""
    return f"{what}: Lambda has no version {version} of {function} any more"


def missing_version(aws: Aws, function: str, *, version: str) -> bool:
    """Numbers are never given twice, so a version that is there is the one that was published.

    Asked of all functions at once, by the call that may be made 100 times a second: configurations
    alone share 15. Sources: Lambda developer guide, "Manage Lambda function versions", Using
    versions; the same, "Lambda quotas", API requests.
    """
    return not is_there(
        lambda: aws.functions.get_function(FunctionName=function, Qualifier=version)
    )


def _has_stage(aws: Aws, staged: Staged, there: Environment) -> bool:
    if not staged.api_stage:
        return True
    return api.has_stage(aws, there.ids[Made.API], api_stage=staged.api_stage)


def _manifest(aws: Aws, names: Names, release: str) -> Mapping[str, Any]:
    found: list[Mapping[str, Any]] = []

    def read() -> None:
        answer = aws.s3.get_object(
            Bucket=names.bucket,
            Key=files.manifest_key(release, names),
            ExpectedBucketOwner=names.account,
        )
        found.append(msgspec.json.decode(answer["Body"].read()))

    return found[0] if is_there(read) else {}


def _own(names: Names, release: str) -> str:
    return f"{names.objects}/releases/{release}/"


def _shared(names: Names) -> str:
    return f"{names.objects}/assets/"


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one release, by its manifest."""

    aws: Aws
    names: Names
    release: str
    manifest: Mapping[str, Any]
    pool: Executor

    def lost(
        self, *, own: Beginning, shared: Beginning, served: Callable[[], Mapping[str, Any]]
    ) -> tuple[str, ...]:
        if not self.manifest:
            return ("its manifest is not in the bucket",)
        immutable = _immutable(self.manifest)
        # Most are what visitors get right now: were one of those lost, going back lost nothing.
        asked = immutable if shared.is_whole else immutable - _immutable(served())
        gone = [
            *self._missing(_own(self.names, self.release), self._pages(immutable), own),
            *self._missing(_shared(self.names), asked, shared),
        ]
        return tuple(f"the file {key} is not in the bucket" for key in sorted(gone))

    def _pages(self, immutable: set[str]) -> set[str]:
        return set(self.manifest["files"]) - immutable

    def _missing(self, prefix: str, wanted: set[str], first: Beginning) -> list[str]:
        return missing(self.aws, self.names, prefix, wanted=wanted, first=first, pool=self.pool)


def _immutable(manifest: Mapping[str, Any]) -> set[str]:
    files = manifest.get("files", {})
    return {key for key, form in files.items() if form[0] == Kind.IMMUTABLE}
