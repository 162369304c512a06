"""What AWS refuses, in the user's words: from its exceptions to JamError, by the table in codes.py.

Catches by error code, narrowly; what the table does not know keeps AWS's own sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from runner.aws.codes import FAULTS, OTHER, TABLE
from runner.errors import JamError, Turn

if TYPE_CHECKING:
    from botocore.model import OperationModel


def explain(error: ClientError | BotoCoreError) -> JamError:
    """`error` in the user's words."""
    if isinstance(error, ClientError):
        return _refused(error)
    for fault in FAULTS:
        if isinstance(error, fault.kinds):
            message = fault.message.format(said=error)
            return JamError(fault.code, message, hint=fault.hint, turn=fault.turn)
    return JamError(
        "JAM-CALL",
        f"A call to AWS could not be made: {error}",
        hint="This is a defect of jam-deploy: please report it.",
        turn=Turn.US,
    )


SERVICE = "Service"


def name_service(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    """An `after-call` handler: notes the service's IAM prefix in an error's answer.

    A ClientError knows its operation but not its service.
    """
    if "Error" in parsed:
        parsed["Error"][SERVICE] = model.service_model.signing_name


@contextmanager
def explained() -> Iterator[None]:
    """Raises AWS's own errors as JamError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


def code_of(error: ClientError) -> str:
    """AWS's own error code."""
    return error.response["Error"].get("Code", "")


def message_of(error: ClientError) -> str:
    """AWS's own sentence."""
    return error.response["Error"].get("Message", "") or code_of(error)


def is_fault_of_aws(error: ClientError) -> bool:
    """Whether AWS failed rather than refused: the call may have been carried out."""
    return int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0)) >= 500


class tolerating:  # noqa: N801 -- reads as a statement, like contextlib.suppress
    """Goes on after AWS errors with exactly these codes; every other is raised."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, ClientError) and code_of(error) in self._codes


def _refused(error: ClientError) -> JamError:
    code, said = code_of(error), message_of(error)
    action, resource = _what(error, said)
    row = next((row for row in TABLE if code in row.codes and re.search(row.said, said)), OTHER)
    words = {"action": action, "resource": resource, "said": said}
    return JamError(
        row.code, row.message.format(**words), hint=row.hint.format(**words), turn=row.turn
    )


_PERFORM = re.compile(r"not authorized to perform:? (\S+)(?: on (?:resource:? )?(\S+))?")


def _what(error: ClientError, said: str) -> tuple[str, str]:
    """The action and the resource, from AWS's sentence or else from the call."""
    action = _action(error)
    found = _PERFORM.search(said)
    if not found:
        return action, "this resource"
    return found[1].rstrip(".,"), (found[2] or "this resource").strip('".,')


# Where the name in IAM is not the operation's. Source: Service Authorization Reference.
_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "lambda:Invoke": "lambda:InvokeFunction",
}


def _action(error: ClientError) -> str:
    service = str(error.response["Error"].get(SERVICE, ""))
    action = f"{service}:{error.operation_name}" if service else error.operation_name
    return _ACTIONS.get(action, action)
