"""The embedded cloud: its parts put together, started and stopped.

One cloud a process: moto's state belongs to the process.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from runner.local.clock import Clock
from runner.local.faults import Faults
from runner.local.ids import Ids
from runner.local.journal import Journal
from runner.local.moto_side import Moto
from runner.local.overlay import Overlay
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.quotas import Limiter
from runner.local.server import Server
from runner.local.wire import Host, Request, Response, Service


class Part(Protocol):
    """What a neighbour brings: made with the cloud as its only argument."""

    services: Sequence[Service]
    hosts: Sequence[Host]

    def stop(self) -> None:
        """End the processes and threads that it started."""


class Cloud:
    """An AWS account in this process, on one port of the loopback interface.

    `speed` cloud seconds pass in one of ours; `state` is the folder that survives a restart.
    Parts use: `clock`, `ids`, `account`, `moto(service, region)`, `send(request)`, `limiter`,
    `endpoint` (None before `start`), `role_ready(arn)`.
    """

    def __init__(self, *, speed: float = 1.0, port: int = 0, state: Path | None = None) -> None:
        self.account = ACCOUNT
        self.clock = Clock(speed)
        self.ids = Ids()
        self.faults = Faults()
        self.journal = Journal()
        self.limiter = Limiter(self.clock)
        self._moto = Moto(self.clock.now)
        self._moto.reset()
        self.parts = tuple(_parts(self))
        self.services: tuple[Service, ...] = tuple(s for part in self.parts for s in part.services)
        self.hosts: tuple[Host, ...] = tuple(host for part in self.parts for host in part.hosts)
        self.overlay = Overlay(
            moto=self._moto,
            clock=self.clock,
            ids=self.ids,
            services=self.services,
            gates=(self._within_rates,),
            faults=self.faults,
            journal=self.journal,
        )
        self._server = Server(self.handle, port)
        self.endpoint = ""

    def start(self) -> Self:
        self._server.start()
        self.endpoint = f"http://127.0.0.1:{self._server.port}"
        return self

    def stop(self) -> None:
        self._server.stop()
        for part in self.parts:
            part.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()

    def moto(self, service: str, region: str = "us-east-1") -> Any:
        """moto's backend of a service; for services without a region any will do."""
        return self._moto.backend(service, region)

    def role_ready(self, _arn: str) -> bool:
        """Whether services can assume the role by now."""
        return True

    def handle(self, request: Request) -> Response:
        """What the port does: data plane by host, else control plane."""
        owner = self.owner(request.host)
        if owner:
            host, name = owner
            return host.handle(_renamed(request, name))
        if request.path == "/moto-api/reset":
            self.reset()
            return Response(status=200, headers=(("content-type", "application/json"),), body=b"{}")
        return self.overlay(request)

    def send(self, request: Request) -> Response:
        """Hands a data-plane request to the owner of its host; 502 if nobody has it."""
        owner = self.owner(request.host)
        if owner is None:
            return Response(status=502, body=b"no such host in the embedded cloud")
        return owner[0].handle(request)

    def owner(self, name: str) -> tuple[Host, str] | None:
        """The host's owner and real name; `<first-label>.localhost` stands for the real one."""
        for candidate in self._candidates(name):
            for host in self.hosts:
                if host.owns(candidate):
                    return host, candidate
        return None

    def _candidates(self, name: str) -> Iterator[str]:
        yield name
        if name.endswith(".localhost"):
            label = name.removesuffix(".localhost")
            for host in self.hosts:
                yield from (real for real in host.names() if real.split(".")[0] == label)

    def reset(self) -> None:
        """Back to an empty account; the clock goes on."""
        self._moto.reset()
        for service in self.services:
            service.reset()
        self.limiter.reset()
        self.journal.clear()
        self.faults.clear()

    def _within_rates(self, incoming: Incoming) -> None:
        self.limiter.check(incoming.service, incoming.operation)


def _renamed(request: Request, host: str) -> Request:
    if request.host == host:
        return request
    headers = tuple((k, host if k == "host" else v) for k, v in request.headers)
    return Request(
        method=request.method, host=host, path=request.path, query=request.query,
        headers=headers, body=request.body, client=request.client, scheme=request.scheme,
    )  # fmt: skip


def _parts(cloud: Cloud) -> Iterator[Part]:
    for module, name in (
        ("runner.local.cloudfront", "CloudFront"),
        ("runner.local.compute", "Compute"),
    ):
        if importlib.util.find_spec(module):
            found = getattr(importlib.import_module(module), name, None)
            if found:
                yield found(cloud)
