"""Whether a function is ready, at work on an update, or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import JamError, aws_error, busy_error

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

BUDGET = 300  # seconds: somebody else's update, a version becoming active


def settled(aws: Aws, name: str, *, qualifier: str = "$LATEST") -> FunctionConfigurationTypeDef:
    """The function or version once nothing is under way; JamError `JAM-FN-FAILED` if it failed.

    Source: Lambda developer guide, "Lambda function states".
    """

    def probe() -> FunctionConfigurationTypeDef | None:
        found = aws.functions.get_function(FunctionName=name, Qualifier=qualifier)["Configuration"]
        _check_state(found, name)
        return None if is_pending(found) else found

    return until(aws, probe, budget=BUDGET, late=lambda: busy(name, "an update is in progress"))


def is_pending(found: FunctionConfigurationTypeDef) -> bool:
    return found.get("State") == "Pending" or found.get("LastUpdateStatus") == "InProgress"


def _check_state(found: FunctionConfigurationTypeDef, name: str) -> None:
    if found.get("State") == "Failed":
        reason, code = found.get("StateReason"), found.get("StateReasonCode")
    elif found.get("LastUpdateStatus") == "Failed":
        reason, code = found.get("LastUpdateStatusReason"), found.get("LastUpdateStatusReasonCode")
    else:
        return
    raise aws_error(
        "JAM-FN-FAILED",
        f"Lambda could not make {name} ready: {reason} ({code})",
        hint="Correct what Lambda names and run again.",
    )


def busy(name: str, why: str) -> JamError:
    return busy_error(
        "JAM-FN-BUSY",
        f"{name} was busy for {BUDGET} s: {why}",
        hint="Somebody else is changing this function; run again when they are done.",
    )
