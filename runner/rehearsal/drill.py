"""Plays the candidates: a healthy and a broken one, or all, each with a living and a killed runner.

What each is expected to become is decided here, before it is played.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from statistics import median

from runner.rehearsal.candidates import CANDIDATES, NAMED
from runner.rehearsal.line import Reply
from runner.rehearsal.rollouts import USUAL, Part, Rolled, Theatre, roll, told, trouble
from runner.rehearsal.stage import Story, failed
from runner.rehearsal.tally import Tally
from runner.rehearsal.visitor import Visitor


def short(theatre: Theatre) -> tuple[Part, ...]:
    """A healthy candidate with its runner, a broken one without."""
    broken = "function-throws" if theatre.sources.can_be_called else "missing-chunk"
    return (
        Part(candidate=NAMED["healthy"], runner="alive", build="healthy"),
        Part(candidate=NAMED[broken], runner="killed", build=broken),
    )


def whole(theatre: Theatre) -> tuple[Part, ...]:
    """Every candidate that this site can be made into, with a living and with a killed runner."""
    return tuple(
        Part(candidate=each, runner=runner, build=f"{each.name}-{runner}")
        for each in CANDIDATES
        if theatre.sources.can_be_called or not each.calls
        for runner in ("alive", "killed")
    )


class Drill:
    """Plays parts one after another; what visitors measured in one serves the next."""

    def __init__(self, theatre: Theatre, story: Story) -> None:
        self._theatre = theatre
        self._story = story
        self._usual = USUAL

    def play(self, part: Part) -> Rolled:
        """Plays one part as a step; raises JamError where it went otherwise than expected."""
        tally = Tally()
        with self._story.step(f"{part.candidate.name}, runner {part.runner}") as said:
            rolled = roll(self._theatre, part, tally, usual=self._usual)
            self._story.rollouts.append(asdict(rolled))
            said.append(told(rolled, tally))
            if wrong := trouble(rolled, tally):
                raise failed(wrong)
        if tally.calls and not part.candidate.signal:
            self._usual = median(tally.calls)
        return rolled

    def plant(self, other: str) -> None:
        """Proves the counter of mixed pages: a page that is made to ask for another release."""
        with self._story.step("a planted mix is counted") as said:
            tally = planted(self._theatre, other)
            said.append(f"{tally.mixed} of {tally.views} pages mixed: {'; '.join(tally.examples)}")
            if tally.mixed != 1:
                raise failed(f"the planted mix was counted {tally.mixed} times, not once")


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
