"""Plays the candidates: a healthy and a broken one, or all, each with a living and a killed runner.

What each is expected to become is decided here, before it is played.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from statistics import quantiles

from runner.errors import JamError
from runner.rehearsal.candidates import CANDIDATES, NAMED
from runner.rehearsal.line import Reply
from runner.rehearsal.opening import USUAL, Opened, opened
from runner.rehearsal.rollouts import Around, Rolled, roll, told, trouble
from runner.rehearsal.stage import Story, failed
from runner.rehearsal.tally import Tally
from runner.rehearsal.theatre import RUNNERS, Part, Theatre
from runner.rehearsal.visitor import Visitor

FIRST = Part(candidate=NAMED["healthy"], runner="alive", build="healthy-alive")


def rest(*, whole: bool, called: bool) -> tuple[Part, ...]:
    """What is played after FIRST: all candidates, each with a living and with a killed runner; else
    a broken one without its runner.

    `called`: visitors call functions of this site, so that those can be what is broken.
    """
    if not whole:
        broken = "function-throws" if called else "missing-chunk"
        return (Part(candidate=NAMED[broken], runner="killed", build=broken),)
    parts = (
        Part(candidate=each, runner=runner, build=f"{each.name}-{runner}")
        for each in CANDIDATES
        if called or not each.calls
        for runner in RUNNERS
    )
    return tuple(part for part in parts if part != FIRST)


class Drill:
    """Plays parts one after another; what visitors measured in one serves the next.

    While the last visitors of one part come, the next candidate is deployed already: until it is
    open they get what is live, and after that they are visitors of both.
    """

    def __init__(self, theatre: Theatre, story: Story) -> None:
        self._theatre = theatre
        self._story = story
        self._usual = USUAL
        self._before = Tally()
        self._ahead: Opened | JamError | None = None
        self.called = False

    def play(
        self,
        part: Part,
        following: Part | None = None,
        *,
        beside: Callable[[], None] = lambda: None,
    ) -> Rolled:
        """Plays one part as a step, and what goes on `beside` it; raises JamError where it went
        otherwise than expected."""
        tally = Tally()

        def meanwhile() -> None:
            self._learn(part, tally)
            if following:
                self._ahead = self._opened(following)

        with self._story.step(f"{part.candidate.name}, runner {part.runner}") as said:
            current = self._taken(part)
            try:
                around = Around(before=self._before, beside=beside, meanwhile=meanwhile)
                rolled = roll(self._theatre, current, tally, around)
            finally:
                current.end()
                self._before = tally
            self._story.rollouts.append(asdict(rolled))
            said.append(told(rolled, tally))
            if wrong := trouble(rolled, tally):
                raise failed(wrong)
        self._learn(part, tally)
        return rolled

    def play_all(self, parts: Sequence[Part]) -> None:
        """Plays all, whatever becomes of one; then raises the first JamError that there was."""
        try:
            pairs = zip_longest(parts, parts[1:])
            faults = [error for each in pairs if (error := self._fault(*each))]
        finally:
            if isinstance(self._ahead, Opened):
                self._ahead.end()
        if faults:
            raise faults[0]

    def _fault(self, part: Part, following: Part | None) -> JamError | None:
        try:
            self.play(part, following)
        except JamError as error:
            return error
        return None

    def _taken(self, part: Part) -> Opened:
        """The part's rollout, opened ahead or now."""
        ahead, self._ahead = self._ahead or self._opened(part), None
        if isinstance(ahead, JamError):
            raise ahead
        return ahead

    def _opened(self, part: Part) -> Opened | JamError:
        """Where it cannot be opened, that is told when its turn comes."""
        try:
            return opened(self._theatre, part, usual=self._usual)
        except JamError as error:
            return error

    def _learn(self, part: Part, tally: Tally) -> None:
        """How long functions usually take, from visitors of what is not broken."""
        if tally.calls and not part.candidate.signal:
            self._usual, self.called = usual(tally.calls), True

    def plant(self, other: str) -> None:
        """Proves the counter of mixed pages: a page that is made to ask for another release."""
        with self._story.step("a planted mix is counted") as said:
            tally = planted(self._theatre, other)
            said.append(f"{tally.mixed} of {tally.views} pages mixed: {'; '.join(tally.examples)}")
            if tally.mixed != 1:
                raise failed(f"the planted mix was counted {tally.mixed} times, not once")


def usual(calls: Sequence[float]) -> float:
    """Milliseconds within which 95 % of these calls were answered: as `runner.aws.latency` has it,
    or what is ten times slower than most would be no slower than the slowest."""
    return quantiles(calls, n=20)[-1] if len(calls) > 1 else calls[0]


def planted(theatre: Theatre, other: str) -> Tally:
    """One visit of two pages, one of which is given another release's parts."""
    line, tally = theatre.line(), Tally()
    visitor = Visitor(send=line, tally=tally, chance=random.Random(1))  # noqa: S311  # no secret
    visitor.use(visitor.open(visitor.start))

    def saboteur(path: str, headers: Mapping[str, str], /) -> Reply:
        told = {} if headers["sec-fetch-mode"] == "navigate" else {"x-jam-release": other}
        return line(path, {**headers, **told})

    visitor.send = saboteur
    visitor.use(visitor.open(visitor.start))
    return tally
