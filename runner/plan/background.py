"""Steps of functions that run without a waiting visitor: by schedule, or handed on to the back.

Pure. Schedules go with the release: they move after it is active and before it is recorded, so
that a killed run moves them again, and going back puts the old ones back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from runner.model import Function, Release
from runner.plan.foundation import Role
from runner.plan.live import Live
from runner.plan.refs import Made, Ref, Refs

ACCEPTOR = "~background"  # no function of a site can have this name


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattended:
    """What a site's functions need to run without a visitor: a clock, an acceptor of requests.

    With either of them events can fail that nobody waits for: they become dead letters.
    """

    schedules: bool = False
    requests: bool = False

    def __bool__(self) -> bool:
        return self.schedules or self.requests

    @property
    def roles(self) -> tuple[Role, ...]:
        """The site's roles: three that every site has, and those of what it needs."""
        wanted = {
            Role.SCHEDULER: self.schedules,
            Role.BACKGROUND: self.requests,
            Role.GUARD: False,
        }
        return tuple(role for role in Role if wanted.get(role, True))


def unattended(functions: Iterable[Function]) -> Unattended:
    """What these functions need."""
    background = [function.background for function in functions]
    return Unattended(
        schedules=any(each.schedule for each in background),
        requests=any(each.requests for each in background),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeDeadLetters:
    """The queue of events that nobody could handle, and the alarm that says so."""

    exists: bool = False
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.DEAD_LETTERS),)

    def __str__(self) -> str:
        return f"{'check' if self.exists else 'create'} the queue of dead letters and its alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeScheduleGroup:
    """What the site's schedules lie in: schedules themselves bear no tags."""

    exists: bool = False
    needs: ClassVar[Refs] = (Ref(Made.RECORDS),)
    makes: ClassVar[Refs] = (Ref(Made.SCHEDULE_GROUP),)

    def __str__(self) -> str:
        return f"{'check' if self.exists else 'create'} the group of schedules"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishAcceptor:
    """The version of the program that takes requests in and hands them on."""

    needs: ClassVar[Refs] = (Ref(Made.RECORD), Ref(Made.ROLE, Role.BACKGROUND))
    makes: ClassVar[Refs] = (Ref(Made.VERSION, ACCEPTOR),)

    def __str__(self) -> str:
        return "publish the acceptor of background requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSchedule:
    """Lets the release's version of a function run at its times, from the next one on."""

    function: str
    schedule: str
    replaces: str = ""

    def __str__(self) -> str:
        was = f" (was {self.replaces})" if self.replaces not in ("", self.schedule) else ""
        return f"run {self.function} by {self.schedule}{was}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSchedule:
    """Ends the runs of a function that the release does not have, or not by schedule."""

    function: str

    def __str__(self) -> str:
        return f"run {self.function} by no schedule any more"


BackgroundFoundation = MakeDeadLetters | MakeScheduleGroup
MoveSchedule = PutSchedule | DropSchedule
BackgroundStep = BackgroundFoundation | PublishAcceptor | MoveSchedule


def foundation_of(wanted: Unattended, existing: frozenset[Ref]) -> Iterator[BackgroundFoundation]:
    """The steps for what is needed; what is needed no longer stays: letters may lie in it."""
    if wanted:
        yield MakeDeadLetters(exists=Ref(Made.DEAD_LETTERS) in existing)
    if wanted.schedules:
        yield MakeScheduleGroup(exists=Ref(Made.SCHEDULE_GROUP) in existing)


def moved_schedules(release: Release, live: Live, *, firm: bool) -> Iterator[MoveSchedule]:
    """From the live release's schedules to those of `release`.

    All of them are put where the foundation is not `firm`: their group may be new.
    """
    wanted = {each.name: each for each in release.functions if each.background.schedule}
    before = {name: each for name, each in live.functions.items() if each.background.schedule}
    for name, function in wanted.items():
        was = before.get(name)
        schedule = function.background.schedule
        told = (was.digest, was.background.schedule) if was else None
        if not firm or told != (function.digest, schedule):
            replaces = was.background.schedule if was else ""
            yield PutSchedule(function=name, schedule=schedule, replaces=replaces)
    for name in sorted(before.keys() - wanted.keys()):
        yield DropSchedule(function=name)
