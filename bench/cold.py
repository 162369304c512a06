"""Cold starts of the embedded cloud's functions, Node and Python: `python -m bench.cold`.

Hello world, invoked by Lambda's API at its first time, as a client waits for it: the cloud's own
work, the process, the runtime client, the handler. `warm` is the same call's second time.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.entry import Aim, Entry, Readings
from bench.servers import HELLO, ROOT
from bench.suite import Report, Run, main, progress

OURS = "jam-deploy"
PYTHON = f"python3.{sys.version_info.minor}"
CODE = {
    "nodejs24.x": ("index.js", HELLO),
    PYTHON: ("index.py", "def handler(event, context):\n    return 'hello'\n"),
}
BOUND_MS = {"nodejs24.x": 150, PYTHON: 250}
SPEED = 100  # so that a new role is there soon; nothing that is timed follows the cloud's clock
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }],
}  # fmt: skip


def measure(run: Run) -> Report:
    starts = 2 if run.quick else 10
    readings = Readings()
    for number in range(run.rounds):
        progress(f"cold starts: round {number + 1} of {run.rounds}")
        with cloud(run.scratch / str(number)) as endpoint:
            role = make_role(endpoint)
            for start in range(starts):
                for runtime in CODE:
                    name = f"cold-{runtime.split('.')[0]}-{start}"
                    make_function(endpoint, name, runtime=runtime, role=role)
                    for what in ("cold", "warm"):
                        readings.add(f"{what}, {runtime}", OURS, invoked_ms(endpoint, name))
    warm = {runtime: readings.of(f"warm, {runtime}")[OURS].median for runtime in CODE}
    return Report(
        [
            Entry(
                name=f"embedded cloud, cold start of {runtime}", unit="ms",
                ours=readings.of(f"cold, {runtime}")[OURS], aim=Aim(bound=BOUND_MS[runtime]),
            )
            for runtime in CODE
        ],
        {"starts": starts, "warm_ms": warm},
    )  # fmt: skip


@contextlib.contextmanager
def cloud(state: Path, speed: int = SPEED) -> Iterator[str]:
    """The endpoint of one of our own, ended afterwards."""
    state.mkdir(parents=True)
    command = [sys.executable, "-m", "runner", "cloud", "--port", "0",
               "--state", str(state), "--speed", str(speed)]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["endpoint"]
    finally:
        process.terminate()
        process.wait(30)


def client(endpoint: str, service: str, *, region: str = "eu-west-1") -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, config=config,
        aws_access_key_id="bench", aws_secret_access_key="bench",
    )  # fmt: skip


def make_role(endpoint: str) -> str:
    made = client(endpoint, "iam").create_role(
        RoleName="bench", Path="/jam/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    return str(made["Role"]["Arn"])


def make_function(endpoint: str, name: str, *, runtime: str, role: str) -> None:
    functions = client(endpoint, "lambda")
    file, text = CODE[runtime]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(file, text)
    end = time.monotonic() + 30
    while True:
        try:
            functions.create_function(
                FunctionName=name, Runtime=runtime, Handler="index.handler", Role=role,
                Timeout=30, MemorySize=256, Code={"ZipFile": stream.getvalue()},
                Tags={"jam:site": "bench"},
            )  # fmt: skip
            break
        except functions.exceptions.InvalidParameterValueException:
            # Lambda cannot assume a new role at once.
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    functions.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )


def invoked_ms(endpoint: str, name: str) -> float:
    functions = client(endpoint, "lambda")
    functions.get_function_configuration(FunctionName=name)  # connects
    begun = time.perf_counter()
    answer = functions.invoke(FunctionName=name, Payload=b"{}")
    body = answer["Payload"].read()
    took = (time.perf_counter() - begun) * 1000
    if b"hello" not in body:
        raise RuntimeError(f"{name} answered {body!r}")
    return took


if __name__ == "__main__":
    main(measure, __doc__)
