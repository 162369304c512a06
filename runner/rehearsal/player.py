"""Plays many visitors at once, in the cloud's time: sessions begin evenly, and think meanwhile."""

from __future__ import annotations

import heapq
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

from runner.rehearsal.line import Send
from runner.rehearsal.tally import Tally
from runner.rehearsal.visitor import Visitor

WORKERS = 8  # requests at once; the cloud and its functions have the other core


_LONGEST = 1.0  # seconds that a worker waits without a look


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many sessions begin in a minute of the cloud's, and from which pages."""

    a_minute: float
    starts: tuple[str, ...] = ("/",)
    seed: int = 1


class Player:
    """A crowd that comes as long as the block lasts. `now` gives the cloud's seconds, and `speed`
    of them pass in one of ours.
    """

    def __init__(
        self, send: Send, crowd: Crowd, *, now: Callable[[], float], speed: float, tally: Tally
    ) -> None:
        self._send = send
        self._crowd = crowd
        self._now = now
        self._speed = speed
        self.tally = tally
        self._due: list[tuple[float, int, Iterator[float]]] = []
        self._numbered = 0
        self._turns = count()
        self._changed = threading.Condition()
        self._stopped = False
        self._a_minute = crowd.a_minute
        self._most: float = math.inf
        self._next = now()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Visits that are under way are broken off, as people do."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def end_at(self, sessions: int, *, a_minute: float = 0.0) -> None:
        """From now on nobody begins once so many have, and until then `a_minute` of them, if it is
        given; those who began go on."""
        with self._changed:
            self._most, self._a_minute = sessions, a_minute or self._a_minute
            self._changed.notify_all()

    def _work(self) -> None:
        while (session := self._taken()) is not None:
            pause = next(session, None)
            if pause is not None:
                self._put_off(session, self._now() + pause)

    def _taken(self) -> Iterator[float] | None:
        """The session whose turn it is, a new one or one that has thought; None at the end."""
        with self._changed:
            while not self._stopped:
                now = self._now()
                if self._due and self._due[0][0] <= min(now, self._next):
                    return heapq.heappop(self._due)[2]
                if self._numbered >= self._most:
                    self._next = math.inf
                if self._next <= now:
                    self._next += 60.0 / self._a_minute
                    return self._begun()
                first = min(self._next, self._due[0][0]) if self._due else self._next
                self._changed.wait(min(_LONGEST, max(0.001, (first - now) / self._speed)))
        return None

    def _begun(self) -> Iterator[float]:
        number, self._numbered = self._numbered, self._numbered + 1
        chance = random.Random(f"{self._crowd.seed}/{number}")  # noqa: S311  # a play, no secret
        start = chance.choice(self._crowd.starts)
        visitor = Visitor(send=self._send, tally=self.tally, chance=chance, start=start)
        return visitor.session()

    def _put_off(self, session: Iterator[float], until: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (until, next(self._turns), session))
            self._changed.notify()
