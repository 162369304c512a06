"""Plays one rollout: a candidate is deployed while visitors come, its runner lives or is killed."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner.errors import Turn
from runner.rehearsal.candidates import LIVE, SLOWER, TAKEN_BACK, Candidate
from runner.rehearsal.line import Line, Reply, Send
from runner.rehearsal.player import Crowd, Player
from runner.rehearsal.sources import Sources
from runner.rehearsal.stage import Stage, answer_of, failed
from runner.rehearsal.tally import Tally

Runner = Literal["alive", "killed"]
RUNNERS: tuple[Runner, ...] = ("alive", "killed")
# 500 sessions within five minutes: a tenth of a minute's are enough for a verdict on what is
# broken for all.
A_MINUTE = 110  # sessions that begin in a minute of the cloud's
SESSIONS = 500  # at least, of each rollout
PERCENT, MINUTES = 10, 5
# Cloud seconds in one of ours: two cores bear about 200 requests a second, a session has ten.
SPEED = 12.0
_LOOK_EVERY = 0.2  # seconds of ours
_OPENS_WITHIN = 300.0  # seconds of ours: build and stage on a busy machine
_ENDS_WITHIN = 40 * 60.0  # seconds of the cloud's: every deadline of the guard's lies before
_OUTAGE = (50.0, 140.0)  # seconds of the cloud's after the rollout opened: from, until
AGREE = 30.0  # seconds of the cloud's until every edge has a value of the store
# Until then an edge that is asked has the value, an old one or none.
UNTRUE = {"propagation": {"seconds": AGREE, "missing": 0.2, "old": 0.3}}
_CARD = "/.jam/version.json"
_OPENED = "rollout …"  # what a runner says when CodeDeploy has begun
USUAL = 100.0  # ms of a function's answer, until visitors have measured it


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rollout of a play: what is tried, whether its runner lives, its build's name.

    Visitors go on coming after its end until there were `sessions`.
    """

    candidate: Candidate
    runner: Runner
    build: str
    sessions: int = SESSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Theatre:
    """A stage with a live site on it: `host` is where its visitors go, `name` the site's."""

    stage: Stage
    sources: Sources
    host: str
    name: str

    def line(self) -> Line:
        """A line to the site for each thread that asks on it."""
        return Line(self.stage.endpoint, self.host)

    def agree(self) -> None:
        """Lets every edge hear of what is live: nothing is being rolled out then."""
        self.stage.cloud("clock", {"advance": AGREE + 1})

    def card(self) -> dict[str, Any]:
        """What the site says is live, and what is tried."""
        told: dict[str, Any] = json.loads(self.line()(_CARD, {}).body)
        return told


def roll(theatre: Theatre, part: Part, tally: Tally, *, usual: float = USUAL) -> Rolled:
    """Plays it. Raises JamError where the deploy failed, or the rollout never ended.

    `usual` are the milliseconds that functions take, as visitors measured them.
    """
    stage = theatre.stage
    pause = round(usual * (SLOWER - 1))
    theatre.sources.write(part.candidate, build=part.build, pause=pause)
    log = stage.artifacts / f"{part.candidate.name}-{part.runner}.log"
    with _deploying(stage, log) as process:
        release = _until_open(theatre, process, log)
        opened = stage.now()
        if part.runner == "killed":
            process.kill()
        with _visitors(theatre, part, tally, since=opened):
            outcome = _until_ended(theatre, part, release, since=opened)
            ended, exposed = stage.now(), tally.sessions[release]
            _until(
                stage,
                lambda: tally.begun >= part.sessions,
                within=_OPENS_WITHIN,
                what="visitors",
            )
        _closed(stage, part, process, log)
    return Rolled(
        candidate=part.candidate.name,
        signal=part.candidate.signal,
        expected=part.candidate.expected,
        outcome=outcome,
        runner=part.runner,
        cloud_minutes=round((ended - opened) / 60, 1),
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


def unsignalled(candidate: Candidate, rollout: Mapping[str, Any]) -> str:
    """What is wrong if a broken candidate's own signal did not show it; empty if it did.

    `rollout` is the member of that name of a deploy's result.
    """
    if candidate.expected == LIVE:
        return ""
    counted = rollout.get("signals", {}).get(candidate.signal, {}).get("candidate", [0])
    return "" if counted[0] else f"{candidate.name} shows in no count of `{candidate.signal}`"


def told(rolled: Rolled, tally: Tally) -> str:
    """How it went, in one line."""
    return (
        f"{rolled.outcome} after {rolled.cloud_minutes} min of the cloud's time; {tally.begun} "
        f"sessions, {rolled.exposed} of them given the candidate; {tally.views} pages, "
        f"{tally.mixed} mixed, {tally.skewed} skewed"
    )


@contextmanager
def _deploying(stage: Stage, log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("wb") as file:
        process = stage.begin("deploy", log=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _visitors(theatre: Theatre, part: Part, tally: Tally, *, since: float) -> Iterator[Player]:
    clock, origin = theatre.stage.clock, theatre.stage.clock()
    crowd = Crowd(a_minute=A_MINUTE, seed=zlib.crc32(part.build.encode()))
    player = Player(
        _timed(theatre.line(), clock, tally),
        crowd,
        now=lambda: since + (clock() - origin) * SPEED,
        speed=SPEED,
        tally=tally,
    )
    with player:
        yield player


def _timed(send: Send, clock: Callable[[], float], tally: Tally) -> Send:
    """Tells the tally how long functions take."""

    def asked(path: str, headers: Mapping[str, str], /) -> Reply:
        begun = clock()
        reply = send(path, headers)
        if path.startswith("/.functions/"):
            tally.took((clock() - begun) * 1000)
        return reply

    return asked


def _until_open(theatre: Theatre, process: subprocess.Popen[str], log: Path) -> str:
    """The candidate's release, once CodeDeploy shifts visitors to it."""

    def opened() -> bool:
        if process.poll() is not None:
            said = process.communicate()[0]
            answer = answer_of(said, log=log.read_text(), status=process.returncode)
            raise failed(f"the deploy opened no rollout: it ended as {answer.get('outcome')}")
        return any(line.endswith(_OPENED) for line in log.read_text().splitlines())

    _until(theatre.stage, opened, within=_OPENS_WITHIN, what="the rollout to open")
    cards: list[dict[str, Any]] = []

    def named() -> bool:
        cards.append(theatre.card())
        return bool(cards[-1]["candidate"])

    _until(theatre.stage, named, within=_OPENS_WITHIN, what="the candidate to be named")
    return str(cards[-1]["candidate"])


def _until_ended(theatre: Theatre, part: Part, release: str, *, since: float) -> str:
    """What became of the candidate, by the site's own version card.

    The edges may still give old cards, or none; no rollout ends before they agree that it is open.
    """
    stage, weather = theatre.stage, _Weather(theatre)
    cards: list[dict[str, Any]] = []

    def ended() -> bool:
        seconds = stage.now() - since
        if part.candidate.outage:
            weather.at(seconds)
        cards.append(theatre.card())
        return seconds > AGREE and bool(cards[-1]["release"]) and not cards[-1]["candidate"]

    try:
        _until(stage, ended, within=_ENDS_WITHIN / SPEED, what="the rollout to end")
    finally:
        weather.clear()
    return LIVE if cards[-1]["release"] == release else TAKEN_BACK


def _closed(stage: Stage, part: Part, process: subprocess.Popen[str], log: Path) -> None:
    """A living runner says the same as the site; a killed one's rollout was settled without it."""
    fine = (0, int(Turn.TAKEN_BACK))
    if part.runner == "alive":
        said = process.communicate(timeout=_OPENS_WITHIN)[0]
        answer = answer_of(said, log=log.read_text(), status=process.returncode, fine=fine)
        if wrong := unsignalled(part.candidate, answer.get("rollout") or {}):
            raise failed(wrong)
        return
    settling = stage.begin("settle", log=subprocess.PIPE)
    said, errors = settling.communicate(timeout=_OPENS_WITHIN)
    answer_of(said, log=errors, status=settling.returncode, fine=fine)


def _until(stage: Stage, done: Callable[[], bool], *, within: float, what: str) -> None:
    """`within` in seconds of ours."""
    until = stage.clock() + within
    while not done():
        if stage.clock() > until:
            raise failed(f"the rehearsal waited in vain for {what}")
        stage.sleep(_LOOK_EVERY)


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
