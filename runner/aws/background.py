"""Functions that run without a visitor: from their steps to the calls that make them true."""

from __future__ import annotations

from functools import partial
from typing import assert_never

from botocore.exceptions import ClientError

from runner.apply import Known
from runner.aws import dead_letters, functions, schedules
from runner.aws.functions import ROLE_BUDGET
from runner.aws.refusals import code_of, message_of, tolerating
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.aws.waiting import insist
from runner.errors import JamError, busy_error
from runner.model import Function
from runner.names import Names
from runner.package.acceptor import package
from runner.package.archive import lambda_digest
from runner.plan.background import (
    ACCEPTOR,
    BackgroundStep,
    DropSchedule,
    MakeDeadLetters,
    MakeScheduleGroup,
    PublishAcceptor,
    PutSchedule,
)
from runner.plan.foundation import Role
from runner.plan.refs import Made, Ref

RUNTIME, HANDLER, ARCHITECTURE = "python3.13", "acceptor.handler", "arm64"
MEMORY, TIMEOUT = 256, 15  # MB; seconds: Lambda has five for an event, twice at the most


def performed(aws: Aws, names: Names, *, step: BackgroundStep, known: Known) -> Known:
    """Makes one step true; returns what it made. Harmless to repeat."""
    match step:
        case MakeDeadLetters():
            return {Ref(Made.DEAD_LETTERS): dead_letters.make(aws, names)}
        case MakeScheduleGroup():
            return {Ref(Made.SCHEDULE_GROUP): schedules.make_group(aws, names)}
        case PublishAcceptor():
            wanted = acceptor(names, role_arn=known[Ref(Made.ROLE, Role.BACKGROUND)])
            version = functions.publish_ready(aws, names, wanted=wanted)
            return {Ref(Made.VERSION, ACCEPTOR): version}
        case PutSchedule():
            _put_schedule(aws, names, step=step, known=known)
        case DropSchedule(function=function):
            schedules.drop(aws, names, function=function)
        case _:
            assert_never(step)
    return {}


def acceptor(names: Names, *, role_arn: str) -> Wanted:
    """The acceptor's version: the same for all releases of one jam-deploy."""
    archive = package()
    return Wanted(
        name=names.acceptor,
        role_arn=role_arn,
        runtime=RUNTIME,
        handler=HANDLER,
        architecture=ARCHITECTURE,
        memory=MEMORY,
        timeout=TIMEOUT,
        code_sha256=lambda_digest(archive),
        size=len(archive),
        archive=archive,
    )


def acceptor_arn(names: Names, known: Known) -> str:
    """The version that takes requests in; empty where no function of the release needs it."""
    version = known.get(Ref(Made.VERSION, ACCEPTOR), "")
    return f"{names.function_arn(names.acceptor)}:{version}" if version else ""


def keep_failures(aws: Aws, names: Names, *, function: Function, version: str) -> None:
    """What becomes of events that this version fails at: so many retries, then a dead letter.

    Source: Lambda API reference, PutFunctionEventInvokeConfig.
    """
    name = names.function(function.name)

    def put() -> None:
        aws.functions.put_function_event_invoke_config(
            FunctionName=name,
            Qualifier=version,
            MaximumRetryAttempts=function.background.retries,
            DestinationConfig={"OnFailure": {"Destination": names.dead_letters_arn}},
        )

    late = partial(_not_known, f"The role of {name}")
    insist(aws, put, passes=_is_new_right, late=late, budget=ROLE_BUDGET)


def keeps_failures(aws: Aws, names: Names, *, function: Function, version: str) -> bool:
    """Whether that is so still."""
    with tolerating("ResourceNotFoundException"):
        found = aws.functions.get_function_event_invoke_config(
            FunctionName=names.function(function.name), Qualifier=version
        )
        letters = found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        retries = found.get("MaximumRetryAttempts")
        return (retries, letters) == (function.background.retries, names.dead_letters_arn)
    return False


def _put_schedule(aws: Aws, names: Names, *, step: PutSchedule, known: Known) -> None:
    role = names.scheduler_role

    def put() -> None:
        schedules.put(
            aws,
            names,
            function=step.function,
            schedule=step.schedule,
            version=known[Ref(Made.VERSION, step.function)],
            role_arn=names.role_arn(role),
        )

    late = partial(_not_known, f"The role {role}")
    insist(aws, put, passes=_is_new_right, late=late, budget=ROLE_BUDGET)


# Lambda asks whether the role may send to the queue, Scheduler whether it may assume its role:
# both hear of what is new in IAM a while after it was made.
# Source: IAM user guide, "Troubleshoot IAM", "Changes that I make are not always immediately
# visible".
_NEW_RIGHTS = (
    ("InvalidParameterValueException", "execution role does not have permissions"),
    ("ValidationException", "must allow AWS EventBridge Scheduler to assume the role"),
)


def _is_new_right(error: ClientError) -> bool:
    told = (code_of(error), message_of(error))
    return any(told[0] == code and words in told[1] for code, words in _NEW_RIGHTS)


def _not_known(what: str, error: ClientError) -> JamError:
    return busy_error(
        "JAM-ROLE-NOT-READY",
        f"{what} was not known everywhere after {ROLE_BUDGET} s: {message_of(error)}",
        hint="Run again; an account that was prepared by an older version also needs "
        "`jam-deploy bootstrap` again.",
    )
