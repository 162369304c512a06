"""What falls due at a moment of the cloud's time: each call once, none after a stop or a reset."""

from __future__ import annotations

import contextvars
import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

LOG = logging.getLogger("runner.local")

_FOREVER = 3600.0  # real seconds; whatever changes the queue or the clock wakes the waiter

_era: contextvars.ContextVar[int | None] = contextvars.ContextVar("era", default=None)


class Time(Protocol):
    """What the timers ask the clock."""

    speed: float

    @property
    def running(self) -> bool: ...

    def now(self) -> float: ...


@dataclass(slots=True, order=True)
class Timer:
    """A call put off until `when`, in cloud seconds since the epoch."""

    when: float
    number: int
    call: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Timers:
    """The queue of a clock. While it runs, each call has a thread of its own; while it is moved by
    `Clock.jump`, calls run there, in order, each at its own moment.

    `live` is false while recorded calls are replayed: state may change then, nothing may be sent.
    """

    def __init__(self, time: Time) -> None:
        self.live = True
        self._time = time
        self._queue: list[Timer] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._busy = 0  # calls under way in threads of their own
        self._age = 0  # of the account: what a call from before a reset puts off is dropped

    def at(self, when: float, call: Callable[[], None]) -> Timer:
        """Runs `call` once, as soon as the cloud's time is `when`."""
        with self._changed:
            timer = Timer(when, next(self._numbers), call)
            if self._stopped or _era.get() not in (None, self._age):
                timer.cancel()
                return timer
            heapq.heappush(self._queue, timer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="timers", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return timer

    def clear(self) -> None:
        """Forgets all that is not yet due, and what calls under way still put off."""
        with self._changed:
            self._queue.clear()
            self._age += 1

    def stop(self) -> None:
        """Nothing begins after this."""
        with self._changed:
            self._stopped = True
            self._queue.clear()
            self._changed.notify_all()

    def wake(self) -> None:
        """The clock was moved, or goes on."""
        with self._changed:
            self._changed.notify_all()

    def settle(self, seconds: float) -> bool:
        """Waits until what is due by now has happened, `seconds` of ours at most."""

        def settled() -> bool:
            now = self._time.now()
            waiting = any(each.when <= now and not each.cancelled for each in self._queue)
            return not (self._busy or waiting)

        with self._changed:
            return self._changed.wait_for(settled, seconds)

    def due(self, moment: float) -> Timer | None:
        """Takes the earliest call out that is due by `moment`."""
        with self._changed:
            return self._due(moment)

    def run(self, timer: Timer) -> None:
        """Runs a call here and now. What it breaks is its own, and logged."""
        if timer.cancelled or self._stopped:
            return
        token = _era.set(self._age)
        try:
            timer.call()
        except Exception:  # a thread has no caller to tell, and the calls behind it must run
            LOG.exception("what was put off until %s failed", timer.when)
        finally:
            _era.reset(token)

    def _due(self, moment: float) -> Timer | None:
        while self._queue and self._queue[0].when <= moment:
            timer = heapq.heappop(self._queue)
            if not timer.cancelled:
                return timer
        return None

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                timer = self._due(self._time.now()) if self._time.running else None
                if timer is None:
                    self._changed.wait(self._until_next())
                    continue
                self._busy += 1
            threading.Thread(target=self._aside, args=(timer,), daemon=True).start()

    def _aside(self, timer: Timer) -> None:
        try:
            self.run(timer)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _until_next(self) -> float:
        if not self._queue or not self._time.running:
            return _FOREVER
        left = (self._queue[0].when - self._time.now()) / self._time.speed
        return min(max(left, 0.0005), _FOREVER)
