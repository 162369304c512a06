"""What Lambda itself writes into a function's log, and the errors that it reports. Pure.

Sources: Lambda developer guide, "Viewing CloudWatch logs for Lambda functions" (START, END,
REPORT) and "Troubleshoot invocation issues in Lambda" (time-outs, exits).
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

from runner.execution.interpreters import Interpreter
from runner.execution.program import Program

TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"


def init_start(program: Program, interpreter: Interpreter) -> str:
    """Says what really runs it, where that is not the runtime's own version."""
    known = f"INIT_START Runtime Version: {program.runtime}"
    return f"{known}\tRun by: {interpreter.version}" + (
        "" if interpreter.exact else f" (the nearest to {program.runtime} on this machine)"
    )


def init_report(milliseconds: float, error: str) -> str:
    return (
        f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: init\tStatus: error"
        f"\tError Type: {error}"
    )


def start(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def report(
    request_id: str,
    *,
    seconds: float,
    init: float | None,
    memory: int,
    peak: int,
    error: str,
) -> str:
    """The time of a cold start is billed. Source: AWS Compute Blog, "AWS Lambda standardizes
    billing for INIT Phase"."""
    billed = math.ceil((seconds + (init or 0)) * 1000)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {seconds * 1000:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {min(peak, memory)} MB",
    ]
    if init is not None:
        parts.append(f"Init Duration: {init * 1000:.2f} ms")
    if error == TIMED_OUT:
        parts.append("Status: timeout")
    elif error in (EXITED, OUT_OF_MEMORY):
        parts += ["Status: error", f"Error Type: {error}"]
    return "\t".join(parts) + "\t"


def timed_out(at: float, request_id: str, seconds: float) -> str:
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{moment}Z {request_id} Task timed out after {seconds:.2f} seconds"


def failure(error: str, request_id: str, message: str) -> bytes:
    """The error object of what the platform, not the function, found wrong."""
    told = f"RequestId: {request_id} Error: {message}"
    return json.dumps({"errorType": error, "errorMessage": told}).encode()


def exit_message(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    ended = "signal: killed" if status < 0 else f"exit status {status}"
    return f"Runtime exited with error: {ended}"
