"""Runs invocations: picks the version, keeps to concurrency and payload limits.

Sources: Lambda developer guide, "Understanding Lambda function invocation methods", "Lambda
quotas".
"""

from __future__ import annotations

import base64
import json
import random
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.execution.pool import Pool
from runner.execution.program import Event, Listener, Outcome, Program
from runner.local.clock import Clock
from runner.local.compute.desk import Desk
from runner.local.compute.functions import settled
from runner.local.compute.queue import Measure, Queue
from runner.local.compute.records import Waiting
from runner.local.compute.reference import absent
from runner.local.compute.store import LATEST, Function, Version
from runner.local.quotas import MB, PAYLOAD
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_ASYNC_LIMIT = 1 * MB  # Source: "Lambda quotas", "Invocation payload", asynchronous
_TAIL = 4096  # bytes of log that an answer carries
_KEPT = 10_000
_RUNNABLE = ("nodejs", "python3.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run, for whoever counts them. `error` is empty if it was well; `at` in cloud seconds."""

    function: str
    region: str
    qualifier: str
    version: str
    at: float
    seconds: float
    error: str
    cold: bool
    throttled: bool = False
    concurrent: int = 1  # runs in the region when this one began, itself among them
    of_function: int = 1  # those of the function


OnInvocation = Callable[[Invocation], None]


class Invoker:
    """`on_invocation` and `on_event` are lists of those to be told, of runs and of what happens to
    asynchronous events; `invocations` has the last 10,000.
    """

    def __init__(
        self, desk: Desk, pool: Pool, *, draw: Callable[[], float] = random.random
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._draw = draw
        self._running: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.invocations: deque[Invocation] = deque(maxlen=_KEPT)
        self.on_invocation: list[OnInvocation] = []
        self.on_event: list[Measure] = []
        self.queue = Queue(desk, run=self.run, pick=self.pick, measure=self._measure)

    def operations(self) -> Mapping[str, Operation]:
        return {"Invoke": self.invoke}

    def invoke(self, parameters: Parameters, call: Call) -> Result:
        """The operation Invoke."""
        function, wanted = self._desk.find(parameters, call)
        version = self.pick(function, wanted.qualifier)
        payload = _payload(parameters)
        kind = parameters.get("InvocationType") or "RequestResponse"
        limit = _ASYNC_LIMIT if kind == "Event" else PAYLOAD.limit
        if len(payload) > limit:
            raise _too_large(payload, kind, limit)
        if kind == "DryRun":
            return {"StatusCode": 204}
        context = _client_context(parameters.get("ClientContext") or "")
        answer: Result
        if kind == "Event":
            run = self.queue.accept(function, wanted.qualifier, payload, context=context)
            # Known to the caller as to the function, which has it from its context.
            answer = {"StatusCode": 202, "ResponseMetadata": {"RequestId": run}}
            return answer | {"ExecutedVersion": version.number}
        outcome = self.run(function, wanted.qualifier, payload, version=version, context=context)
        answer = {
            "StatusCode": 200,
            "ExecutedVersion": version.number,
            "Payload": outcome.payload,
        }
        if outcome.error:
            answer["FunctionError"] = "Unhandled"
        if parameters.get("LogType") == "Tail":
            answer["LogResult"] = _tail(outcome)
        return answer

    def pick(self, function: Function, qualifier: str) -> Version:
        """The version that runs: an alias draws by its weights, anew for every invocation."""
        alias = function.aliases.get(qualifier)
        number = alias.version if alias else qualifier or LATEST
        if alias:
            drawn = self._draw()
            for other, weight in alias.weights.items():
                if drawn < weight:
                    number = other
                drawn -= weight
        found = function.version(number)
        if found is None:
            raise absent(f"Function not found: {function.qualified(qualifier)}")
        # While an update is in progress the code before it goes on answering.
        now = self._desk.clock.now()
        if now < found.ready_at and found.before is not None:
            return found.before
        settled(function, found, now)
        return found

    def run(
        self,
        function: Function,
        qualifier: str,
        payload: bytes,
        *,
        version: Version | None = None,
        trace_id: str = "",
        context: str = "",
        request_id: str = "",
        listener: Listener | None = None,
    ) -> Outcome:
        """Runs one event and records it. Raises TooManyRequestsException if it may not run.

        `listener` hears a streamed answer as it is made, in this thread.
        """
        chosen = version or self.pick(function, qualifier)
        program = program_of(function, chosen)
        event = Event(
            payload=payload,
            request_id=request_id or str(uuid.uuid4()),
            arn=function.qualified(qualifier),
            trace_id=trace_id or _trace(self._desk.clock),
            client_context=context,
        )
        at = self._desk.clock.now()
        key = (function.region, function.name)
        running = self._admit(function, qualifier, chosen, at)
        try:
            outcome = _limited(self._pool.invoke(program, event, listener))
        finally:
            with self._lock:
                self._running[key] -= 1
        self._tell(function, qualifier, chosen, at=at, outcome=outcome, running=running)
        return outcome

    def _measure(self, metric: str, event: Waiting, value: float) -> None:
        for listener in self.on_event:
            listener(metric, event, value)

    def _admit(
        self, function: Function, qualifier: str, version: Version, at: float
    ) -> tuple[int, int]:
        """How many run now, in the region and of the function."""
        key = (function.region, function.name)
        with self._lock:
            if function.reserved is None or self._running[key] < function.reserved:
                self._running[key] += 1
                here = (n for (where, _), n in self._running.items() if where == function.region)
                return sum(here), self._running[key]
        self._tell(function, qualifier, version, at=at, outcome=None)
        raise AwsError(
            "TooManyRequestsException",
            "Rate Exceeded.",
            status=429,
            Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
            Type="User",
        )

    def _tell(
        self,
        function: Function,
        qualifier: str,
        version: Version,
        *,
        at: float,
        outcome: Outcome | None,
        running: tuple[int, int] = (0, 0),
    ) -> None:
        told = Invocation(
            function=function.name,
            region=function.region,
            qualifier=qualifier,
            version=version.number,
            at=at,
            seconds=outcome.seconds if outcome else 0,
            error=outcome.error if outcome else "",
            cold=bool(outcome and outcome.init is not None),
            throttled=outcome is None,
            concurrent=running[0],
            of_function=running[1],
        )
        self.invocations.append(told)
        for listener in self.on_invocation:
            listener(told)


def program_of(function: Function, version: Version) -> Program:
    """What runs for a version; the same identity as long as code and configuration are the same."""
    settings = version.settings
    if not settings["Runtime"].startswith(_RUNNABLE):
        raise AwsError("NotImplemented", f"{settings['Runtime']} is not emulated.", status=501)
    variables: dict[str, str] = settings.get("Environment", {}).get("Variables", {})
    return Program(
        identity=f"{function.arn}:{version.number}@{version.modified!r}",
        name=function.name,
        version=version.number,
        runtime=settings["Runtime"],
        handler=settings["Handler"],
        folder=version.code.folder,
        memory=settings["MemorySize"],
        timeout=settings["Timeout"],
        region=function.region,
        log_group=settings["LoggingConfig"]["LogGroup"],
        log_format=settings["LoggingConfig"]["LogFormat"],
        environment=tuple(variables.items()),
        role=settings["Role"],
    )


def _too_large(payload: bytes, kind: str, limit: int) -> AwsError:
    """Source: Lambda API reference, Invoke, for the status. It calls the error
    RequestTooLargeException; the answers that users of the SDKs show are named otherwise.
    """
    if kind == "Event":
        size = len(payload)
        message = f"{size} byte payload is too large for the Event invocation type (limit {limit} "
        message += "bytes)"
    else:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
    return AwsError("RequestEntityTooLargeException", message, status=413, Type="User")


def _payload(parameters: Parameters) -> bytes:
    """An absent payload is an empty object; anything else must be JSON."""
    raw: Any = parameters.get("Payload") or b"{}"
    payload = raw.read() if hasattr(raw, "read") else raw
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    try:
        json.loads(payload)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: {error}",
            Type="User",
        ) from None
    return payload


def _client_context(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode()
    except ValueError:
        raise AwsError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON"
        ) from None


def _limited(outcome: Outcome) -> Outcome:
    if len(outcome.payload) <= PAYLOAD.limit:
        return outcome
    error = "Function.ResponseSizeTooLarge"
    message = (
        f"Response payload size exceeded maximum allowed payload size ({PAYLOAD.limit} bytes)."
    )
    payload = json.dumps({"errorType": error, "errorMessage": message}).encode()
    return Outcome(
        payload=payload, error=error, log=outcome.log, seconds=outcome.seconds,
        init=outcome.init, memory=outcome.memory,
    )  # fmt: skip


def _tail(outcome: Outcome) -> str:
    text = "".join(f"{line.text}\n" for line in outcome.log).encode()
    return base64.b64encode(text[-_TAIL:]).decode()


def _trace(clock: Clock) -> str:
    """Source: X-Ray developer guide, "Tracing header"."""
    root = f"1-{int(clock.now()):08x}-{uuid.uuid4().hex[:24]}"
    return f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled=0"
