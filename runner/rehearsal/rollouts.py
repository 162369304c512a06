"""Plays one rollout that is open: visitors come until it has ended, and there were enough."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from runner.rehearsal.candidates import LIVE, TAKEN_BACK
from runner.rehearsal.line import Reply, Send
from runner.rehearsal.opening import Opened
from runner.rehearsal.player import Crowd, Player
from runner.rehearsal.tally import Tally
from runner.rehearsal.theatre import AGREE, WITHIN, Runner, Theatre, until
from runner.together import at_once

# 500 sessions within five minutes: a tenth of a minute's are enough for a verdict on what is
# broken for all.
A_MINUTE = 110  # sessions that begin in a minute of the cloud's
A_MINUTE_AFTER = 3 * A_MINUTE  # once it has ended: nothing is judged by them any more
_ENDS_WITHIN = 40 * 60.0  # seconds of the cloud's: every deadline of the guard's lies before
_OUTAGE = (50.0, 140.0)  # seconds of the cloud's after the rollout opened: from, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """What became of a rollout, as the receipt tells it."""

    candidate: str
    signal: str
    expected: str
    outcome: str
    runner: Runner
    cloud_minutes: float
    exposed: int
    mixed: int


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What there is beside the rollout: `before` counts visitors of the one before, some of whom
    still came when this one was open; `beside` is done while it is, `meanwhile` while visitors come
    after its end.
    """

    before: Tally = field(default_factory=Tally)
    beside: Callable[[], None] = _nothing
    meanwhile: Callable[[], None] = _nothing


ALONE = Around()


def roll(theatre: Theatre, opened: Opened, tally: Tally, around: Around = ALONE) -> Rolled:
    """Plays it to its end. Raises JamError where it never ended."""
    part, stage, release = opened.part, theatre.stage, opened.release

    def enough() -> bool:
        return tally.begun >= part.sessions

    def seen() -> tuple[str, float]:
        outage = part.candidate.outage
        outcome = until_ended(theatre, release, since=opened.since, outage=outage)
        ended = stage.now()
        player.end_at(part.sessions, a_minute=A_MINUTE_AFTER)
        return outcome, ended

    crowd = visitors(theatre, tally, build=part.build, since=opened.since)
    with crowd as player, at_once(1) as watching:
        looked = watching.submit(seen)
        around.beside()
        outcome, ended = looked.result()
        exposed = tally.sessions[release] + around.before.sessions[release]
        opened.close(theatre)
        if not enough():
            around.meanwhile()
        until(stage, enough, within=WITHIN, what="visitors")
    return Rolled(
        candidate=part.candidate.name,
        signal=part.candidate.signal,
        expected=part.candidate.expected,
        outcome=outcome,
        runner=part.runner,
        cloud_minutes=round((ended - opened.since) / 60, 1),
        exposed=exposed,
        mixed=tally.mixed,
    )


def trouble(rolled: Rolled, tally: Tally) -> str:
    """What is wrong with how a rollout went; empty if nothing is."""
    if rolled.outcome != rolled.expected:
        return f"{rolled.candidate} ended as {rolled.outcome}, not as {rolled.expected}"
    if tally.mixed:
        return f"{tally.mixed} pages were of two releases: {'; '.join(tally.examples[:3])}"
    if tally.unreachable:
        return f"{tally.unreachable} visitors got no answer"
    return ""


def told(rolled: Rolled, tally: Tally) -> str:
    """How it went, in one line."""
    return (
        f"{rolled.outcome} after {rolled.cloud_minutes} min of the cloud's time; {tally.begun} "
        f"sessions, {rolled.exposed} of them given the candidate; {tally.views} pages, "
        f"{tally.mixed} mixed, {tally.skewed} skewed"
    )


@contextmanager
def visitors(theatre: Theatre, tally: Tally, *, build: str, since: float) -> Iterator[Player]:
    """A crowd from now on, which is `since` by the cloud's clock; `build` tells it from others."""
    clock, origin, speed = theatre.stage.clock, theatre.stage.clock(), theatre.stage.speed
    player = Player(
        _timed(theatre.line(), clock, tally),
        Crowd(a_minute=A_MINUTE, seed=zlib.crc32(build.encode())),
        now=lambda: since + (clock() - origin) * speed,
        speed=speed,
        tally=tally,
    )
    with player:
        yield player


def _timed(send: Send, clock: Callable[[], float], tally: Tally) -> Send:
    """Tells the tally of each request, and how long functions take."""

    def asked(path: str, headers: Mapping[str, str], /) -> Reply:
        begun = clock()
        tally.asked()
        reply = send(path, headers)
        if path.startswith("/.functions/"):
            tally.took((clock() - begun) * 1000)
        return reply

    return asked


def until_ended(theatre: Theatre, release: str, *, since: float, outage: bool = False) -> str:
    """What became of the candidate, by the site's own version card; `since` it was offered.

    The edges may still give old cards, or none; no rollout ends before they agree that it is open.
    """
    stage, weather = theatre.stage, _Weather(theatre)
    cards: list[dict[str, Any]] = []

    def ended() -> bool:
        seconds = stage.now() - since
        if outage:
            weather.at(seconds)
        cards.append(theatre.card())
        return seconds > AGREE and bool(cards[-1]["release"]) and not cards[-1]["candidate"]

    try:
        until(stage, ended, within=_ENDS_WITHIN / stage.speed, what="the rollout to end")
    finally:
        weather.clear()
    return LIVE if cards[-1]["release"] == release else TAKEN_BACK


class _Weather:
    """An outage of the tables, for the functions of whatever release."""

    def __init__(self, theatre: Theatre) -> None:
        self._theatre = theatre
        self._bad = False

    def at(self, seconds: float) -> None:
        """What it is like so many seconds of the cloud's after the rollout opened."""
        bad = _OUTAGE[0] <= seconds < _OUTAGE[1]
        if bad and not self._bad:
            functions = f"*:assumed-role/jam-{self._theatre.name}--*"
            denied = {"action": "dynamodb:*", "principal": functions}
            self._theatre.stage.cloud("deny", denied)
            self._bad = True
        elif self._bad and not bad:
            self.clear()

    def clear(self) -> None:
        if self._bad:
            self._theatre.stage.cloud("deny", method="DELETE")
            self._bad = False
