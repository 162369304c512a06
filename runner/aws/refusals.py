"""What AWS refuses, in the user's words: from its exceptions to JamError, by the table in codes.py.

Catches by error code, narrowly; what the table does not know keeps AWS's own sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from runner.aws import needs
from runner.aws.codes import OTHER, TABLE
from runner.aws.unanswered import FAULTS
from runner.errors import JamError, Turn, busy_error

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


SERVICE, METHOD = "Service", "Method"
# How IAM calls what is signed otherwise. Source: Service Authorization Reference.
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}


def name_service(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    """An `after-call` handler: notes the service's IAM prefix, and HTTP's method, in an answer.

    A ClientError knows its operation but not its service.
    """
    if "Error" in parsed:
        prefix = model.service_model.signing_name
        parsed["Error"][SERVICE] = _PREFIXES.get(prefix, prefix)
        parsed["Error"][METHOD] = model.http["method"]


@contextmanager
def explained() -> Iterator[None]:
    """Raises AWS's own errors as JamError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


@contextmanager
def explained_but_conditions() -> Iterator[None]:
    """A condition that fails is an answer; all else AWS refuses is explained."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
            raise
        with explained():
            raise


_SILENT = frozenset({"JAM-AWS-DOWN", "JAM-ENDPOINT", "JAM-THROTTLED"})


@contextmanager
def needed(what: str) -> Iterator[None]:
    """Raises JamError `JAM-STATE-UNAVAILABLE` where DynamoDB gives no answer: without `what` nobody
    knows what is live, so nothing is begun."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        told = explain(error)
        if told.code not in _SILENT:
            raise
        raise busy_error(
            "JAM-STATE-UNAVAILABLE",
            f"DynamoDB does not give {what}: {error}",
            hint="Nothing was changed: run again when DynamoDB answers in this region "
            "(https://health.aws.amazon.com).",
        ) from error


def code_of(error: ClientError) -> str:
    """AWS's own error code."""
    return error.response["Error"].get("Code", "")


def message_of(error: ClientError) -> str:
    """AWS's own sentence."""
    return error.response["Error"].get("Message", "") or code_of(error)


def is_fault_of_aws(error: ClientError) -> bool:
    """Whether AWS failed rather than refused: the call may have been carried out."""
    return int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0)) >= 500


def is_missing(error: JamError) -> bool:
    """Whether AWS said that an object, or its bucket, is not there."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and code_of(cause) in ("NoSuchKey", "NoSuchBucket")


def is_denied(error: JamError) -> bool:
    """Whether AWS said that these credentials may not."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and code_of(cause) in ("AccessDenied", "403")


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
    statement = needs.statement(action, resource)
    words = {"action": action, "resource": resource, "statement": statement, "said": said}
    return JamError(
        row.code, row.message.format(**words), hint=row.hint.format(**words), turn=row.turn
    )


_PERFORM = re.compile(r"not authorized to perform:? (\S+)(?: on (?:resource:? )?(\S+))?")


def _what(error: ClientError, said: str) -> tuple[str, str]:
    """The action and the resource, from AWS's sentence or else from the call."""
    action = _action(error)
    found = _PERFORM.search(said)
    if not found:
        return action, needs.UNNAMED
    return found[1].rstrip(".,"), (found[2] or needs.UNNAMED).strip('".,')


# Where the name in IAM is not the operation's. Source: Service Authorization Reference.
_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "lambda:Invoke": "lambda:InvokeFunction",
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "dynamodb:TransactWriteItems": "dynamodb:PutItem",
}


def _action(error: ClientError) -> str:
    told: dict[str, Any] = {**error.response["Error"]}
    service = told.get(SERVICE, "")
    return action_of(service, error.operation_name, method=told.get(METHOD, ""))


def action_of(service: str, operation: str, *, method: str = "") -> str:
    """IAM's action behind an operation; API Gateway's are HTTP's methods."""
    if service == "apigateway" and method:
        return f"{service}:{method}"
    action = f"{service}:{operation}" if service else operation
    return _ACTIONS.get(action, action)
