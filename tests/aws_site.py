"""A tiny site for tests of runner/aws: two files and one Node function, in several releases."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.apply import Applied, Moved, apply, known_of
from runner.aws.files import Copy, Upload
from runner.aws.live import read_live
from runner.aws.means import Content
from runner.aws.perform import performer
from runner.aws.session import Aws, connect
from runner.aws.wanted import foundation
from runner.local.cloud import Cloud
from runner.model import File, Function, HeaderSet, Kind, Origin, Release, Routing, Table
from runner.names import Names
from runner.package.manifest import api_stage_of, identity, manifest
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.steps import Plan, Step

TABLES = (Table(name="notes", hash_key=("id", "S")),)
ROUTER = "function handler(event) { return event.request; }"
RESPONSE = "function handler(event) { return event.response; }"


def zipped(name: str, text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return stream.getvalue()


def a_release(folder: Path, *, page: str = "one", code: str = "one") -> Release:
    files = (
        _file(folder, "index.html", page, kind=Kind.DOCUMENT),
        _file(folder, "about/index.html", "about", kind=Kind.DOCUMENT),
        _file(folder, "assets/app-1234abcd.js", "app", kind=Kind.IMMUTABLE),
    )
    functions = (_function(folder, code),)
    sets = (HeaderSet(ref="0123456789abcdef.1", headers=(("x-a", "b"),), parts=('[["x-a","b"]]',)),)
    draft = Release(
        id="",
        files=files,
        header_sets=sets,
        redirects=(),
        functions=functions,
        routing=Routing(api_stage=api_stage_of(functions), immutable=("assets/*",)),
    )
    return replace(draft, id=identity(draft, {}))


def _file(folder: Path, key: str, text: str, *, kind: Kind) -> File:
    digest = hashlib.sha256(text.encode()).hexdigest()
    source = folder / digest
    source.write_text(text)
    return File(
        path=key,
        key=key,
        kind=kind,
        digest=digest,
        size=len(text),
        content_type="text/html; charset=utf-8",
        cache_control="public, max-age=0",
        source=source,
    )


def _function(folder: Path, code: str) -> Function:
    answer = json.dumps({"statusCode": 200, "body": code})
    archive = zipped("index.mjs", f"export const handler = async () => ({answer});")
    digest = hashlib.sha256(archive)
    path = folder / digest.hexdigest()
    path.write_bytes(archive)
    return Function(
        name="notes/[id]",
        route="/.functions/notes/{id}",
        methods=("GET",),
        runtime="nodejs22.x",
        handler="index.handler",
        architecture="arm64",
        memory=256,
        timeout=10,
        digest=digest.hexdigest()[:32],
        code_sha256=base64.b64encode(digest.digest()).decode(),
        size=len(archive),
        environment=(("GREETING", "hello"),),
        archive=path,
    )


def an_account(cloud: Cloud) -> Aws:
    return connect(
        region="eu-central-1",
        endpoint=cloud.endpoint,
        clock=time.time,
        sleep=lambda seconds: time.sleep(seconds / 10),
        chance=random.random,
    )


def put(aws: Aws, bucket: str, objects: Iterable[Upload], *, moved: Moved) -> None:
    for each in objects:
        body = each.source if isinstance(each.source, bytes) else each.source.read_bytes()
        aws.s3.put_object(Bucket=bucket, Key=each.key, Body=body, Metadata=each.metadata)
        moved(1, each.size)


def copy(aws: Aws, bucket: str, objects: Iterable[Copy], *, moved: Moved) -> None:
    for each in objects:
        aws.s3.copy_object(
            Bucket=bucket,
            Key=each.key,
            CopySource={"Bucket": bucket, "Key": each.origin},
            MetadataDirective="REPLACE",
            Metadata=each.metadata,
        )
        moved(1, each.size)


CONTENT = Content(
    put=put,
    copy=copy,
    manifest=manifest,
    entry_archive=lambda release: zipped("entry.py", f"RELEASE = {release.id!r}"),
    guard_archive=lambda: zipped("guard.py", ""),
)


@dataclass
class Heard:
    """A progress that remembers how each step ended."""

    finished_steps: list[Step] = field(default_factory=list)

    def started(self, step: Step) -> None: ...

    def moved(self, step: Step, *, files: int, size: int) -> None: ...

    def finished(self, step: Step, *, seconds: float) -> None:
        self.finished_steps.append(step)

    def failed(self, step: Step) -> None: ...


@dataclass(frozen=True)
class Deployer:
    """Deploys releases to one account, as `deploy` does."""

    aws: Aws
    names: Names

    @property
    def foundation(self) -> Foundation:
        return foundation(self.names, tables=TABLES, router=ROUTER, response=RESPONSE)

    def plan(self, release: Release) -> Plan:
        live = read_live(self.aws, self.names, release=release.id, foundation=self.foundation)
        return plan(release, live, foundation=self.foundation, origin=Origin(commit="c0ffee"))

    def deploy(self, release: Release) -> Applied:
        return self.perform(self.plan(release), release)

    def perform(self, todo: Plan, release: Release) -> Applied:
        live = read_live(self.aws, self.names, release=release.id, foundation=self.foundation)
        perform = performer(
            self.aws, self.names, release=release, foundation=self.foundation, content=CONTENT
        )
        return apply(todo, perform, known=known_of(live, todo), progress=Heard(), clock=lambda: 0.0)
