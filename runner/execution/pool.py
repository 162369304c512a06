"""Execution environments as Lambda keeps them: a warm one if there is one, else a cold start.

Several events at once get several environments. Idle ones end after a while, all on `close`.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

from runner.execution.environment import Environment
from runner.execution.interpreters import Interpreters
from runner.execution.program import Event, Line, Listener, Now, Outcome, Program, Sink
from runner.execution.variables import variables

_KEEPER_SECONDS = 0.1  # between two looks at the memory of those that run
_START_SECONDS = 5  # in which a process that is being started has a number
Extra = Callable[[Program], dict[str, str]]


def _silent(_program: Program, _stream: str, _lines: tuple[Line, ...]) -> None:
    pass


class PoolClosedError(RuntimeError):
    """Nothing is run any more."""


class Pool:
    """`extra` gives a program the credentials and the endpoint of whoever runs it.

    At most `limit` environments live at once, busy or idle: a bound of this machine, not of AWS's.
    An event beyond it waits. Idle ones end after `idle` seconds; none takes events when it is older
    than `lifetime` seconds, because its credentials are.
    """

    def __init__(
        self,
        interpreters: Interpreters,
        *,
        now: Now,
        extra: Extra = lambda _program: {},
        sink: Sink = _silent,
        limit: int = 64,
        idle: float = 300,
        lifetime: float = math.inf,
    ) -> None:
        self._interpreters = interpreters
        self._now = now
        self._extra = extra
        self._sink = sink
        self._limit = limit
        self._idle_seconds = idle
        self._lifetime = lifetime
        self._idle: dict[str, list[Environment]] = defaultdict(list)
        self._busy: set[Environment] = set()
        self._starting = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # callers for whom there is no environment yet
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None

    def invoke(self, program: Program, event: Event, listener: Listener | None = None) -> Outcome:
        """Runs one event to its end, in the caller's thread. PoolClosedError after `close`.

        `listener` hears a streamed answer as it is made, in this thread.
        """
        environment = self._acquire(program)
        while not environment.answers():
            self._release(environment)
            environment = self._acquire(program)
        try:
            return environment.invoke(event, listener)
        finally:
            self._release(environment)

    def count(self, identity: str) -> int:
        """How many environments of a program there are, busy or idle."""
        with self._lock:
            busy = sum(each.program.identity == identity for each in self._busy)
            return busy + len(self._idle.get(identity, ()))

    def retire(self, keep: Callable[[Program], bool]) -> None:
        """Ends the idle environments of all programs that `keep` does not keep."""
        with self._lock:
            gone = [each for group in self._idle.values() for each in group
                    if not keep(each.program)]  # fmt: skip
            self._forget(gone)
        for environment in gone:
            environment.close()

    def close(self) -> None:
        """Ends every environment, also the busy ones: their callers get an exit error."""
        self._closed.set()
        self.retire(lambda _program: False)
        with self._lock:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._starting == 0, _START_SECONDS)
            busy = list(self._busy)
        for environment in busy:
            environment.close()
        if self._keeper:
            self._keeper.join(timeout=5)

    def _acquire(self, program: Program) -> Environment:
        surplus: Environment | None = None
        with self._lock:
            while True:
                if self._closed.is_set():
                    raise PoolClosedError
                found = self._warm(program.identity)
                if found:
                    return found
                if self._alive() < self._limit:
                    break
                surplus = self._oldest_idle()
                if surplus:
                    break
                self._waiting += 1
                self._changed.wait()
                self._waiting -= 1
            self._starting += 1
        if surplus:
            surplus.close()
        return self._start(program)

    def _warm(self, identity: str) -> Environment | None:
        group = self._idle[identity]
        while group:
            environment = group.pop()  # the last used: the others can grow old and end
            if not environment.dead and self._now() - environment.started < self._lifetime:
                self._busy.add(environment)
                return environment
            threading.Thread(target=environment.close, daemon=True).start()
        return None

    def _alive(self) -> int:
        return self._starting + len(self._busy) + sum(map(len, self._idle.values()))

    def _oldest_idle(self) -> Environment | None:
        idle = [each for group in self._idle.values() for each in group]
        oldest = min(idle, key=lambda each: each.idle_since, default=None)
        if oldest:
            self._forget([oldest])
        return oldest

    def _forget(self, gone: list[Environment]) -> None:
        for environment in gone:
            self._idle[environment.program.identity].remove(environment)

    def _start(self, program: Program) -> Environment:
        environment = None
        try:
            environment = self._made(program)
            return environment
        finally:
            with self._lock:
                self._starting -= 1
                self._changed.notify_all()
                if environment:
                    self._busy.add(environment)
                if self._keeper is None:
                    self._keeper = threading.Thread(target=self._keep, daemon=True)
                    self._keeper.start()

    def _made(self, program: Program) -> Environment:
        moment = datetime.fromtimestamp(self._now(), UTC)
        stream = f"{moment:%Y/%m/%d}/[{program.version}]{uuid.uuid4().hex}"

        def of(runtime_api: str) -> dict[str, str]:
            return variables(
                program,
                stream,
                runtime_api=runtime_api,
                runtime_dir=self._interpreters.runtime_dir,
                extra=self._extra(program),
            )

        return Environment(
            program,
            self._interpreters.choose(program.runtime, program.memory),
            stream=stream,
            variables=of,
            sink=self._sink,
            now=self._now,
        )

    def _release(self, environment: Environment) -> None:
        gone = environment.dead or self._closed.is_set()
        with self._lock:
            self._busy.discard(environment)
            if not gone:
                self._idle[environment.program.identity].append(environment)
            if self._waiting:
                self._changed.notify()
        if gone:
            environment.close()

    def _keep(self) -> None:
        while not self._closed.wait(_KEEPER_SECONDS):
            with self._lock:
                busy = list(self._busy)
            for environment in busy:
                environment.outgrown()
            old = self._now() - self._idle_seconds
            self._end_older(old)

    def _end_older(self, moment: float) -> None:
        with self._lock:
            old = [each for group in self._idle.values() for each in group
                   if each.idle_since < moment or each.dead]  # fmt: skip
            self._forget(old)
        for environment in old:
            environment.close()
