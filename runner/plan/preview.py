"""A pull request's environment: what goes in is a release and what is there, a `Plan` comes out.

Pure. Upon what all previews share; no rollout, no alias, no entry version of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.model import Background, Function, Grants, Kind, Origin, Release, Table
from runner.plan.foundation import MakeTable
from runner.plan.live import Live
from runner.plan.previewing import (
    HIDDEN,
    AllowFunctions,
    CopyPublished,
    HideReleases,
    LeadStage,
    LetGo,
    Show,
    TakeHost,
)
from runner.plan.publishing import AwaitVersions, PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    CopyFiles,
    MakeApiStage,
    PutFiles,
    PutManifest,
    RecordLive,
    RecordRelease,
    RecordStaged,
)
from runner.plan.staging import api_stage_steps, changed_functions
from runner.plan.steps import Plan, StageStep

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
    """How a preview is to be shown, by the settings and the repository.

    `foundation` is the digest of its tables, whatever else they hold.
    """

    environment: str
    owns: tuple[str, ...] = ()  # as `function NAME`, `table NAME`, `rights NAME`: AWS's names
    tables: tuple[Table, ...] = ()
    foundation: str = ""
    domain: str = ""
    password: str = field(default="", repr=False)  # empty: everybody may look
    bypass: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A release of the preview that is recorded; `versions` by the functions' names at Lambda."""

    release: str
    versions: frozenset[tuple[str, str]] = frozenset()
    owns: tuple[str, ...] = ()


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
    release: Release,
    live: Live,
    *,
    wanted: Wanted,
    published: Published,
    past: tuple[Remembered, ...] = (),
    origin: Origin,
) -> Plan:
    """The steps that make the preview `live` serve `release`; empty if it does already."""
    if live.release == release.id and live.entry_agrees:
        return Plan()
    recording = _recording(release, live, wanted=wanted, origin=origin)
    early, late = _let_go(release, past, live, wanted=wanted)
    show = Show(
        environment=wanted.environment,
        domain=wanted.domain,
        release=release.id,
        routing=release.routing,
        header_sets=tuple(it for it in release.header_sets if it.ref not in live.header_sets),
        password=wanted.password,
        bypass=wanted.bypass,
        replaces=live.release,
    )
    return Plan(
        stage=(
            *(() if _has_host(live, wanted) else (_host(wanted),)),
            *_staging(release, live, wanted=wanted, published=published, past=past, origin=origin),
            *early,
        ),
        switch=(
            *(() if live.staged else (RecordStaged(release=release),)),
            *_leading(release),
            show,
            recording,
        ),
        settle=late,
    )


def _leading(release: Release) -> Iterator[LeadStage]:
    for step in api_stage_steps(release) if release.routing.api_stage else ():
        if isinstance(step, MakeApiStage):
            yield LeadStage(api_stage=step.api_stage, functions=step.functions, api=step.api)


def _host(wanted: Wanted) -> TakeHost:
    return TakeHost(environment=wanted.environment, domain=wanted.domain)


def _has_host(live: Live, wanted: Wanted) -> bool:
    """Whether the recorded one is what the settings ask for, and shows what is recorded."""
    host = live.known.get(Ref(Made.DOMAIN), "")
    if not live.release or not live.entry_agrees or not host:
        return False
    return not _left(live, wanted)


def _left(live: Live, wanted: Wanted) -> str:
    """The recorded host, where the settings ask for another kind; empty where they do not."""
    host = live.known.get(Ref(Made.DOMAIN), "") if live.release else ""
    is_own = host.startswith(f"{wanted.environment}.")  # no distribution's begins so
    fits = host == f"{wanted.environment}.{wanted.domain}" if wanted.domain else not is_own
    return "" if fits else host


def _staging(
    release: Release,
    live: Live,
    *,
    wanted: Wanted,
    published: Published,
    past: tuple[Remembered, ...],
    origin: Origin,
) -> Iterator[StageStep]:
    # Tables stay until the preview is closed: somebody may look at what is in them.
    lasting = ("table ", "rights ")
    kept = (name for each in past for name in each.owns if name.startswith(lasting))
    owns = tuple(dict.fromkeys((*wanted.owns, *kept)))
    if live.staged:
        if release.routing.api_stage:  # one for all releases of the preview
            yield from api_stage_steps(release)
        return
    yield RecordRelease(release=release.id, origin=origin, owns=owns)
    made = () if wanted.foundation == live.foundation else wanted.tables
    for table in made:
        yield MakeTable(table=table)
    yield from _release(release, live, tables={each.name for each in made}, published=published)


def _let_go(
    release: Release, past: tuple[Remembered, ...], live: Live, *, wanted: Wanted
) -> tuple[tuple[HideReleases | LetGo, ...], tuple[LetGo, ...]]:
    """Releases that were not remembered any more before this one, what runs that were killed left
    among them; and functions that the release before had.

    The former while this one is staged: nobody has to wait for it. But a function may be what
    visitors still have: it goes after the switch, and so do the releases that tell of it.
    """
    kept = {release.id, live.release, *live.history}
    gone = [each for each in past if each.release not in kept]
    late = [each for each in gone if _lost(each, wanted)]
    early = [each for each in gone if each not in late]
    before = [each for each in past if each.release == live.release]
    functions = {name for each in (*late, *before) for name in _lost(each, wanted)}
    last = LetGo(
        host=_left(live, wanted),
        releases=_named(late),
        functions=tuple(sorted(functions)),
        versions=tuple(it for it in _only(late, past) if it[0] not in functions),
    )
    steps = () if last == LetGo() else (last,)
    if not early:
        return (), steps
    ready = (Ref(Made.VERSION, each.name) for each in release.functions)
    first = LetGo(releases=_named(early), versions=_only(early, past), after=(HIDDEN, *ready))
    return (HideReleases(releases=_named(early)), first), steps


def _lost(remembered: Remembered, wanted: Wanted) -> frozenset[str]:
    """Functions, by their names at Lambda, that the wanted release does not have."""
    split = [each.partition(" ") for each in remembered.owns if each not in wanted.owns]
    return frozenset(name for kind, _, name in split if kind == "function")


def _named(some: Iterable[Remembered]) -> tuple[str, ...]:
    return tuple(sorted(each.release for each in some))


def _only(some: Sequence[Remembered], past: Iterable[Remembered]) -> tuple[tuple[str, str], ...]:
    """Versions that no other release has."""
    used = {it for each in past if each not in some for it in each.versions}
    return tuple(sorted({it for each in some for it in each.versions} - used))


def _release(
    release: Release, live: Live, *, tables: set[str], published: Published
) -> Iterator[StageStep]:
    changed = tuple(changed_functions(release, live))
    if any(asks(each.grants) for each in changed):
        yield AllowFunctions(grants=asking(release))
    for function in changed:
        waits = tuple(table for table, _ in function.grants.tables if table in tables)
        before = function.name in live.functions
        yield PublishFunction(function=function, tables=waits, changed=before, ready=False)
    if changed:
        yield AwaitVersions(functions=tuple(each.name for each in changed))
    files = tuple(_files(release, live, published))
    yield from files
    yield PutManifest(release=release, after=tuple(ref for step in files for ref in step.makes))
    if release.routing.api_stage:
        yield from api_stage_steps(release)


def asking(release: Release) -> tuple[Grants, ...]:
    """What of its functions' rights the common role does not have."""
    return tuple(dict.fromkeys(each.grants for each in release.functions if asks(each.grants)))


def asks(grants: Grants) -> bool:
    """Whether they need more than the role that all functions of previews share has anyway."""
    return bool(grants.secrets or grants.tracing or grants.network)


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


def _recording(release: Release, live: Live, *, wanted: Wanted, origin: Origin) -> RecordLive:
    stage = release.routing.api_stage
    past = (each for each in live.history if each != release.id)
    return RecordLive(
        release=release.id,
        previous=live.previous if live.release == release.id else live.release,
        sequence=live.sequence + 1,
        foundation=wanted.foundation,
        stages=((stage, (release.id,)),) if stage else (),
        tables=tuple(each.name for each in wanted.tables),
        origin=origin,
        history=(release.id, *past)[:REMEMBERED],
    )
