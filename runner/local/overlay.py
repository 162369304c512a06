"""The control plane: each AWS request goes to an operation of ours, else to moto, else it is a 501.

In order: faults, credentials, permission, rates; then, under one lock, the service's rules, the
operation and the recording of what it changed. The lock makes conditional writes atomic; moto has
none of its own.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moto.core.exceptions import ServiceException

from runner.local import protocol
from runner.local.clock import Clock
from runner.local.fault_answers import changed
from runner.local.faults import ConnectionLost, Fault, Faults
from runner.local.ids import Ids
from runner.local.journal import Journal, scalars, writes
from runner.local.moto_side import Moto, missing
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Operation, Request, Response, Service

LOG = logging.getLogger("runner.local")

_XML_CODE = re.compile(rb"<Code>([^<]+)</Code>")

Forward = Callable[[Incoming], Response]
Gate = Callable[[Incoming], None]
"""Refuses a call by raising AwsError: before the lock is taken, before anything changes."""

Recorder = Callable[[Incoming], None]


class Layer(Protocol):
    """Rules of AWS's around a service that moto (or we) else would not keep."""

    name: str

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        """Checks, then calls `forward`, perhaps with a changed request; may change the answer."""

    def reset(self) -> None:
        """Forget everything."""


@dataclass(kw_only=True)
class Overlay:
    """Answers control-plane requests; `ConnectionLost` means that the client gets a reset."""

    moto: Moto
    clock: Clock
    ids: Ids
    services: Sequence[Service]
    layers: Sequence[Layer] = ()
    gates: Sequence[Gate] = ()
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    record: Recorder = lambda _incoming: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    calls: int = 0

    def __post_init__(self) -> None:
        self._ours: dict[tuple[str, str], Operation] = {
            (service.name, name): operation
            for service in self.services
            for name, operation in service.operations().items()
        }
        self._free = {(each.name, name) for each in self.services for name in each.unlocked()}
        self._layers = {layer.name: layer for layer in self.layers}

    def __call__(self, request: Request) -> Response:
        return self.answer(protocol.incoming(request))

    def answer(self, incoming: Incoming) -> Response:
        struck = self.faults.draw(incoming.service, incoming.operation, by=incoming.by)
        try:
            response = self._with_faults(incoming, struck)
        except ConnectionLost:
            self._note(incoming, status=0, error="ConnectionLost")
            raise
        self._note(incoming, status=response.status, error=_code(response))
        return response

    def _with_faults(self, incoming: Incoming, struck: list[Fault]) -> Response:
        for fault in struck:
            if not fault.shows_after:
                self._strike(fault)
                if fault.kind != "delay":
                    return self._refusal(incoming, fault.error(incoming.service))
        response = self.perform(incoming)
        for fault in struck:
            if fault.shows_after:
                self._strike(fault)
                if fault.kind == "answer":
                    response = changed(response, fault.values)
                elif fault.kind != "delay":
                    return self._refusal(incoming, fault.error(incoming.service))
        return response

    def _strike(self, fault: Fault) -> None:
        if fault.kind == "delay":
            self.clock.sleep(fault.seconds)
        if fault.kind in ("reset", "lost"):
            raise ConnectionLost

    def perform(self, incoming: Incoming) -> Response:
        """The call without faults and journal."""
        return self._guarded(incoming, self._gated)

    def repeat(self, incoming: Incoming, *, number: int) -> Response:
        """A recorded call once more: nothing refuses, counts or records it again."""
        with self.lock:
            self.calls = number
            self._seed()
            return self._guarded(incoming, self._layered)

    def forward(self, request: Request) -> Response:
        """Straight to moto, under the lock: for data planes, which have checked on their own."""
        with self.lock:
            return self.moto.raw(request)

    def _gated(self, incoming: Incoming) -> Response:
        if incoming.by != "service":
            for gate in self.gates:
                gate(incoming)
        with self._held(incoming):
            return self._recorded(incoming)

    def _guarded(self, incoming: Incoming, act: Forward) -> Response:
        try:
            return act(incoming)
        except ServiceException as error:
            return self._refusal(incoming, _own(error))
        except Exception:  # a defect of moto's or ours must reach the client as AWS's 500, and us
            LOG.exception("%s:%s failed", incoming.service, incoming.operation)
            return self._refusal(
                incoming, AwsError("InternalFailure", "the embedded cloud failed", status=500)
            )

    @contextlib.contextmanager
    def _held(self, incoming: Incoming) -> Iterator[None]:
        if (incoming.service, incoming.operation) in self._free:
            yield
            return
        with self.lock:
            yield

    def _recorded(self, incoming: Incoming) -> Response:
        changes = incoming.recorded and writes(incoming.operation)
        if changes:
            self.calls += 1
            self._seed()
        response = self._layered(incoming)
        if changes and response.status < 400:
            self.record(incoming)
        return response

    def _seed(self) -> None:
        self.ids.seed(self.calls)
        self.moto.seed(self.ids.base + self.calls)

    def _layered(self, incoming: Incoming) -> Response:
        layer = self._layers.get(incoming.service)
        return layer.around(incoming, self._reached) if layer else self._reached(incoming)

    def _reached(self, incoming: Incoming) -> Response:
        operation = self._ours.get((incoming.service, incoming.operation))
        if operation:
            return protocol.answer(incoming, operation(incoming.parameters, incoming.call))
        if not incoming.operation:
            raise missing(incoming)
        return self.moto.answer(incoming)

    def _refusal(self, incoming: Incoming, error: AwsError) -> Response:
        return protocol.answer(incoming, error)

    def _note(self, incoming: Incoming, *, status: int, error: str) -> None:
        self.journal.add(
            at=self.clock.now(),
            service=incoming.service,
            operation=incoming.operation,
            region=incoming.caller.region,
            access_key=incoming.caller.access_key,
            status=status,
            error=error,
            parameters=_parameters(incoming),
        )


def _parameters(incoming: Incoming) -> dict[str, str]:
    # S3's bodies are the site's files: their labels are enough, and parsing them would cost.
    if incoming.service == "s3" and incoming.matched:
        return scalars(incoming.matched[1])
    try:
        return scalars(incoming.parameters)
    except AwsError:
        return {}


def _code(response: Response) -> str:
    """The error's code: JSON services have it in a header, XML ones in the body."""
    if response.status < 400:
        return ""
    found = _XML_CODE.search(response.body)
    return found[1].decode() if found else response.header("x-amzn-errortype")


def _own(error: ServiceException) -> AwsError:
    if isinstance(error, AwsError):
        return error
    return AwsError(error.code, error.message)
