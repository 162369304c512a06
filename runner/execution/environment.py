"""One execution environment: one process behind its own Runtime API, one event at a time."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from runner.execution import lines
from runner.execution.interpreters import Interpreter
from runner.execution.process import Process
from runner.execution.program import Event, Line, Listener, Now, Outcome, Program, Sink
from runner.execution.runtime_api import RuntimeApi, Said

# Source: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
_INIT_SECONDS = 10
# A runtime that posted its answer comes back at once; more means that it hangs.
_BACK_SECONDS = 5
_MEASURED_SECONDS = 0.25  # the system keeps the peak: a look that is left out loses none
# Source: Lambda developer guide, "Response streaming for Lambda functions".
_LARGEST_STREAM = 200 * 1024 * 1024
_TOO_LARGE = "Function.ResponseSizeTooLarge"
_TOO_LARGE_MESSAGE = (
    f"Response payload size exceeded maximum allowed payload size ({_LARGEST_STREAM} bytes)."
)

Variables = Callable[[str], dict[str, str]]


@dataclass
class _Record:
    """The lines of one invocation, which go to the sink as they come."""

    tell: Callable[[tuple[Line, ...]], None]
    now: Now
    kept: list[Line] = field(default_factory=list)

    def add(self, *texts: str) -> None:
        at = self.now()
        lines = tuple([Line(at, text) for text in texts])
        self.kept += lines
        self.tell(lines)


@dataclass
class _Whole:
    """Collects a streamed answer for a caller who takes it in one piece."""

    content_type: str = ""
    parts: list[bytes] = field(default_factory=list)

    def began(self, content_type: str) -> None:
        self.content_type = content_type

    def part(self, data: bytes) -> None:
        self.parts.append(data)

    def of(self, said: Said) -> Said:
        """What was said at the end, with what was collected until then."""
        if said.kind != "response" or not self.content_type:
            return said
        return replace(said, body=b"".join(self.parts), content_type=self.content_type)


class Environment:
    """`started` and `idle_since` (when it last had nothing to do) are times; `dead` says that it
    takes no more events.
    """

    def __init__(
        self,
        program: Program,
        interpreter: Interpreter,
        *,
        stream: str,
        variables: Variables,
        sink: Sink,
        now: Now,
    ) -> None:
        self.program = program
        self.idle_since = now()
        self.dead = False
        self._interpreter = interpreter
        self._stream = stream
        self._sink = sink
        self._now = now
        self._api = RuntimeApi(now)
        self._record = self._fresh()
        self._killed_for = ""
        self.started = now()
        self._warm = False
        self._peak = 0
        self._measured = 0.0
        self._closing = threading.Lock()
        self._record.add(lines.init_start(program, interpreter))
        self._process = self._started(variables(self._api.address))

    def _started(self, told: dict[str, str]) -> Process:
        with contextlib.ExitStack() as until_it_runs:
            passed: tuple[int, ...] = ()
            if name := self._interpreter.inherits:
                near = until_it_runs.enter_context(self._api.near())
                told, passed = {**told, name: str(near.fileno())}, (near.fileno(),)
            return Process(
                self._interpreter.command,
                folder=self.program.folder,
                environment=told,
                said=self._say,
                ended=self._ended,
                passed=passed,
            )

    def answers(self) -> bool:
        """Whether it can be given an event: a warm one may have ended after its last answer."""
        if not self._warm:
            return True
        said = self._api.hear(_BACK_SECONDS)
        self.dead = self.dead or said is None or said.kind != "ready"
        self._record = self._fresh()
        return not self.dead

    def invoke(self, event: Event, listener: Listener | None = None) -> Outcome:
        """Runs one event, after `answers`; then `dead` says whether it is of use any more.

        A streamed answer goes to `listener` as it is made; without one it is collected.
        """
        init, failed = self._ready()
        begun = self._now()
        if failed is None:
            self._record.add(lines.start(event.request_id, self.program.version))
            said = self._handled(event, begun, listener)
        else:
            said = failed
        seconds = self._now() - begun
        return self._finished(event, said, seconds=seconds, init=init)

    def outgrown(self) -> None:
        """Ends it if it holds more memory than it may; called by the pool's keeper."""
        self._measure(always=True)
        if self._process.own() > self.program.memory:
            self._killed_for = lines.OUT_OF_MEMORY
            self._process.kill()

    def close(self) -> None:
        """Ends process, port and threads. May be called twice."""
        with self._closing:
            self.dead = True
            self._process.kill()
            self._api.close()

    def _measure(self, *, always: bool = False) -> None:
        """Looks at the memory, at most every so often: a look takes a tenth of a millisecond."""
        now = self._now()
        if always or now - self._measured > _MEASURED_SECONDS:
            self._measured = now
            self._peak = max(self._peak, self._process.peak())

    def _fresh(self) -> _Record:
        return _Record(partial(self._sink, self.program, self._stream), self._now)

    def _say(self, text: str) -> None:
        self._record.add(text)

    def _ended(self, status: int) -> None:
        self.dead = True
        self._api.tell(Said(kind="exit", body=str(status).encode()))

    def _ready(self) -> tuple[float | None, Said | None]:
        """Waits for the end of a cold start: (its seconds, what failed); (None, None) when warm."""
        if self._warm:
            return None, None
        said = self._api.hear(_INIT_SECONDS + self.program.timeout)
        self._warm = True
        failed = None if said is not None and said.kind == "ready" else said
        return self._now() - self.started, failed if said else Said(kind="timeout")

    def _handled(self, event: Event, begun: float, listener: Listener | None) -> Said:
        deadline = begun + self.program.timeout
        self._api.offer(event, int(deadline * 1000))
        whole = _Whole()
        hears, size = listener or whole, 0
        while True:
            said = self._api.hear(deadline - self._now())
            if said is None:
                return Said(kind="timeout")
            if said.kind == "exit":
                return said
            if said.request_id != event.request_id:
                continue
            if said.kind == "head":
                hears.began(said.content_type)
            elif said.kind == "part":
                size += len(said.body)
                if size > _LARGEST_STREAM:
                    return Said(kind="too-large")
                hears.part(said.body)
            else:
                return whole.of(said)

    def _finished(self, event: Event, said: Said, *, seconds: float, init: float | None) -> Outcome:
        self._measure()
        payload, error = self._judged(event, said)
        if not self.dead:
            self._process.drain()
        if said.kind == "init-error":
            self._record.add(lines.init_report((init or 0) * 1000, error))
        kept = self.program.memory if error == lines.OUT_OF_MEMORY else self._peak
        self._record.add(
            lines.end(event.request_id),
            lines.report(
                event.request_id,
                seconds=seconds,
                init=init,
                memory=self.program.memory,
                peak=kept,
                error=error,
            ),
        )
        self.idle_since = self._now()
        return Outcome(
            payload=payload,
            error=error,
            log=tuple(self._record.kept),
            seconds=seconds,
            init=init,
            memory=min(kept, self.program.memory),
            content_type=said.content_type,
        )

    def _judged(self, event: Event, said: Said) -> tuple[bytes, str]:
        """The payload and the error's type; ends the process where AWS does."""
        match said.kind:
            case "response":
                return said.body, ""
            case "error":
                return said.body, said.error_type or _type_of(said.body)
            case "init-error":
                self.dead = True
                self._process.kill()
                return said.body, said.error_type or _type_of(said.body)
            case "exit":
                return self._exited(event, int(said.body))
            case "too-large":
                self.dead = True
                self._process.kill()
                return lines.failure(_TOO_LARGE, event.request_id, _TOO_LARGE_MESSAGE), _TOO_LARGE
            case _:
                return self._timed_out(event)

    def _exited(self, event: Event, status: int) -> tuple[bytes, str]:
        message = lines.exit_message(status)
        error = self._killed_for or lines.EXITED
        self._record.add(f"RequestId: {event.request_id} Error: {message}\n{error}")
        # The caller is told of an exit even where memory was the reason; REPORT names that.
        return lines.failure(lines.EXITED, event.request_id, message), error

    def _timed_out(self, event: Event) -> tuple[bytes, str]:
        self.dead = True
        self._process.kill()
        limit = self.program.timeout
        self._record.add(lines.timed_out(self._now(), event.request_id, limit))
        message = f"Task timed out after {limit:.2f} seconds"
        return lines.failure(lines.TIMED_OUT, event.request_id, message), lines.TIMED_OUT


def _type_of(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return "Unknown"
    return str(found.get("errorType") or "Unknown") if isinstance(found, dict) else "Unknown"
