"""Calls a function, as somebody at a terminal does: a second time only where that does no harm."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from runner.aws.patience import Patience
from runner.aws.refusals import explained
from runner.aws.session import ATTEMPTS, Aws

# A function may run for 15 minutes. Source: Lambda developer guide, "Lambda quotas".
LONGEST = 900 + 30  # seconds
# Source: the same page, "Invocation payload", synchronous.
LARGEST = 6 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a function answered: `failed` says that the payload is its error.

    `log` is the end of its log, at most 4 KB. Source: Lambda API reference, Invoke, `LogType`.
    """

    version: str
    payload: bytes
    failed: bool
    log: str


def call(
    aws: Aws, function: str, *, version: str = "", payload: bytes, only_reads: bool = False
) -> Answer:
    """Invokes the Lambda function of this name or ARN and waits for it.

    Sent once, if AWS does not throttle it: whoever repeats a call whose answer was lost runs the
    function twice. One that `only_reads` is asked again as any read is.
    """
    qualifier = {"Qualifier": version} if version else {}
    patience = Patience(aws.chance, aws.tries, faults=only_reads)
    attempts = ATTEMPTS if only_reads else 1
    client = aws.make("lambda", attempts, read_timeout=LONGEST, patience=patience)
    with explained():
        answer = client.invoke(FunctionName=function, Payload=payload, LogType="Tail", **qualifier)
        said = answer["Payload"].read()
    return Answer(
        version=answer.get("ExecutedVersion", ""),
        payload=said,
        failed="FunctionError" in answer,
        log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
    )
