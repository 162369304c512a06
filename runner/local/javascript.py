"""Runs the code of a CloudFront Function on V8, as runtime cloudfront-js-2.0 would.

One V8 context a function, its code parsed once; every invocation gets fresh module variables and
one snapshot of the store. Raises `EdgeFunctionError`; knows no network, no distribution, no cache.
"""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from py_mini_racer import (
    JSEvalException,
    JSOOMException,
    JSTimeoutException,
    MiniRacer,
    init_mini_racer,
)

from runner.local.edge_rules import EdgeFunctionError, check_result
from runner.local.edge_syntax import prepare

Event = dict[str, Any]
Store = Callable[[], Mapping[str, str]]
Clock = Callable[[], float]

_RUNTIME = tuple(Path(__file__).with_name(name) for name in ("edge_crypto.js", "edge_runtime.js"))
# Microtasks drain inside the call, so that one trip to V8 answers an async handler.
_FLAGS = ("--single-threaded", "--allow-natives-syntax", "--disallow-code-generation-from-strings")
# AWS publishes no time: it speaks of 0 to 100 % "compute utilization", and functions are to end
# in less than a millisecond. A busy machine cannot measure that, so ours only stops what hangs.
# Source: CloudFront developer guide, "Restrictions on CloudFront Functions", Compute utilization.
MAXIMUM_SECONDS = 1.0
UTILIZATION_UNIT = 0.001  # seconds that are shown as 100 %
# A function may use 2 MB. V8 alone needs more, and a store of 5 MB lies in its heap as well, so
# this stops only what grows without end.
# Source: CloudFront developer guide, "Quotas on CloudFront Functions", Maximum function memory.
_HEAP = 64 * 1024 * 1024
# V8 keeps what was evaluated until it collects all of its heap, which it puts off for longer than
# the heap allows: after some 20,000 visits a harmless one was "too large".
_COLLECT_AFTER = 4 * 1024 * 1024  # characters handed in; V8 needs several bytes for each
# Names that V8 has and the runtime has not: parameters without arguments hide them.
# Source: "JavaScript runtime 2.0 features for CloudFront Functions", Restricted features.
_ABSENT = (
    "setTimeout, clearTimeout, setInterval, setImmediate, fetch, WebAssembly, SharedArrayBuffer, "
    "Atomics, Intl, Proxy, WeakRef, FinalizationRegistry, __jam"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one invocation gave.

    `value` is the request or response that was returned; `origin` are the calls of
    `updateRequestOrigin`, `selectRequestOriginById` and `createRequestOriginGroup`, in order, each
    as (method, argument).
    `utilization` is a rough percentage (see `UTILIZATION_UNIT`).
    """

    value: dict[str, Any]
    logs: tuple[str, ...]
    origin: tuple[tuple[str, Any], ...]
    utilization: int


class EdgeFunction:
    """A function's code, ready to run. Threads may share it: invocations take turns.

    `store` gives the associated store's values as this edge location knows them now; None for a
    function without one. `clock` gives the epoch's seconds. Raises EdgeFunctionError for code that
    the runtime would not take.
    """

    def __init__(
        self,
        code: str,
        store: Store | None = None,
        *,
        store_id: str = "",
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._code = (prepare(code), store_id)
        _initialise()
        self._start()

    def run(self, event: Event) -> dict[str, Any]:
        """The request or response that the handler returns."""
        return self.invoke(event).value

    def invoke(self, event: Event) -> Outcome:
        """One invocation, checked by CloudFront's rules for what a function may return."""
        snapshot = None if self._store is None else self._store()
        text = json.dumps(json.dumps(event))
        with self._lock:
            self._learn(snapshot)
            started = time.perf_counter()
            raw = self._evaluate(f"__jam.run({text}, {int(self._clock() * 1000)})")
            elapsed = time.perf_counter() - started
            self._collect()
        return _outcome(event, json.loads(str(raw)), elapsed)

    def invoke_all(self, events: Sequence[Event]) -> list[Outcome | EdgeFunctionError]:
        """One invocation each, of one snapshot of the store, in one trip to V8: for hunts."""
        snapshot = None if self._store is None else self._store()
        texts = json.dumps([json.dumps(event) for event in events])
        now = int(self._clock() * 1000)
        with self._lock:
            self._learn(snapshot)
            started = time.perf_counter()
            raw = self._evaluate(
                f"JSON.stringify({texts}.map((text) => __jam.run(text, {now})))",
                seconds=MAXIMUM_SECONDS * len(events),
            )
            elapsed = time.perf_counter() - started
            self._collect()
        return [
            _outcome_or_error(event, json.loads(text), elapsed / len(events))
            for event, text in zip(events, json.loads(str(raw)), strict=True)
        ]

    def close(self) -> None:
        """Frees V8's memory; the function cannot run any more."""
        with self._lock:
            self._close()

    def _start(self) -> None:
        prepared, store_id = self._code
        self._known: dict[str, str] | None = None
        self._handed_in = 0  # characters since V8 collected last
        self._racer = MiniRacer()
        # At exit, too: V8 waits for Python's lock when the interpreter is half gone, for ever.
        self._close = weakref.finalize(self, MiniRacer.close, self._racer)
        self._racer.set_hard_memory_limit(_HEAP)
        for part in _RUNTIME:
            self._racer.eval(part.read_text(encoding="utf-8"))
        body = f"__jam.make = function (__module, console, {_ABSENT}) {{ 'use strict'; {prepared}\n"
        body += "; return typeof handler === 'function' ? handler : null; }"
        try:
            self._racer.eval(f"{body}; __jam.seal({json.dumps(store_id)}); 0")
        except JSEvalException as error:
            raise EdgeFunctionError.execution(_first_line(error)) from error

    def _learn(self, snapshot: Mapping[str, str] | None) -> None:
        """Hands V8 the snapshot, when it is another one than last time."""
        known = None if snapshot is None else dict(snapshot)
        if known != self._known:
            text = f"__jam.store = {json.dumps(known)}; 0"
            self._handed_in += len(text)
            self._racer.eval(text)
            self._known = known

    def _collect(self) -> None:
        if self._handed_in > _COLLECT_AFTER:
            self._racer.low_memory_notification()
            self._handed_in = 0

    def _evaluate(self, code: str, *, seconds: float = MAXIMUM_SECONDS) -> object:
        self._handed_in += len(code)
        try:
            return self._racer.eval(code, timeout_sec=seconds)
        except JSTimeoutException as error:
            raise EdgeFunctionError.execution("exceeded the maximum compute time") from error
        except JSOOMException as error:
            self._close()
            self._start()  # V8 gives such a context up
            raise EdgeFunctionError.execution("exceeded the maximum memory") from error
        except JSEvalException as error:
            raise EdgeFunctionError.execution(_first_line(error)) from error


@cache
def _initialise() -> None:
    """V8's flags are the process's; whoever started V8 before us did without them."""
    init_mini_racer(flags=_FLAGS, ignore_duplicate_init=True)


def _outcome(event: Event, found: dict[str, Any], elapsed: float) -> Outcome:
    logs = tuple(found["logs"])
    if "error" in found:
        raise EdgeFunctionError.execution(found["error"], logs)
    check_result(event, found["value"], logs)
    return Outcome(
        value=found["value"],
        logs=logs,
        origin=tuple((method, argument) for method, argument in found["origin"]),
        utilization=round(100 * elapsed / UTILIZATION_UNIT),
    )


def _outcome_or_error(
    event: Event, found: dict[str, Any], elapsed: float
) -> Outcome | EdgeFunctionError:
    try:
        return _outcome(event, found, elapsed)
    except EdgeFunctionError as error:
        return error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "Error" in line), lines[0] if lines else "failed")
