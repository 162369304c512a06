"""What stages a release: its record, files, versions, api_stage and routing. Nobody sees it yet."""

from __future__ import annotations

from typing import assert_never

from runner.apply import Known, Moved
from runner.aws import (
    api,
    api_room,
    files,
    keyvalues,
    preview_api,
    publishing,
    records,
    roles,
    routings,
)
from runner.aws.means import Means
from runner.aws.session import Aws
from runner.aws.whole import put_manifest
from runner.names import Names
from runner.plan.publishing import (
    STORE_REVISION,
    AwaitVersions,
    PublishEntry,
    PublishFunction,
)
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    BringBackRouting,
    CopyFiles,
    DropApiStage,
    GrantFunctions,
    MakeApiStage,
    PutFiles,
    PutManifest,
    RecordRelease,
    ReleaseStep,
    WriteRouting,
)


def performed(
    aws: Aws, names: Names, *, step: ReleaseStep, known: Known, means: Means, moved: Moved
) -> Known:
    """What it made. Harmless to repeat."""
    match step:
        case RecordRelease(release=release, origin=origin, owns=owns):
            records.record_release(aws, names, release=release, origin=origin, makes=owns)
        case GrantFunctions(grants=grants):
            arn = roles.make_granted(aws, names, grants=grants)
            return dict.fromkeys(step.makes, arn)
        case PutFiles() | CopyFiles() | PutManifest():
            _bring(aws, names, step=step, known=known, means=means, moved=moved)
        case PublishFunction() | PublishEntry() | AwaitVersions():
            return publishing.performed(
                aws,
                names,
                step=step,
                known=known,
                entry_archive=means.content.entry_archive,
                beforehand=means.beforehand,
            )
        case MakeApiStage():
            return _make_stage(aws, names, step=step, known=known, means=means)
        case WriteRouting():
            store = known[Ref(Made.STORE)]
            etag = _write_routing(aws, names, step=step, store=store, means=means)
            return {Ref(Made.ROUTING): str(aws.clock()), STORE_REVISION: etag}
        case DropApiStage():
            api_room.retire(aws, names, step=step, known=known, lease=means.lease)
        case BringBackRouting(releases=releases):
            store = known[Ref(Made.STORE)]
            routings.bring_back(aws, names, store=store, releases=releases)
        case _:
            assert_never(step)
    return dict.fromkeys(step.makes, "")


def _bring(
    aws: Aws,
    names: Names,
    *,
    step: PutFiles | CopyFiles | PutManifest,
    known: Known,
    means: Means,
    moved: Moved,
) -> None:
    """Into the bucket."""
    content = means.content
    match step:
        case PutFiles(release=release, files=wanted):
            uploads = (
                files.upload_of(file, release, names, over=file.key in step.over) for file in wanted
            )
            content.put(aws, names.bucket, uploads, moved=moved)
        case CopyFiles(release=release, origin=source, files=wanted):
            copies = (files.copy_of(file, release, origin=source, names=names) for file in wanted)
            content.copy(aws, names.bucket, copies, moved=moved)
        case PutManifest(release=whole):
            put_manifest(
                aws,
                names,
                release=whole,
                manifest=content.manifest(whole),
                known=known,
                put=content.put,
                moved=moved,
            )


def _write_routing(aws: Aws, names: Names, *, step: WriteRouting, store: str, means: Means) -> str:
    puts = keyvalues.routing_keys(
        step.release, step.routing, header_sets=step.header_sets, within=names.within
    )
    drops = [f"r/{each}" for each in step.forgets]
    seen = means.beforehand.at_revision(store)
    return keyvalues.write(aws, store, puts=puts, drops=drops, seen=seen)


def _make_stage(aws: Aws, names: Names, *, step: MakeApiStage, known: Known, means: Means) -> Known:
    if not names.is_shared:
        seen = means.beforehand.at_stage()
        return preview_api.make_stage(
            aws, names, step=step, known=known, fence=means.fence, later=means.later, seen=seen
        )
    api.make_stage(
        aws,
        names,
        api_stage=step.api_stage,
        functions=step.functions,
        api=step.api,
        known=known,
        lease=means.lease,
        again=step.again,
        seen=means.beforehand.at_api(),
    )
    return dict.fromkeys(step.makes, "")
