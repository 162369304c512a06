"""The process that tests.warm forks from: it imports what commands need, and does nothing else."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
MESSAGE = 1 << 17  # bytes, as tests.warm has it
# Programs of their own, what runs them, and the clouds.
ELSEWHERE = tuple(
    f"runner.{name}"
    for name in (
        "__main__", "acceptor", "action", "develop", "drill", "edge", "entry", "execution",
        "github", "keeper", "local", "rehearsal", "rehearse",
    )
)  # fmt: skip
# Services whose clients commands make; the last are the clouds' own.
CLIENTS = (
    "acm", "apigatewayv2", "cloudformation", "cloudfront", "cloudfront-keyvaluestore", "cloudwatch",
    "codedeploy", "dynamodb", "events", "iam", "lambda", "logs", "resourcegroupstaggingapi",
    "route53", "s3", "scheduler", "secretsmanager", "sqs", "ssm", "sts",
)  # fmt: skip
BEHIND = (*CLIENTS, "apigateway", "cognito-idp", "dynamodbstreams", "ec2", "kms")


def _commands() -> None:
    """The modules that the commands import when they are asked for, and what boto3 brings."""
    for file in (ROOT / "runner").rglob("*.py"):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith(ELSEWHERE):
            importlib.import_module(name)
    core = importlib.import_module("runner.aws.identity").core()
    for name in CLIENTS:  # what its client will read
        core.create_client(
            name,
            region_name="eu-central-1",
            aws_access_key_id="none",  # nor are any looked for
            aws_secret_access_key="none",
        )
    assert "moto" not in sys.modules, "a user's command has none of it"


def _clouds() -> None:
    """What a cloud imports with the first request to each service, and the service's model."""
    importlib.import_module("runner.local.run")
    backends = importlib.import_module("moto.backends")
    server = importlib.import_module("moto.moto_server.werkzeug_app")
    routing = importlib.import_module("moto.core.routing")
    for name in BEHIND:
        routing.get_service_router(name)
        if name != "cloudfront-keyvaluestore":  # all ours
            backends.get_backend(name)
            server.create_backend_app(name)
    ids = importlib.import_module("moto.moto_api._internal").mock_random
    os.register_at_fork(after_in_child=ids.seed)  # as Python's own generator is


KINDS: dict[str, Callable[[], None]] = {"command": _commands, "cloud": _clouds}


def serve(line: socket.socket) -> None:
    """Forks for each message; returns in the child that is to run a command."""
    while True:
        said, files, _, _ = socket.recv_fds(line, MESSAGE, 3)
        _reap()
        if not said:
            raise SystemExit
        if os.fork() == 0:
            line.close()
            _watched(said, files)
            return
        for each in files:
            os.close(each)


def _reap() -> None:
    """Those that have told how their command ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _watched(said: bytes, files: list[int]) -> None:
    """Forks once more and returns in the child; its parent stays and tells how it ends."""
    asker, out, log = files
    told = socket.socket(fileno=asker)
    pid = os.fork()
    if pid == 0:
        told.close()
        _become(json.loads(said), out, log)
        return
    os.close(out)
    os.close(log)
    told.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    told.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(asked: tuple[list[str], str, dict[str, str]], out: int, log: int) -> None:
    words, folder, environment = asked
    for number, file in ((1, out), (2, log)):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    sys.argv = ["runner", *words]


def main() -> None:
    kind, number = sys.argv[1:]
    line = socket.socket(fileno=int(number))
    KINDS[kind]()
    alone = len(list(Path("/proc/self/task").iterdir()))
    assert alone == 1, "who forks has no thread beside"
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(line)
    runpy.run_module("runner", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
