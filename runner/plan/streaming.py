"""Steps of functions that send their answers as they make them: each has a URL of its own.

Pure. A function URL belongs to an alias, never to a version: streaming functions follow the live
release, not the visitor's pin. Source: Lambda API reference, CreateFunctionUrlConfig, Qualifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from runner.model import Release
from runner.plan.live import Live
from runner.plan.origins import allowed, recorded
from runner.plan.refs import Made, Ref, Refs
from runner.plan.streams import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStreams:
    """Written before the first URL: what a run leaves that ends early is taken down by the next."""

    streams: tuple[Stream, ...]
    sequence: int
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.STREAMS),)

    def __str__(self) -> str:
        return f"record that {', '.join(each.name for each in self.streams)} may have function URLs"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStreamUrl:
    """The alias of a streaming function, and its IAM function URL."""

    function: str
    exists: bool = False

    @property
    def needs(self) -> Refs:
        return (Ref(Made.VERSION, self.function), Ref(Made.STREAMS))

    @property
    def makes(self) -> Refs:
        return (Ref(Made.STREAM_URL, self.function),)

    def __str__(self) -> str:
        return f"{'check' if self.exists else 'create'} the function URL of {self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantStream:
    """The two permissions that a function URL asks of CloudFront."""

    function: str
    exists: bool = False
    makes: ClassVar[Refs] = ()

    @property
    def needs(self) -> Refs:
        return (Ref(Made.STREAM_URL, self.function), Ref(Made.DISTRIBUTION))

    def __str__(self) -> str:
        verb = "check" if self.exists else "create"
        return f"{verb} the distribution's right to call {self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStream:
    """Point a streaming function's alias at this release's version, all of it.

    `origins` are those whose pages may call it, beside the site's own.
    """

    function: str
    release: str
    origins: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"point {self.function} at {self.release[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropStreams:
    """Take these out of the distribution; then, once no edge asks for them, their URLs go.

    `kept` are those that stay, for the record.
    """

    streams: tuple[Stream, ...]
    kept: tuple[Stream, ...]
    sequence: int

    def __str__(self) -> str:
        return f"take down the function URLs of {', '.join(each.name for each in self.streams)}"


StreamFoundation = RecordStreams | MakeStreamUrl | GrantStream
StreamStep = StreamFoundation | MoveStream | DropStreams


def placed(wanted: tuple[Stream, ...], live: Live) -> tuple[Stream, ...]:
    """What the distribution names while the release is staged: visitors still get the live one."""
    names = {each.name for each in wanted}
    still = (each for each in live.streams if each.name not in names)
    return tuple(sorted((*wanted, *(each for each in still if each.name in live.functions))))


def left(wanted: tuple[Stream, ...], live: Live) -> tuple[Stream, ...]:
    """What there is to take down once the release is live."""
    return tuple(each for each in live.streams if each not in wanted)


def urls_of(streams: tuple[Stream, ...], live: Live) -> Iterator[RecordStreams | MakeStreamUrl]:
    """Before the distribution: it names their domains."""
    if streams:
        every = tuple(sorted({*streams, *live.streams}))
        yield RecordStreams(streams=every, sequence=live.sequence)
    for each in streams:
        exists = Ref(Made.STREAM_URL, each.name) in live.existing
        yield MakeStreamUrl(function=each.name, exists=exists)


def grants_of(streams: tuple[Stream, ...], live: Live) -> Iterator[GrantStream]:
    """After the distribution: the permissions name it."""
    for each in streams:
        exists = Ref(Made.STREAM_URL, each.name) in live.existing
        yield GrantStream(function=each.name, exists=exists)


def moved(release: Release, live: Live) -> Iterator[MoveStream]:
    """Aliases that are not at this release's versions; all of them where nothing is certain."""
    before = {each.name for each in live.streams}
    steady = live.entry_agrees and recorded(allowed(release.functions, release.api)) == live.origins
    for function in release.functions:
        published = live.functions.get(function.name)
        same = published is not None and published.digest == function.digest
        stands = same and function.name in before and steady
        if function.stream and not stands:
            yield MoveStream(function=function.name, release=release.id, origins=release.api.cors)


def dropped(wanted: tuple[Stream, ...], live: Live, *, sequence: int) -> Iterator[DropStreams]:
    """`sequence` is the number that the environment's record has then."""
    if streams := left(wanted, live):
        yield DropStreams(streams=streams, kept=wanted, sequence=sequence)
