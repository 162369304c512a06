"""The embedded cloud: its parts put together, started and stopped.

One cloud a process: moto's state belongs to the process.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from runner.execution.issuers import over_https
from runner.local import admin, protocol, state
from runner.local.clock import Clock
from runner.local.cloudfront import CloudFront
from runner.local.cloudwatch import CloudWatch
from runner.local.codedeploy import CodeDeploy
from runner.local.cognito import CognitoHost, CognitoLayer
from runner.local.compute import Compute
from runner.local.domains import Domains
from runner.local.dynamodb_layer import DynamoDbLayer
from runner.local.events import Events
from runner.local.faults import Faults
from runner.local.function_rights import FunctionRights
from runner.local.iam_layer import IamLayer
from runner.local.identity import Identity
from runner.local.ids import Ids
from runner.local.journal import Journal
from runner.local.moto_side import Moto
from runner.local.overlay import Overlay
from runner.local.permissions import Permissions
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.quotas import Limiter
from runner.local.rights.gate import RoleRights, tags_of
from runner.local.s3.host import S3Host, path_style
from runner.local.s3.layer import S3Layer
from runner.local.scheduler import Scheduler
from runner.local.server import Server
from runner.local.simulation import Simulation
from runner.local.sqs_layer import SqsLayer
from runner.local.ssm_layer import SsmLayer
from runner.local.stack_layer import StackLayer
from runner.local.wire import Host, Request, Response, Service


class Part(Protocol):
    """What a neighbour brings: made with the cloud as its only argument."""

    @property
    def services(self) -> Sequence[Service]: ...

    @property
    def hosts(self) -> Sequence[Host]: ...

    def stop(self) -> None:
        """End the processes and threads that it started."""


class Cloud:
    """An AWS account in this process, on one port of the loopback interface.

    `speed` cloud seconds pass in one of ours; `state` is the folder that survives a restart.
    Parts use `clock` (and its `timers`), `ids`, `account`, `identity`, `limiter`,
    `moto(service, region)`, `events.emit(...)`, `send(request)`, `role_ready(arn)` and, once
    started, `endpoint`.
    """

    def __init__(self, *, speed: float = 1.0, port: int = 0, state: Path | None = None) -> None:
        self.account = ACCOUNT
        self.endpoint = ""
        self.clock = Clock(speed)
        self.ids = Ids()
        self.faults = Faults()
        self.journal = Journal()
        self.limiter = Limiter(self.clock)
        self._moto = Moto(self.clock.now)
        self._moto.reset()
        self.identity = Identity(
            clock=self.clock, ids=self.ids, account=ACCOUNT, roles=lambda: self.moto("iam")
        )
        self.permissions = Permissions(self.identity.principal)
        self.cloudwatch = CloudWatch(self)
        self.cloudfront = CloudFront(self)
        self.domains = Domains(self)
        self.compute = Compute(self)
        self.events = Events(self)
        self.scheduler = Scheduler(self)
        self.codedeploy = CodeDeploy(self)
        self.parts: tuple[Part, ...] = (
            self.cloudwatch, self.cloudfront, self.domains, self.compute, self.events,
            self.scheduler, self.codedeploy,
        )  # fmt: skip
        self.rights = RoleRights(
            role=self.identity.assumed_role,
            roles=self.compute.roles,
            tags=lambda arn: tags_of(self.services, arn),
            deployments=self.codedeploy.rights.asked,
        )
        self.overlay = self._overlay()
        self._pools = CognitoHost(self._user_pools, self.overlay.forward)
        parts = (host for part in self.parts for host in part.hosts)
        self.hosts: tuple[Host, ...] = (*parts, self._pools, self._s3())
        self._server = Server(self.handle, port)
        self._recording = _replayed(self, state) if state else None

    def _overlay(self) -> Overlay:
        return Overlay(
            moto=self._moto,
            clock=self.clock,
            ids=self.ids,
            services=(
                self.identity,
                Simulation(self.permissions.denied, self.compute.roles),
                *(s for part in self.parts for s in part.services),
            ),
            layers=(
                S3Layer(self._bucket, self.identity.principal, ACCOUNT, may=self.rights.may),
                IamLayer(lambda: self.moto("iam")),
                DynamoDbLayer(self.clock),
                SsmLayer(),
                self.events.layer,
                SqsLayer(
                    self.clock,
                    lambda: self.compute.metrics,
                    backend=lambda region: self.moto("sqs", region),
                    lock=lambda: self.overlay.lock,
                ),
                CognitoLayer(self.clock.now),
                StackLayer(lambda region: self.moto("cloudformation", region)),
            ),
            gates=(
                self.identity.check,
                self.permissions.check,
                FunctionRights(
                    self.identity.function_role,
                    self.compute.roles.allows,
                    {"codedeploy": self.codedeploy.rights.asked},
                ).check,
                self.rights.check,
                self._within_rates,
            ),
            faults=self.faults,
            journal=self.journal,
            record=self._record,
        )

    def _s3(self) -> S3Host:
        return S3Host(bucket=self._bucket, control=self.overlay, forward=self.overlay.forward)

    @property
    def services(self) -> Sequence[Service]:
        return self.overlay.services

    def start(self) -> Self:
        self._server.start()
        self.endpoint = f"http://127.0.0.1:{self._server.port}"
        return self

    def stop(self) -> None:
        self.clock.timers.stop()
        self._server.stop()
        for part in self.parts:
            part.stop()
        if self._recording:
            self._recording.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()

    def moto(self, service: str, region: str = protocol.DEFAULT_REGION) -> Any:
        """moto's backend of a service; for services without a region any will do."""
        return self._moto.backend(service, region)

    def role_ready(self, arn: str, service: str = "") -> bool:
        """Whether `service` can assume the role by now: it exists, trusts it, is old enough."""
        return self.identity.ready(arn, service)

    def deny(self, action: str, *, principal: str = "*") -> None:
        """From now on `action` (`s3:CreateBucket`, `lambda:*`) is refused to `principal`."""
        self.permissions.deny(action, principal=principal)

    def handle(self, request: Request) -> Response:
        """What the port does: data plane by host, else control plane."""
        owner = self.owner(request.host)
        if owner:
            host, name = owner
            return host.handle(_renamed(request, name))
        if request.path.startswith(admin.PREFIX):
            return admin.answer(self, request)
        if request.path == "/moto-api/reset":
            self.reset()
            return Response(status=200, headers=(("content-type", "application/json"),), body=b"{}")
        return self._control(request)

    def _control(self, request: Request) -> Response:
        if not request.host.endswith(".localhost"):
            return self.overlay(request)
        caller = protocol.caller_of(request)
        if not caller.access_key:
            return _nowhere(request.host)
        # boto3 puts the bucket before a host name, the KeyValueStore's client the account.
        return self.overlay(path_style(request) if caller.service == "s3" else request)

    def send(self, request: Request) -> Response:
        """Hands a data-plane request to the owner of its host; 502 if nobody has it."""
        owner = self.owner(request.host)
        if owner is None:
            return dataclasses.replace(_nowhere(request.host), status=502)
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
        label, _, rest = name.partition(".")
        if rest == "localhost":
            for host in self.hosts:
                yield from (real for real in host.names() if real.partition(".")[0] == label)
            for host in self.hosts:
                yield from (f"{label}{real[1:]}" for real in host.names() if real[:2] == "*.")

    def reset(self) -> None:
        """Back to an empty account with no history; the clock goes on."""
        with self.overlay.lock:
            self.clock.timers.clear()
            self._moto.reset()
            for service in self.overlay.services:
                service.reset()
            for layer in self.overlay.layers:
                layer.reset()
            self.limiter.reset()
            for listed in (self.journal, self.faults, self.permissions):
                listed.clear()
            if self._recording:
                self._recording.clear()

    def published(self, address: str) -> bytes:
        """What lies under an https address: of this account's user pools, else out there."""
        parts = urlsplit(address)
        if not self._pools.has(parts.netloc, parts.path):
            return over_https(address)
        return self._pools.handle(Request(method="GET", host=parts.netloc, path=parts.path)).body

    def _user_pools(self, region: str) -> Iterable[str]:
        return list(self.moto("cognito-idp", region).user_pools)

    def _bucket(self, name: str) -> Any:
        return self.moto("s3").buckets.get(name)

    def _within_rates(self, incoming: Incoming) -> None:
        self.limiter.check(incoming.service, incoming.operation)

    def _record(self, incoming: Incoming) -> None:
        if self._recording:
            self._recording.append(incoming, number=self.overlay.calls, at=self.clock.now())


def _replayed(cloud: Cloud, folder: Path) -> state.Recording:
    recording = state.Recording(folder)
    cloud.clock.timers.live = False
    state.replay(recording, overlay=cloud.overlay, clock=cloud.clock, wall=time.time())
    cloud.clock.timers.live = True
    return recording


def _renamed(request: Request, host: str) -> Request:
    headers = tuple((k, host if k == "host" else v) for k, v in request.headers)
    return dataclasses.replace(request, host=host, headers=headers)


def _nowhere(host: str) -> Response:
    body = f"The embedded cloud serves nothing under {host}.\n".encode()
    return Response(status=404, headers=(("content-type", "text/plain"),), body=body)
