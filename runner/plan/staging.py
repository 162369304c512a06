"""The steps that make a release, before any visitor gets it. Pure, as `decide`."""

from __future__ import annotations

from collections.abc import Iterator

from runner.model import File, Function, Kind, Origin, Release
from runner.plan.background import (
    ACCEPTOR,
    PublishAcceptor,
)
from runner.plan.foundation import (
    ENTRY,
)
from runner.plan.groundwork import Foundation
from runner.plan.live import Live
from runner.plan.publishing import AwaitVersions, PublishEntry, PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    CopyFiles,
    GrantFunctions,
    MakeApiStage,
    PutFiles,
    PutManifest,
    RecordRelease,
    ReleaseStep,
    WriteRouting,
)


def staged(
    release: Release,
    live: Live,
    *,
    foundation: Foundation,
    origin: Origin,
    opens: bool,
    forgets: tuple[str, ...] = (),
) -> Iterator[ReleaseStep | PublishAcceptor]:
    yield RecordRelease(release=release.id, origin=origin)
    changed = tuple(changed_functions(release, live))
    for grants in dict.fromkeys(each.grants for each in changed if each.grants):
        yield GrantFunctions(grants=grants)
    # With a changed foundation a table may be new: its functions wait for it.
    firm = foundation.digest == live.foundation
    for function in changed:
        waits = () if firm else tuple(table for table, _ in function.grants.tables)
        before = function.name in live.functions
        yield PublishFunction(function=function, tables=waits, changed=before, ready=not firm)
    yield PublishEntry(release=release, ready=not firm)
    if firm:  # a new foundation has URLs of the versions, and waits for each
        yield AwaitVersions(functions=(*(each.name for each in changed), ENTRY), moves=not opens)
    files = tuple(_files(release, live))
    yield from files
    yield PutManifest(release=release, after=tuple(ref for step in files for ref in step.makes))
    stage = release.routing.api_stage
    again = stage in live.drift.api_stages
    if stage and (again or stage not in dict(live.stages)):
        yield from api_stage_steps(release, again=again)
    new = tuple(each for each in release.header_sets if each.ref not in live.header_sets)
    yield WriteRouting(
        release=release.id, routing=release.routing, header_sets=new, forgets=forgets
    )


def api_stage_steps(
    release: Release, *, again: bool = False
) -> Iterator[MakeApiStage | PublishAcceptor]:
    """The steps that make its api_stage; they ask for the release's record and its versions."""
    routed = tuple(each for each in release.functions if each.methods and not each.stream)
    through = any(each.background.requests for each in routed)
    if through:
        yield PublishAcceptor()
    yield MakeApiStage(
        api_stage=release.routing.api_stage,
        functions=routed,
        api=release.api,
        through=(Ref(Made.VERSION, ACCEPTOR),) if through else (),
        again=again,
    )


def changed_functions(release: Release, live: Live) -> Iterator[Function]:
    """Functions whose digest is not the one that the live release uses."""
    for function in release.functions:
        published = live.functions.get(function.name)
        if published is None or published.digest != function.digest:
            yield function


def _files(release: Release, live: Live) -> Iterator[PutFiles | CopyFiles]:
    put = tuple(file for file in release.files if not _is_there(file, live))
    same = tuple(
        file for file in release.files if file.kind is not Kind.IMMUTABLE and _is_there(file, live)
    )
    if put:
        yield PutFiles(release=release.id, files=put, over=live.drift.files)
    if same and release.id != live.release:  # else they lie there already
        yield CopyFiles(release=release.id, origin=live.release, files=same)


def _is_there(file: File, live: Live) -> bool:
    stored = live.immutable if file.kind is Kind.IMMUTABLE else live.files
    return stored.get(file.key) == file.digest
