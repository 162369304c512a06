"""A pull request's environment: what goes in is a release and what is there, a `Plan` comes out.

Pure. Upon what all previews share; no rollout, no alias, no entry version of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from runner.model import Background, Function, Kind, Origin, Release, Table
from runner.plan.decide import api_stage_steps, changed_functions
from runner.plan.foundation import MakeTable
from runner.plan.live import Live
from runner.plan.previewing import CopyPublished, Show, TakeHost
from runner.plan.releasing import (
    CopyFiles,
    PublishFunction,
    PutFiles,
    PutManifest,
    RecordLive,
    RecordRelease,
    RecordStaged,
    WriteRouting,
)
from runner.plan.steps import Plan, StageStep, VisibleStep

REMEMBERED = 5  # releases of a preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What production has last published: its files are copied instead of uploaded.

    `files` are storage keys with their digests, `immutable` those below `assets/`.
    """

    release: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    immutable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a preview is to be shown, by the settings and the repository."""

    environment: str
    owns: tuple[str, ...] = ()  # AWS's names of its functions and tables
    tables: tuple[Table, ...] = ()
    domain: str = ""
    private: bool = False
    password: str = field(default="", repr=False)


def of_preview(release: Release, environment: str) -> Release:
    """The release as a preview has it: one api_stage whatever it holds, nothing by schedule.

    A function that streams is an ordinary route there: its URL would need a distribution's own
    path.
    """
    functions = tuple(_of_preview(each) for each in release.functions)
    routed = any(each.methods for each in functions)
    way = replace(release.routing, api_stage=environment if routed else "")
    return replace(release, functions=functions, routing=way)


def _of_preview(function: Function) -> Function:
    background = function.background
    quiet = Background(requests=background.requests, retries=background.retries)
    return replace(function, background=quiet, stream=False)


def plan(
    release: Release, live: Live, *, wanted: Wanted, published: Published, origin: Origin
) -> Plan:
    """The steps that make the preview `live` serve `release`; empty if it does already."""
    if live.release == release.id and live.entry_agrees:
        return Plan()
    stage: tuple[StageStep, ...] = (
        TakeHost(environment=wanted.environment, domain=wanted.domain),
        *(MakeTable(table=each) for each in wanted.tables),
        RecordRelease(release=release.id, origin=origin, owns=wanted.owns),
        *(() if live.staged else _release(release, live, wanted=wanted, published=published)),
    )
    show = Show(
        environment=wanted.environment,
        domain=wanted.domain,
        release=release.id,
        routing=release.routing,
        private=wanted.private,
        password=wanted.password,
        replaces=live.release,
    )
    return Plan(
        stage=stage, switch=(*_switch(release, live), show, _recording(release, live, origin))
    )


def _switch(release: Release, live: Live) -> tuple[VisibleStep, ...]:
    return () if live.staged else (RecordStaged(release=release),)


def _release(
    release: Release, live: Live, *, wanted: Wanted, published: Published
) -> Iterator[StageStep]:
    files = tuple(_files(release, live, published))
    yield from files
    yield PutManifest(release=release, after=tuple(ref for step in files for ref in step.makes))
    tables = {each.name for each in wanted.tables}
    for function in changed_functions(release, live):
        waits = tuple(table for table, _ in function.grants.tables if table in tables)
        before = function.name in live.functions
        yield PublishFunction(function=function, tables=waits, changed=before)
    if release.routing.api_stage:
        yield from api_stage_steps(release)
    new = tuple(each for each in release.header_sets if each.ref not in live.header_sets)
    yield WriteRouting(release=release.id, routing=release.routing, header_sets=new)


def _files(
    release: Release, live: Live, published: Published
) -> Iterator[PutFiles | CopyFiles | CopyPublished]:
    """From this preview's last release, else from production's, else from here."""
    put, same, copied = [], [], []
    for file in release.files:
        is_immutable = file.kind is Kind.IMMUTABLE
        own = live.immutable if is_immutable else live.files
        theirs = published.immutable if is_immutable else published.files
        if own.get(file.key) == file.digest:
            if not is_immutable:
                same.append(file)
        elif theirs.get(file.key) == file.digest:
            copied.append(file)
        else:
            put.append(file)
    if put:
        yield PutFiles(release=release.id, files=tuple(put))
    if same:
        yield CopyFiles(release=release.id, origin=live.release, files=tuple(same))
    if copied:
        yield CopyPublished(release=release.id, origin=published.release, files=tuple(copied))


def _recording(release: Release, live: Live, origin: Origin) -> RecordLive:
    stage = release.routing.api_stage
    past = (each for each in live.history if each != release.id)
    return RecordLive(
        release=release.id,
        previous=live.previous if live.release == release.id else live.release,
        sequence=live.sequence + 1,
        foundation="",
        stages=((stage, (release.id,)),) if stage else (),
        origin=origin,
        history=(release.id, *past)[:REMEMBERED],
    )
